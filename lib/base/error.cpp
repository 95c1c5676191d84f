#include "tine/error.hpp"

namespace tine {

namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "tine"; }

  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::channel_closed: return "Channel closed (ERR_IPC_CHANNEL_CLOSED)";
      case Errc::bad_channel: return "no usable channel (ERR_TINE_BAD_CHANNEL)";
      case Errc::unsupported_serialization:
        return "unsupported serialization (ERR_TINE_UNSUPPORTED_SERIALIZATION)";
      case Errc::bad_message: return "bad message (ERR_TINE_BAD_MESSAGE)";
      case Errc::message_too_long: return "message too long (ERR_TINE_MESSAGE_TOO_LONG)";
      case Errc::message_type: return "message of another type (ERR_TINE_MESSAGE_TYPE)";
      case Errc::invalid_value: return "message cannot be written (ERR_TINE_INVALID_VALUE)";
      case Errc::queue_full: return "too much is queued (ERR_TINE_QUEUE_FULL)";
      case Errc::handle_refused: return "handle refused (ERR_TINE_HANDLE_REFUSED)";
      case Errc::handle_lost:
        return "Handle did not reach the receiving process correctly (ERR_TINE_HANDLE_LOST)";
      case Errc::closed_before_reply:
        return "Child closed before reply received (ERR_CHILD_CLOSED_BEFORE_REPLY)";
      case Errc::invalid_handle_type:
        return "This handle type cannot be sent (ERR_INVALID_HANDLE_TYPE)";
      case Errc::write_after_end: return "write after end (ERR_STREAM_WRITE_AFTER_END)";
      case Errc::stream_destroyed: return "the stream is destroyed (ERR_STREAM_DESTROYED)";
      case Errc::ipc_one_pipe: return "Child process can have only one IPC pipe (ERR_IPC_ONE_PIPE)";
      case Errc::ipc_required:
        return "Forked processes must have an IPC channel (ERR_CHILD_PROCESS_IPC_REQUIRED)";
      case Errc::invalid_argument: return "invalid argument (ERR_INVALID_ARG_VALUE)";
      case Errc::out_of_range: return "out of range (ERR_OUT_OF_RANGE)";
      case Errc::unknown_signal: return "Unknown signal (ERR_UNKNOWN_SIGNAL)";
      case Errc::aborted: return "The operation was aborted (ABORT_ERR)";
      case Errc::timed_out: return "not in time (ERR_TINE_TIMED_OUT)";
      case Errc::host_not_found: return "host not found (ENOTFOUND)";
      case Errc::lookup_failed: return "the host could not be looked up (EAI_AGAIN)";
      case Errc::already_listening:
        return "Listen method has been called more than once (ERR_SERVER_ALREADY_LISTEN)";
      case Errc::already_bound: return "Socket is already bound (ERR_SOCKET_ALREADY_BOUND)";
      case Errc::socket_not_running: return "Not running (ERR_SOCKET_DGRAM_NOT_RUNNING)";
      case Errc::remote_error: return "the peer reports an error (ERR_TINE_REMOTE_ERROR)";
      case Errc::method_not_found: return "method not found (ERR_TINE_METHOD_NOT_FOUND)";
      case Errc::invalid_params: return "invalid params (ERR_TINE_INVALID_PARAMS)";
      case Errc::invalid_request: return "invalid request (ERR_TINE_INVALID_REQUEST)";
      case Errc::internal_error: return "internal error of the peer (ERR_TINE_INTERNAL_ERROR)";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(Errc error) noexcept {
  return {static_cast<int>(error), error_category()};
}

}  // namespace tine
