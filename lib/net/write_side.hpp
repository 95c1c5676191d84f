#pragma once

#include <cstddef>
#include <string_view>
#include <system_error>

#include "tine/error.hpp"
#include "uv/write_queue.hpp"

namespace tine::net {

// The writing half of a stream: the queue, whether it takes bytes, when the user is to stop
// and may go on, and how it ends. It writes nothing itself.
class WriteSide {
 public:
  // Who ends the side. peer: the peer has ended its own.
  enum class Ender { user, peer };

  WriteSide();

  void open() noexcept { state_ = State::open; }
  // Returns whether bytes may be queued.
  bool is_open() const { return state_ == State::open; }
  // Returns whether the side is to end as soon as the queue is written.
  bool is_ending() const { return state_ == State::ending; }
  // Returns whether queued bytes are still to be written.
  bool is_pending() const { return is_open() || is_ending(); }

  uv::WriteQueue& queue() { return queue_; }
  const uv::WriteQueue& queue() const { return queue_; }

  // The first queued bytes: as many as one system call should write.
  std::string_view front() noexcept;

  // To be called when bytes were queued. Returns whether the user may queue more right away. If
  // not, and the side is open, drained() will say when.
  bool takes_more() noexcept;
  // To be called when bytes were written. Returns true once for each time that the user had to stop.
  bool drained() noexcept;

  // Queues the last bytes. If memory runs out, the side stays open.
  void end(std::string_view last, Ender ender);
  // To be called when the side is ending and the queue is written.
  void finish() noexcept { state_ = State::ended; }
  // Ends the side at once. Bytes that are still to be written are cancelled.
  void destroy(std::error_code why) noexcept;

  // Returns why no bytes are taken, if the side is not open.
  Errc refusal() const;
  bool ended_by_user() const { return ended_by_user_; }

 private:
  // ended: and before it is opened.
  enum class State { open, ending, ended, destroyed };

  State state_ = State::ended;
  uv::WriteQueue queue_;
  bool drain_wanted_ = false;
  bool ended_by_user_ = false;
};

}  // namespace tine::net
