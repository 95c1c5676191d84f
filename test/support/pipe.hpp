// A kernel pipe.
#pragma once

#include <array>

#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "support/catch.hpp"

struct Pipe {
  Pipe() : Pipe(make()) {}

  tine::base::Descriptor read;
  tine::base::Descriptor write;

 private:
  explicit Pipe(std::array<int, 2> ends) : read(ends[0]), write(ends[1]) {}

  static std::array<int, 2> make() {
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    return ends;
  }
};
