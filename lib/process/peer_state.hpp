#pragma once

#include <memory>
#include <utility>

#include "base/error_events.hpp"
#include "process/peer.hpp"
#include "uv/task.hpp"

namespace tine::process {

// A Peer and the listeners of its events.
//
// Listeners must include those of "message", "error", "drain" and "disconnect".
template <class Listeners>
class PeerState : public Listeners, public Peer {
 public:
  using Peer::Peer;

  channel::Wanted wanted() const override {
    const auto& messages = this->template list<"message">();
    if (messages.count() == 0) return channel::Wanted::nothing;
    return messages.all_take_raw() ? channel::Wanted::text : channel::Wanted::value;
  }

  void on_drain() override {
    tell_attachment_of_drain();
    this->template notify<"drain">();
  }
  void on_disconnect() override { this->template notify<"disconnect">(); }

  void on_error(Error error) override { error_events_.emit(*this, std::move(error)); }

  void on_loss(Error error) override {
    if (error_events_.heard(*this)) this->on_error(std::move(error));
  }

  void listeners_changed() override {
    check_thread();
    end().listeners_changed();
  }

  void loop_closing() noexcept override {
    const auto keep = shared_from_this();
    end().detach();
    this->clear();
  }

 protected:
  void emit_message(Message& message) override { this->template notify<"message">(message); }

  // Runs a task of this state on a later turn.
  void defer(uv::Task& task) noexcept { core()->defer(task, shared_from_this()); }

  // From now on drops errors that nobody listens for.
  void drop_unheard_errors() { error_events_.drop_unheard(); }

  // Drops everything that is the user's, and leaves the loop.
  void retire() {
    const auto keep = shared_from_this();
    end().router().clear();
    retire_attachment();
    error_events_.remove_listeners(*this);
    core()->release(*this);
  }

 private:
  base::ErrorEvents error_events_;
};

}  // namespace tine::process
