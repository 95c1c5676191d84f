// Errors: the arguments of "error" events and send callbacks, and what fork() and others report.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <system_error>

#include "tine/detail/export.hpp"

namespace tine {

// tine's own errors. The text contains Node's name if Node has a similar error. Errors of the
// system are an errno in std::generic_category().
enum class Errc {
  channel_closed = 1,         // ERR_IPC_CHANNEL_CLOSED: send() on a channel that is not connected
  bad_channel,                // NODE_CHANNEL_FD does not name a connected stream socket
  unsupported_serialization,  // the peer asks for, or writes, a format that tine does not have
  bad_message,                // what came is not a message, or is nested too deeply
  message_too_long,           // a received message is longer than ChannelOptions::max_line
  message_type,               // a message does not convert to the type its listener takes
  invalid_value,              // a message cannot be written, or is nested too deeply
  queue_full,                 // the queue would grow past ChannelOptions::send_limit
  handle_refused,             // a handle came with a message; this end takes none, or no more
  handle_lost,                // the peer did not take a handle, or did not answer for it
  closed_before_reply,  // ERR_CHILD_CLOSED_BEFORE_REPLY: the peer of Server::connections() is gone
  invalid_handle_type,  // ERR_INVALID_HANDLE_TYPE: a handle cannot be sent, or what came is not one
  write_after_end,      // ERR_STREAM_WRITE_AFTER_END: Stream::write() after end()
  stream_destroyed,     // ERR_STREAM_DESTROYED: Stream::write() after destroy() or an error
  ipc_one_pipe,         // ERR_IPC_ONE_PIPE: ForkOptions::stdio has more than one ipc slot
  ipc_required,         // ERR_CHILD_PROCESS_IPC_REQUIRED: ForkOptions::stdio has no ipc slot
  invalid_argument,     // ERR_INVALID_ARG_VALUE: an invalid option; a text with a zero byte
  out_of_range,         // ERR_OUT_OF_RANGE: an option with a number out of range
  unknown_signal,       // ERR_UNKNOWN_SIGNAL: a number that is not a signal
  aborted,              // ABORT_ERR: a stop was requested, or a request was cancelled
  timed_out,            // a deadline, or within(), has ended a wait, a request or a Task
  host_not_found,       // ENOTFOUND: a host name has no address
  lookup_failed,        // EAI_AGAIN, EAI_FAIL: no answer to the lookup of a host name
  already_listening,    // ERR_SERVER_ALREADY_LISTEN: Server::listen() twice, or after close()
  already_bound,        // ERR_SOCKET_ALREADY_BOUND: Datagram::bind() twice, or after close()
  socket_not_running,   // ERR_SOCKET_DGRAM_NOT_RUNNING: Datagram::send() after close()
  remote_error,         // the peer's handler has failed: see RpcError
  method_not_found,     // the peer has no handler of a request
  invalid_params,       // the peer's handler does not take the params of a request
  invalid_request,      // the peer does not take a request
  internal_error,       // the peer's handler of a request has thrown, or has not answered
};

TINE_EXPORT const std::error_category& error_category() noexcept;
TINE_EXPORT std::error_code make_error_code(Errc error) noexcept;

// An error: code() for programs, what() for people.
//
// If memory runs out, std::bad_alloc is thrown instead. A call that throws it has done nothing. If
// Loop::run() throws it, run() can be called again: nothing that was read or due is lost.
//
// Node: Error with a `code`.
class TINE_EXPORT Error : public std::system_error {
 public:
  using std::system_error::system_error;

  // For an invalid message: the zero-based byte offset of the first error.
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
