// How a child is asked to end, step by step.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "tine/callback.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/object.hpp"

namespace tine {

class ChildProcess;

// One step by which a child is asked to end, and how long the child has to end after it.
class TINE_EXPORT StopStep {
 public:
  // disconnect(). A child of Node or tine ends by itself then, if nothing else keeps its loop.
  static StopStep disconnect(std::chrono::milliseconds wait);
  static StopStep signal(int number, std::chrono::milliseconds wait);
  static StopStep message(const nlohmann::json& message, std::chrono::milliseconds wait);
  template <detail::Built T>
  static StopStep message(const T& message, std::chrono::milliseconds wait) {
    return built_message(message, wait);
  }
  // A request without params, such as "shutdown": see Rpc. Neither an answer nor a failure ends the
  // wait, because the child has to end.
  static StopStep request(std::string method, std::chrono::milliseconds wait);

  std::chrono::milliseconds wait() const { return wait_; }

  // Takes the step. Returns false if that is not possible: the channel is not connected, the message
  // is refused, or the signal cannot be sent.
  bool take(const ChildProcess& child) const { return (*take_)(child); }

 private:
  using Take = Callback<bool(const ChildProcess&)>;

  StopStep(Take take, std::chrono::milliseconds wait);
  static StopStep built_message(const Object& message, std::chrono::milliseconds wait);
  static StopStep built_message(const Array& message, std::chrono::milliseconds wait);

  std::shared_ptr<const Take> take_;
  std::chrono::milliseconds wait_;
};

// How ChildProcess::stop() ends a child.
struct StopOptions {
  // The steps, taken one after the other while the child runs. One that cannot be taken is skipped at
  // once. When the wait of the last one is over, the child is killed (SIGKILL).
  std::vector<StopStep> steps = {StopStep::disconnect(std::chrono::seconds(5)),
                                 StopStep::signal(SIGTERM, std::chrono::seconds(5))};

  // Whether the descendants are killed then too: see ChildProcess::kill_tree().
  bool tree = false;
};

}  // namespace tine
