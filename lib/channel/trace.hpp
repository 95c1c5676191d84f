#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "uv/descriptor.hpp"

namespace tine::channel {

// Writes down each message that passes a channel of this process, as a line of JSON, to the file that
// TINE_TRACE names. docs/scripting.md describes the lines.
//
// The file is opened once a process and appended to, a write a record: so it may be shared by parent
// and children, and what is in it survives a crash. What cannot be written is lost without a word:
// a trace must not change what the program does.
class Trace {
 public:
  // Null when nobody asked for a trace, or the file cannot be opened.
  static Trace* instance() noexcept;

  enum class Direction { in, out };

  struct Record {
    Direction direction;
    unsigned channel;         // counted within this process
    std::optional<int> peer;  // the pid at the other end
    std::string_view text;
    bool internal = false;
    std::size_t queued = 0;     // bytes that wait behind it: in, to be told; out, to be written
    std::string_view bad = {};  // why the text is no message
  };

  void write(const Record& record) noexcept;

  unsigned next_channel() noexcept;

 private:
  explicit Trace(uv::Descriptor file) : file_(std::move(file)) {}
  static Trace* open() noexcept;

  uv::Descriptor file_;
};

}  // namespace tine::channel
