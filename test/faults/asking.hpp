// Requests both ways: each side makes numbered requests of five kinds, and checks how they end.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <new>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include <tine/tine.hpp>

#include "faults/ledger.hpp"

// Whether this is the name of a scene with requests.
inline bool is_asking(std::string_view scene) { return scene == "requests" || scene == "tasks"; }

// One side. Side is tine::ChildProcess or tine::Process. In its account, a request is written if it has
// ended as it does without a fault, and failed if it has failed for another reason; `received` counts
// those that have ended.
template <class Side>
class Asking {
 public:
  // With tasks, requests are awaited, and tasks answer them.
  Asking(tine::Loop& loop, Side& side, Account& mine, const Plan& plan, bool tasks,
         std::function<void()> progress)
      : loop_(loop),
        side_(side),
        mine_(mine),
        plan_(plan),
        tasks_(tasks),
        progress_(std::move(progress)),
        rpc_(side) {
    side_.template on<"error">([](const tine::Error&) {});
    rpc_.on_request("fail", [](int) { throw tine::RpcError(own_code, "own"); });
    rpc_.on_request("report", [](int number, const tine::Reply& reply) {
      reply.progress(number);
      return number + 1;
    });
    rpc_.on_notification("complete", [this] {
      peer_is_complete_ = true;
      progress_();
    });
    tasks ? answer_with_tasks() : answer();
  }

  // Goes on after any exception.
  void go_on() {
    while (next_ < plan_.count) make();
    if (complete() && !told_ && side_.connected()) {
      rpc_.notify("complete");
      told_ = true;
    }
    progress_();
  }

  bool complete() const { return mine_.received == plan_.count; }
  bool peer_is_complete() const { return peer_is_complete_; }

 private:
  enum Kind { add, fail, late, cancelled, report, kinds };

  static constexpr int own_code = 7;
  static constexpr std::chrono::milliseconds soon_over{5};
  // Ends a request that could not be cancelled.
  static constexpr std::chrono::milliseconds at_last{200};

  // A request that is answered only when it is stopped.
  struct Held {
    explicit Held(tine::Reply its_reply) : reply(std::move(its_reply)) {}
    tine::Reply reply;
    std::optional<std::stop_callback<std::function<void()>>> watch = {};
  };

  static Kind kind_of(int number) { return static_cast<Kind>(number % kinds); }

  void answer() {
    rpc_.on_request("add", [](int number) { return number + 1; });
    rpc_.on_request("wait", [this](int, const tine::Reply& reply) {
      Held& held = held_.emplace_back(reply);
      held.watch.emplace(reply.stop_token(), [&held] { held.reply = {}; });
    });
  }

  void answer_with_tasks() {
    rpc_.on_request("add", [](int number) -> tine::Task<int> {
      co_await tine::sleep(std::chrono::milliseconds(1));
      co_return number + 1;
    });
    rpc_.on_request("wait", [](int) -> tine::Task<> {
      co_await tine::sleep(std::chrono::hours(1));
    });
  }

  // If this throws, there is no request.
  void make() {
    const int number = next_;
    Sent& state = mine_.sent[static_cast<std::size_t>(number)];
    state = Sent::accepted;
    try {
      tasks_ ? start(number) : send(number);
    } catch (const std::bad_alloc&) {
      state = Sent::not_yet;
      throw;
    }
    ++next_;
  }

  tine::Request<int> request(int number) {
    switch (kind_of(number)) {
      case add: return rpc_.request<int>("add", number);
      case fail: return rpc_.request<int>("fail", number);
      case late: return rpc_.request<int>("wait", number).within(soon_over);
      case cancelled: return rpc_.request<int>("wait", number).within(at_last);
      default: break;
    }
    const auto look = [this, number](const nlohmann::json& value) {
      if (value != number) mine_.complain("got the progress of another request");
    };
    return rpc_.request<int>("report", number).on_progress(look);
  }

  void send(int number) {
    const auto done = [this, number](const tine::Result<int>& result) {
      settled(number, result ? is_right(number, *result) : is_right(number, result.error()));
    };
    const tine::Call call = request(number).then(done);
    if (kind_of(number) == cancelled) cancel(call);
  }

  static void cancel(const tine::Call& call) {
    try {
      call.cancel();
    } catch (const std::bad_alloc&) {  // its time ends it
    }
  }

  void start(int number) {
    auto stop = kind_of(number) == cancelled ? stop_.get_token() : std::stop_token();
    tine::start(loop_, ask(number), std::move(stop));
  }

  tine::Task<> ask(int number) {
    bool right = false;
    try {
      const int value = co_await request(number);
      right = is_right(number, value);
    } catch (const tine::RpcError& error) {
      right = is_right(number, error);
    } catch (const std::bad_alloc&) {
    }
    settled(number, right);
  }

  bool is_right(int number, int value) {
    if (value != number + 1) mine_.complain("got the answer to another request");
    return kind_of(number) == add || kind_of(number) == report;
  }

  bool is_right(int number, const tine::RpcError& error) {
    switch (kind_of(number)) {
      case fail: return error.remote_code() == own_code;
      // At the other side its time is over too, and what drops its Reply then may be read first.
      case late:
        return error.code() == tine::Errc::timed_out || error.code() == tine::Errc::internal_error;
      case cancelled: return error.code() == tine::Errc::aborted;
      default: return false;
    }
  }

  // The first one that ends stops the tasks that are to be cancelled.
  void settled(int number, bool right) {
    mine_.report(static_cast<std::size_t>(number), right);
    ++mine_.received;
    stop_.request_stop();
    go_on();
  }

  tine::Loop& loop_;
  Side& side_;
  Account& mine_;
  const Plan& plan_;
  bool tasks_;
  std::function<void()> progress_;
  tine::Rpc rpc_;
  std::stop_source stop_;
  std::list<Held> held_;
  int next_ = 0;
  bool told_ = false;
  bool peer_is_complete_ = false;
};
