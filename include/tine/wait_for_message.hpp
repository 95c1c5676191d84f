// Waiting for one message: the answer to a request, or the message that a child is ready.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <chrono>
#include <system_error>

#include "tine/callback.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"

namespace tine {

class ChildProcess;
class Loop;
class Process;

struct WaitOptions {
  // Returns whether a message is the awaited one. Empty: the next message is. May be called for any
  // number of messages.
  Callback<bool(const nlohmann::json& message)> filter = {};

  // The longest time to wait.
  std::chrono::milliseconds deadline = std::chrono::seconds(5);
};

// Receives the message; or, with a null message, the reason why there is none: Errc::timed_out, or
// Errc::channel_closed if the channel ended before the message came.
using WaitCallback = Callback<void(std::error_code error, const nlohmann::json& message)>;

// Waits for one message from a child, or from the parent.
//
// `done` runs exactly once, on a later turn, unless the loop is destroyed first. The wait keeps
// Loop::run() from returning until then; afterwards nothing of the wait is left.
//
// The wait is one more "message" listener. Other listeners get all messages as before; if there are
// none, the messages that the filter passes over are dropped. Messages after the awaited one are
// not touched: a second wait that starts in `done` gets them.
//
// Node: none; there it is written with once(), a timer and removeListener().
TINE_EXPORT void wait_for_message(Loop& loop, ChildProcess child, WaitOptions options,
                                  WaitCallback done);
TINE_EXPORT void wait_for_message(Loop& loop, Process& process, WaitOptions options,
                                  WaitCallback done);

}  // namespace tine
