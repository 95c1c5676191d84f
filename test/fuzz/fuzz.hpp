// Shared by the fuzz targets: the settings in an input, and the check of an invariant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// The fuzz target. libFuzzer calls it for each input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// If `holds` is false, prints `what`, which should have held, and ends the process. libFuzzer then
// keeps the input.
void must(bool holds, std::string_view what);

// An input: a line of settings, one byte each, then the bytes to work on. A setting of '0' is the
// default, so that a file of the corpus can be written by hand.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size);

  // Returns the next setting, from 0 to 255. If there are no more settings, it takes one of the
  // bytes.
  std::size_t setting();
  // Ends the settings and returns the bytes. Drops the byte after the settings, which usually is a
  // line feed.
  std::string_view bytes();

 private:
  std::string_view rest_;
};

// The sizes of the pieces in which bytes arrive. Setting 0 means all at once, 1 one by one, and 2
// means 137 and 143 in turn. With other settings the sizes vary, up to the setting.
class Pieces {
 public:
  explicit Pieces(std::size_t setting) : setting_(setting), state_(setting) {}
  std::size_t next();

 private:
  std::size_t setting_;
  std::size_t state_;
};
