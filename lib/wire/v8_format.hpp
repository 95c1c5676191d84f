#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

// The bytes of V8's value format, with Node's bytes for what V8 leaves to it. docs/advanced.md has
// them in a table.
namespace tine::wire::v8 {

// V8 writes numbers and UTF-16 in the byte order of the machine. Both ends are on the same one.
static_assert(std::endian::native == std::endian::little);

inline constexpr char header = '\xFF';
inline constexpr std::uint32_t oldest_version = 13;
// Node 26 writes version 15, Deno 16. They differ in lengths that need more than 32 bits, which tine
// refuses.
inline constexpr std::uint32_t newest_version = 16;
inline constexpr char written_version = 15;

enum class Tag : char {
  none = '\0',  // at the end of the bytes; padding in front of other tags
  object_count = '?',
  undefined = '_',
  null = '0',
  true_value = 'T',
  false_value = 'F',
  int32 = 'I',
  uint32 = 'U',
  number = 'N',
  bigint = 'Z',
  utf8 = 'S',
  latin1 = '"',
  utf16 = 'c',
  reference = '^',
  object = 'o',
  end_of_object = '{',
  dense_array = 'A',
  end_of_dense_array = '$',
  sparse_array = 'a',
  end_of_sparse_array = '@',
  hole = '-',
  map = ';',
  end_of_map = ':',
  set = '\'',
  end_of_set = ',',
  error = 'r',
  date = 'D',
  regexp = 'R',
  true_object = 'y',
  false_object = 'x',
  number_object = 'n',
  bigint_object = 'z',
  string_object = 's',
  array_buffer = 'B',
  resizable_array_buffer = '~',
  host_object = '\\',
  // What stays in its process.
  array_buffer_view = 'V',
  transferred_array_buffer = 't',
  shared_array_buffer = 'u',
  shared_object = 'p',
  wasm_module = 'w',
  wasm_memory = 'm',
};

// The parts of an Error. Beside these, there is a letter for each of the types below.
enum class ErrorPart : char { message = 'm', cause = 'c', stack = 's', end = '.' };

struct ErrorType {
  char letter;  // '\0': this type has none
  const char* name;
};
inline constexpr std::array<ErrorType, 7> error_types{{{'\0', "Error"},
                                                       {'E', "EvalError"},
                                                       {'R', "RangeError"},
                                                       {'F', "ReferenceError"},
                                                       {'S', "SyntaxError"},
                                                       {'T', "TypeError"},
                                                       {'U', "URIError"}}};

// The flags of a RegExp, the one of bit 0 first.
inline constexpr std::string_view regexp_flags = "gimyusldv";

// What Node writes first of an object that V8 leaves to it.
enum class HostObject : unsigned char { view = 0, plain = 1 };

// The subtypes of binary values: which JavaScript object a value is. Those up to 13 are the numbers
// by which Node tells views apart. A binary value without a subtype is a Buffer.
enum BinaryType : std::uint8_t {
  int8_array = 0,
  uint8_array = 1,
  uint8_clamped_array = 2,
  int16_array = 3,
  uint16_array = 4,
  int32_array = 5,
  uint32_array = 6,
  float32_array = 7,
  float64_array = 8,
  data_view = 9,
  buffer = 10,
  bigint64_array = 11,
  biguint64_array = 12,
  float16_array = 13,
  array_buffer = 32,
};

// The bytes of an element of each view.
inline constexpr std::array<std::size_t, 14> element_sizes{1, 1, 1, 2, 2, 4, 4,
                                                           4, 8, 1, 1, 8, 8, 2};

// The largest integer up to which a Number has all integers, JavaScript's MAX_SAFE_INTEGER.
inline constexpr std::int64_t max_safe_integer = (std::int64_t{1} << 53) - 1;

// The milliseconds that a Date can be away from 1970.
inline constexpr double max_time = 8.64e15;

// The bytes of the largest BigInt that V8 can hold.
inline constexpr std::size_t max_bigint = std::size_t{1} << 27;

}  // namespace tine::wire::v8
