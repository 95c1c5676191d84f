#pragma once

#include <utility>

#include "channel/endpoint.hpp"
#include "tine/emitter.hpp"
#include "uv/loop_core.hpp"

namespace tine::channel {

// The state behind a ChildProcess or a Process, as far as they are alike: an end of a channel, and
// listeners to the events of it.
//
// Events must have "message", "error", "drain" and "disconnect".
template <class... Events>
class ChannelState : public detail::ListenerTable<Events...>,
                     public Endpoint::Owner,
                     public uv::Resident {
 public:
  ChannelState(uv::LoopCore& core, const ChannelOptions& options)
      : core_(&core), end_(core, *this, options) {}

  Endpoint& end() { return end_; }

  // A handle to the end that keeps this state alive.
  static std::shared_ptr<Endpoint> end_of(const std::shared_ptr<ChannelState>& state) {
    return {state, &state->end_};
  }

  Wanted wanted() const override {
    const auto& messages = this->template list<"message">();
    if (messages.count() == 0) return Wanted::nothing;
    return messages.all_take_raw() ? Wanted::text : Wanted::value;
  }

  void on_message(Message& message) override { this->template emit<"message">(message); }
  void on_drain() override { this->template emit<"drain">(); }
  void on_disconnect() override { this->template emit<"disconnect">(); }

  // Without a listener an error is an exception.
  void on_error(Error error) override {
    if (this->template list<"error">().count() == 0) throw error;
    this->template emit<"error">(error);
  }

  void listeners_changed() override { end_.listeners_changed(); }

  void loop_closing() noexcept override {
    end_.detach();
    core_ = nullptr;
    this->clear();
  }

 protected:
  // Null once the loop is gone.
  uv::LoopCore* core() const { return core_; }

  // Emits an event on a later turn.
  template <EventName Name, class... Args>
  void emit_later(Args... args) {
    core_->defer([this, keep = shared_from_this(), ... args = std::move(args)]() mutable {
      this->template emit<Name>(args...);
    });
  }

  // The last task: nothing of the user's is kept any more.
  void retire_later() {
    core_->defer([this, keep = shared_from_this()] {
      this->clear();
      core_->release(*this);
    });
  }

 private:
  uv::LoopCore* core_;
  Endpoint end_;
};

}  // namespace tine::channel
