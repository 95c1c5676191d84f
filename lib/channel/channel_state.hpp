#pragma once

#include <utility>

#include "base/error_events.hpp"
#include "channel/endpoint.hpp"
#include "uv/loop_core.hpp"
#include "uv/task.hpp"

namespace tine::channel {

// The common part of the states behind ChildProcess and Process: one end of a channel, and the
// listeners of its events.
//
// Listeners must include those of "message", "error", "drain" and "disconnect".
template <class Listeners>
class ChannelState : public Listeners, public Endpoint::Owner, public uv::Resident {
 public:
  ChannelState(uv::LoopCore& core, const ChannelOptions& options)
      : Resident(core), end_(core, *this, options) {}

  Endpoint& end() { return end_; }

  // Returns a pointer to the end that keeps this state alive.
  static std::shared_ptr<Endpoint> end_of(const std::shared_ptr<ChannelState>& state) {
    return {state, &state->end_};
  }

  Wanted wanted() const override {
    const auto& messages = this->template list<"message">();
    if (messages.count() == 0) return Wanted::nothing;
    return messages.all_take_raw() ? Wanted::text : Wanted::value;
  }

  void on_message(Message& message) override { this->template notify<"message">(message); }
  void on_drain() override { this->template notify<"drain">(); }
  void on_disconnect() override { this->template notify<"disconnect">(); }

  void on_error(Error error) override { error_events_.emit(*this, std::move(error)); }

  void on_loss(Error error) override {
    if (error_events_.heard(*this)) this->on_error(std::move(error));
  }

  void listeners_changed() override {
    check_thread();
    end_.listeners_changed();
  }

  void loop_closing() noexcept override {
    const auto keep = shared_from_this();
    end_.detach();
    this->clear();
  }

 protected:
  // Runs a task of this state on a later turn.
  void defer(uv::Task& task) noexcept { core()->defer(task, shared_from_this()); }

  // From now on drops errors that nobody listens for.
  void drop_unheard_errors() { error_events_.drop_unheard(); }

  // Drops everything that is the user's, and leaves the loop.
  void retire() {
    const auto keep = shared_from_this();
    end_.router().clear();
    error_events_.remove_listeners(*this);
    core()->release(*this);
  }

 private:
  Endpoint end_;
  base::ErrorEvents error_events_;
};

}  // namespace tine::channel
