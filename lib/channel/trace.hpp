#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"

namespace tine::channel {

// A log of the messages that pass the channels of this process: one line of JSON each, appended to
// the file that TINE_TRACE names. docs/scripting.md describes the lines.
//
// The file is opened once per process, and each record is one write. So parent and children may
// share the file, and its contents survive a crash. Records that cannot be written are dropped
// silently: a trace must not change what the program does.
//
// A set-uid program is not traced: its caller would choose a file that is written as its owner.
class Trace {
 public:
  static constexpr const char* variable = "TINE_TRACE";

  // Returns null if no trace is requested, or the file cannot be opened.
  static Trace* instance() noexcept;

  // Returns the absolute path of the file that the variable names, so that children in other
  // directories write to the same file. Returns nullopt if no trace is requested.
  static std::optional<std::string> file();

  enum class Direction { in, out };

  struct Record {
    Direction direction = Direction::in;
    unsigned channel = 0;          // number within this process
    std::optional<int> peer = {};  // pid of the process at the other end
    std::string_view text = {};
    bool internal = false;
    std::size_t queued = 0;     // waiting bytes; in: behind this message; out: to be written
    std::string_view bad = {};  // why the text is not a message
  };

  void write(const Record& record) noexcept;

  unsigned next_channel() noexcept;

 private:
  explicit Trace(base::Descriptor file) : file_(std::move(file)) {}
  static Trace* open() noexcept;
  void put() noexcept;
  bool room() noexcept;

  base::Descriptor file_;
  std::mutex mutex_;  // channels may belong to several threads
  std::string line_;  // the last line, of which written_ bytes are written
  std::size_t written_ = 0;
  bool stalled_ = false;  // the reader of a FIFO has stopped
};

// The trace of one channel. False if no trace is requested; then it may not be written to.
class ChannelTrace {
 public:
  explicit operator bool() const { return trace_ != nullptr; }

  void name_peer(int pid) { peer_ = pid; }

  // Each sets the record's channel, peer and direction.
  void in(Trace::Record record) noexcept { write(Trace::Direction::in, record); }
  void out(Trace::Record record) noexcept { write(Trace::Direction::out, record); }

 private:
  void write(Trace::Direction direction, Trace::Record& record) noexcept {
    record.direction = direction;
    record.channel = number_;
    record.peer = peer_;
    trace_->write(record);
  }

  Trace* const trace_ = Trace::instance();
  unsigned number_ = trace_ == nullptr ? 0 : trace_->next_channel();
  std::optional<int> peer_;
};

}  // namespace tine::channel
