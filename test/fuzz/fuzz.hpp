// What the fuzz targets share: settings out of the input, and what an invariant does when it breaks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// A target: called for each input, by libFuzzer or by replay.cpp.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Ends the process unless `holds`, and says what should have: libFuzzer keeps the input then.
void must(bool holds, std::string_view what);

// An input: a line of settings, one byte each, then the bytes to work on. A setting of '0' is what is
// usual, so a file of the corpus can be written by hand.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size);

  // The next setting, from 0 to 255. Asked for more than there are, it takes from the bytes.
  std::size_t setting();
  // Ends the settings: the byte after them is dropped, be it a line feed or not.
  std::string_view bytes();

 private:
  std::string_view rest_;
};

// The sizes of the pieces in which bytes arrive: all at once, one by one, 137 and 143 by turns, or
// anything up to the setting.
class Pieces {
 public:
  explicit Pieces(std::size_t setting) : setting_(setting), state_(setting) {}
  std::size_t next();

 private:
  std::size_t setting_;
  std::size_t state_;
};
