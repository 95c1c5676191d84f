// What an "error" event carries, what a send callback is given, and what fork() and friends report.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <system_error>

#pragma GCC visibility push(default)

namespace tine {

// The errors that are tine's own. Where Node has one like it, the text bears Node's name for it;
// what the system refuses is an errno in std::generic_category().
enum class Errc {
  channel_closed = 1,         // ERR_IPC_CHANNEL_CLOSED: send() on a channel that is not connected
  bad_channel,                // NODE_CHANNEL_FD does not name a connected stream socket
  unsupported_serialization,  // the parent asks for another form than JSON lines
  bad_message,                // a line came in that is not JSON, or is nested too deeply
  message_too_long,           // a line came in that is longer than ChannelOptions::max_line
  message_type,               // a message does not convert to what its listener takes
  invalid_value,              // a message cannot be written as JSON, or is nested too deeply
  queue_full,                 // more than ChannelOptions::send_limit would wait to be written
  handle_refused,             // a handle came beside a message; this end takes none, or no more
  handle_lost,                // a handle was sent that the peer did not take, or did not answer for
  closed_before_reply,  // ERR_CHILD_CLOSED_BEFORE_REPLY: the peer was asked to count, and is gone
  invalid_handle_type,  // ERR_INVALID_HANDLE_TYPE: what is, or came, beside a message is none
  write_after_end,      // ERR_STREAM_WRITE_AFTER_END: Stream::write() after end()
  stream_destroyed,     // ERR_STREAM_DESTROYED: Stream::write() after destroy() or an error
  ipc_one_pipe,         // ERR_IPC_ONE_PIPE: ForkOptions::stdio has more than one ipc slot
  ipc_required,         // ERR_CHILD_PROCESS_IPC_REQUIRED: ForkOptions::stdio has no ipc slot
  invalid_argument,     // ERR_INVALID_ARG_VALUE: an option that cannot be; a text with a zero byte
  out_of_range,         // ERR_OUT_OF_RANGE: the same for a number
  unknown_signal,       // ERR_UNKNOWN_SIGNAL: a number that is no signal
  aborted,              // ABORT_ERR: a stop was requested of ForkOptions::stop
  timed_out,            // wait_for_message() has reached its deadline
  host_not_found,       // ENOTFOUND: the name of a host has no address
  lookup_failed,        // EAI_AGAIN, EAI_FAIL: nobody answered what address a host has
  already_listening,    // ERR_SERVER_ALREADY_LISTEN: Server::listen() twice, or after close()
  already_bound,        // ERR_SOCKET_ALREADY_BOUND: Datagram::bind() twice, or after close()
  socket_not_running,   // ERR_SOCKET_DGRAM_NOT_RUNNING: Datagram::send() after close()
};

const std::error_category& error_category() noexcept;
std::error_code make_error_code(Errc error) noexcept;

// What went wrong: code() for programs, what() for people.
//
// Running out of memory is std::bad_alloc instead. It comes out of the call, which has then done
// nothing, or out of Loop::run(), which can be called again: nothing that was read or due is lost.
//
// Node: Error with a `code`.
class Error : public std::system_error {
 public:
  using std::system_error::system_error;

  // Of a text that is not JSON, the byte, from 0 on, where it stops to be.
  std::optional<std::size_t> offset() const { return offset_; }
  Error& at(std::size_t offset) {
    offset_ = offset;
    return *this;
  }

 private:
  std::optional<std::size_t> offset_;
};

}  // namespace tine

template <>
struct std::is_error_code_enum<tine::Errc> : std::true_type {};

#pragma GCC visibility pop
