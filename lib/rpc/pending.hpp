#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "rpc/deadlines.hpp"
#include "rpc/envelope.hpp"
#include "tine/callback.hpp"
#include "tine/handle.hpp"
#include "tine/object.hpp"
#include "tine/request.hpp"
#include "uv/stop_watch.hpp"

namespace tine::rpc {

class State;

// What a request needs until it is sent.
struct Unsent {
  bool is_ping = false;  // then it has neither a method nor params
  std::string method = {};
  detail::Value params = {};
  Handle handle = {};
  bool keep_open = false;
  std::optional<std::chrono::milliseconds> deadline = {};
  std::stop_token stop = {};
};

// What few requests have.
struct Extras {
  Callback<void(const nlohmann::json&)> progress = {};
  nlohmann::json token = {};  // null: the id is the token
  std::optional<uv::StopWatch> stop = {};
};

// A request of ours. It is made, waits in the CallTable, and is settled when its callback is called. It
// is small while it waits, because many may wait at once.
class Pending final : public std::enable_shared_from_this<Pending> {
 public:
  explicit Pending(std::shared_ptr<State> its_state) : state(std::move(its_state)) {}

  Extras& make_extras() {
    if (!extras) extras = std::make_unique<Extras>();
    return *extras;
  }

  Callback<void(const nlohmann::json&)> take_progress_listener() noexcept {
    if (!extras) return {};
    return std::exchange(extras->progress, {});
  }

  std::shared_ptr<State> state;    // null once it is settled
  std::unique_ptr<Unsent> unsent;  // null once it is sent
  std::unique_ptr<Extras> extras;
  Callback<void(Outcome&)> done;
  Id id = 0;  // 0: it was never in the table
  Clock::time_point deadline = no_deadline;
  std::error_code failing;  // why it fails as soon as there is memory for that
};

}  // namespace tine::rpc
