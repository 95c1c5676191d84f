// Streams of the library, with raw descriptors at their other ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "net/stream_state.hpp"
#include "support/catch.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"
#include "tine/stream.hpp"

using Log = std::vector<std::string>;

inline constexpr std::size_t kibibyte = 1024;
// Much more than pipes, sockets and a queue up to the mark can hold.
inline constexpr std::size_t plenty = 4096 * kibibyte;

// Returns bytes that do not repeat at a short distance.
inline std::string bytes_of(std::size_t size) {
  std::string bytes(size, '\0');
  unsigned state = 1;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

// Both ends of a kernel pipe.
struct Pipe {
  Pipe() {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    out = ends[0];
    in = ends[1];
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(out);
    close_end(in);
  }

  static void close_end(int& fd) {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }

  int out;
  int in;
};

// Puts another descriptor in the place of stdin, stdout or stderr while this object lives.
class Standard {
 public:
  Standard(int standard, int fd)
      : standard_(standard), before_(fcntl(standard, F_DUPFD_CLOEXEC, 3)) {
    REQUIRE(dup2(fd, standard) == standard);
  }
  Standard(const Standard&) = delete;
  Standard& operator=(const Standard&) = delete;
  ~Standard() {
    dup2(before_, standard_);
    ::close(before_);
  }

 private:
  int standard_;
  int before_;
};

// Returns what is in a pipe now.
inline std::string read_available(int fd) {
  std::string all;
  char piece[4096];
  for (ssize_t n; (n = ::read(fd, piece, sizeof piece)) > 0;)
    all.append(piece, static_cast<std::size_t>(n));
  return all;
}

// Returns a stream that owns the descriptor, and sets `fd` to -1.
inline tine::Stream stream_over(tine::Loop& loop, int& fd, tine::net::Direction direction) {
  return tine::net::make_stream(tine::core_of(loop), tine::base::Descriptor(std::exchange(fd, -1)),
                                direction)
      ->handle();
}

// A log of a stream's events other than "data". The data is collected on request.
struct Record {
  explicit Record(tine::Stream stream) {
    stream.on<"end">([this] { log.emplace_back("end"); });
    stream.on<"drain">([this] { log.emplace_back("drain"); });
    stream.on<"error">([this](const tine::Error& error) {
      log.emplace_back("error");
      errors.push_back(error.code());
    });
    stream.on<"close">([this] { log.emplace_back("close"); });
  }
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  void collect(tine::Stream stream) {
    stream.on<"data">([this](std::string_view bytes) { data += bytes; });
  }
  tine::SendCallback written(const std::string& name) {
    return [this, name](std::error_code error) {
      log.push_back(name);
      results.push_back(error);
    };
  }

  Log log;
  std::string data;
  std::vector<std::error_code> errors;
  std::vector<std::error_code> results;
};

// A stream, with a raw peer at the other end of a socket pair.
struct Duplex {
  explicit Duplex(tine::net::Direction direction = tine::net::Direction::both) : peer(fd) {
    state = tine::net::make_stream(tine::core_of(loop), tine::base::Descriptor(fd), direction);
    stream = state->handle();
  }
  // Runs the loop until `done` returns true. Calls it every millisecond.
  void run_until(const std::function<bool()>& done) {
    std::function<void()> look = [&] {
      if (done()) {
        loop->stop();
      } else {
        loop->after(std::chrono::milliseconds(1), look);
      }
    };
    look();
    loop.run();
  }

  TestLoop loop;
  int fd = -1;
  RawPeer peer;
  std::shared_ptr<tine::net::StreamState> state;
  tine::Stream stream;
};

inline std::error_code system_code(int error) { return {error, std::generic_category()}; }
