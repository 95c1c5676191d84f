#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <system_error>

#include <nlohmann/json.hpp>

#include "channel/received_message.hpp"
#include "rpc/alarm.hpp"
#include "rpc/call_table.hpp"
#include "rpc/deadlines.hpp"
#include "rpc/envelope.hpp"
#include "rpc/pending.hpp"
#include "tine/callback.hpp"
#include "tine/request.hpp"
#include "tine/rpc_error.hpp"
#include "uv/keep_alive.hpp"

namespace tine::rpc {

class State;

// The requests that are made at this end.
//
// Answers are told while they are delivered, as messages are. All other outcomes wait in a queue for a
// later turn, because they are found in a call of the user or in a timer.
class Caller {
 public:
  explicit Caller(State& state) : state_(state) {}

  // Sends a request, once.
  void send(const std::shared_ptr<Pending>& call, Callback<void(Outcome&)> done);
  // Gives a request up, and tells the peer. A no-op if it is not in the table.
  void abort(Pending& call);
  // Does the same for a stop that was requested, which is not lost if memory runs out.
  void stopped(Pending& call);
  // Gives a request up without calling back. If memory runs out, the peer does not learn of it.
  void forget(Pending& call) noexcept;

  // Take a letter of this kind. Return false if it is about no request of ours. Run user code.
  bool take_answer(const Letter& letter, channel::ReceivedDescriptors* beside);
  bool take_progress(const Letter& letter);
  // Settles the pings.
  void pong() noexcept;

  // Fails all requests that wait, because the channel has ended.
  void channel_closed() noexcept;
  // Settles the requests for which there was no memory when they were to be settled. Runs no user code.
  void settle_overdue();
  // Calls back those that wait in the queue. Runs user code.
  template <class Sequence, class Event>
  void call_settled(Sequence& sequence, Event event) {
    sequence.emit_each(event, settled_, [](Settled& settled) {
      Outcome outcome;
      if (settled.error) {
        outcome.error = &*settled.error;
      } else {
        outcome.value = &settled.value;
      }
      call_back(*settled.call, outcome);
    });
  }

  // Closes the libuv handles.
  void close() noexcept;
  // Destroys all callbacks without calling them, because the loop goes away.
  void drop_all() noexcept;

  std::size_t pending() const { return table_.size(); }
  std::size_t late_answers() const { return late_answers_; }

 private:
  struct Settled {
    std::shared_ptr<Pending> call;
    nlohmann::json value;
    std::optional<RpcError> error = {};
  };

  static void call_back(Pending& call, Outcome& outcome);
  static void drop(Pending& call) noexcept;
  std::optional<RpcError> try_send(Pending& call, Unsent& unsent);
  std::shared_ptr<Pending> take_out(Id id) noexcept;
  static std::optional<RpcError> error_of(const Pending& call, const Letter& letter);
  void answer_came(const std::shared_ptr<Pending>& call, std::optional<RpcError> error,
                   const Letter& letter, Handle handle);
  void answer_came_with_handle(const std::shared_ptr<Pending>& call, const Letter& letter,
                               Handle handle);
  void watch(Pending& call, std::stop_token token);
  void look_at_deadlines();
  void give_up(const std::shared_ptr<Pending>& call, RpcError error);
  void cancel_at_peer(Id id);
  // Fails a request, even if there is no memory for that now.
  void fail_surely(const std::shared_ptr<Pending>& call, std::error_code why) noexcept;
  void settle_pings();
  void fail_all();
  void fail_later(const std::shared_ptr<Pending>& call, RpcError error);
  void settle_later(Settled settled);
  void update_keep() noexcept;

  State& state_;
  CallTable table_;
  Alarm alarm_{[this] { look_at_deadlines(); }};
  std::map<Id, Clock::time_point> pings_;  // when they were sent
  std::deque<Settled> settled_;
  std::optional<uv::KeepAlive> keep_alive_;
  std::size_t late_answers_ = 0;
  std::optional<Clock::time_point> ponged_;  // the answer to pings that are not settled yet
  bool closed_ = false;                      // whether all requests are to fail
};

}  // namespace tine::rpc
