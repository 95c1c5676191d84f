// Waits for one message: the answer to a request, or that a child is ready.
//
// Includes json_fwd.hpp only: a program that handles values includes <nlohmann/json.hpp>, or
// <tine/tine.hpp>.
#pragma once

#include <chrono>
#include <functional>
#include <system_error>

#include "tine/detail/json.hpp"

#pragma GCC visibility push(default)

namespace tine {

class ChildProcess;
class Loop;
class Process;

struct WaitOptions {
  // Which message it is to be. Empty: the next one. It may be called for any number of messages.
  std::function<bool(const nlohmann::json& message)> filter = {};

  // How long to wait.
  std::chrono::milliseconds deadline = std::chrono::seconds(5);
};

// Told the message, or why there is none, with null for it: Errc::timed_out, or channel_closed when
// the channel has ended before one came.
using WaitCallback = std::function<void(std::error_code error, const nlohmann::json& message)>;

// Waits for one message from a child, or from the parent.
//
// `done` runs exactly once, on a later turn, unless the loop goes before it; nothing that was used
// for the wait is left then. Till then the wait keeps Loop::run() from returning.
//
// It is one more "message" listener: the other ones get all messages as before, but if there are
// none, those that are passed over are dropped. Messages behind the one that is waited for are not
// touched: a second wait, begun in `done`, gets them.
//
// Node: none; there one writes it with once(), a timer and removeListener().
void wait_for_message(Loop& loop, ChildProcess child, WaitOptions options, WaitCallback done);
void wait_for_message(Loop& loop, Process& process, WaitOptions options, WaitCallback done);

}  // namespace tine

#pragma GCC visibility pop
