#pragma once

#include <utility>

#include "channel/endpoint.hpp"
#include "tine/emitter.hpp"
#include "uv/loop_core.hpp"
#include "uv/task.hpp"

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
      : Resident(core), end_(core, *this, options) {}

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

  void on_message(Message& message) override { this->template notify<"message">(message); }
  void on_drain() override { this->template notify<"drain">(); }
  void on_disconnect() override { this->template notify<"disconnect">(); }

  // Without a listener an error is an exception.
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
  // Runs a task of this state's on a later turn.
  void defer(uv::Task& task) noexcept { core()->defer(task, shared_from_this()); }
  void defer_first(uv::Task& task) noexcept { core()->defer_first(task, shared_from_this()); }

  // What becomes of an error that has no listener. Who listened is not to be thrown at because the
  // listeners are gone.
  enum class Errors { thrown, dropped };
  Errors errors_when_retired() {
    return this->template list<"error">().count() > 0 ? Errors::dropped : Errors::thrown;
  }

  // Drops all that is the user's: a listener that holds a handle to this would keep it for ever.
  void retire(Errors errors) {
    const auto keep = shared_from_this();
    errors_ = errors;
    this->clear();
    core()->release(*this);
  }

 private:
  Endpoint end_;
  Errors errors_ = Errors::thrown;
};

}  // namespace tine::channel
