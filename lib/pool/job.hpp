#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include <nlohmann/json.hpp>

#include "pool/action.hpp"
#include "tine/callback.hpp"
#include "tine/handle.hpp"
#include "tine/object.hpp"
#include "tine/request.hpp"
#include "uv/deadline.hpp"
#include "uv/stop_watch.hpp"

namespace tine::pool {

class State;

// A task of a pool, as the user made it. It is made, waits and runs as the Scheduler says, and is settled
// when its callback is called.
class Job final : public detail::PendingCall, public std::enable_shared_from_this<Job> {
 public:
  Job(std::shared_ptr<State> its_state, std::string its_method, detail::Value its_params)
      : state(std::move(its_state)), method(std::move(its_method)), params(std::move(its_params)) {}

  bool pending() const noexcept override { return state != nullptr; }
  void cancel() override;
  void forget() noexcept override;

  std::shared_ptr<State> state;  // null once it is settled

  // What is asked of the worker. The params are moved to it if no retry is left.
  std::string method;
  detail::Value params;
  Handle handle = {};
  bool keep_open = false;
  Callback<void(const nlohmann::json&)> progress = {};

  // What the scheduler is told.
  std::optional<std::chrono::milliseconds> within = {};
  std::optional<std::chrono::milliseconds> run_within = {};
  int priority = 0;
  std::string key = {};
  unsigned retries = 0;

  // The level of nesting at which it was made: 0 outside of a handler for a worker.
  unsigned level = 0;

  std::stop_token stop = {};
  std::optional<uv::StopWatch> stop_watch = {};
  Callback<void(rpc::Outcome&)> done = {};

  TaskId id = 0;  // 0: the scheduler has never had it
  uv::Clock::time_point submitted = {};
  uv::Clock::time_point started = {};
  bool failing = false;  // it is to be settled on a later turn
};

}  // namespace tine::pool
