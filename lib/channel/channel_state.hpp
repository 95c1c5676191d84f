#pragma once

#include <utility>

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

  // An error without a listener is thrown, or dropped after retire(Errors::dropped).
  void on_error(Error error) override {
    if (this->template list<"error">().count() > 0) {
      this->template notify<"error">(error);
    } else if (errors_ == Errors::thrown) {
      throw error;
    }
  }

  void on_loss(Error error) override {
    if (this->template list<"error">().count() > 0) this->on_error(std::move(error));
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
  // Runs a task of this state on a later turn; defer_first() runs it before all others.
  void defer(uv::Task& task) noexcept { core()->defer(task, shared_from_this()); }
  void defer_first(uv::Task& task) noexcept { core()->defer_first(task, shared_from_this()); }

  // How to handle an error without a listener. A program that had an "error" listener must not get
  // exceptions because its listeners were dropped.
  enum class Errors { thrown, dropped };
  Errors errors_when_retired() {
    return this->template list<"error">().count() > 0 ? Errors::dropped : Errors::thrown;
  }

  // Drops everything that is the user's: a listener that holds a handle to this state would keep it
  // alive for ever.
  void retire(Errors errors) {
    const auto keep = shared_from_this();
    errors_ = errors;
    end_.router().clear();
    this->clear();
    core()->release(*this);
  }

 private:
  Endpoint end_;
  Errors errors_ = Errors::thrown;
};

}  // namespace tine::channel
