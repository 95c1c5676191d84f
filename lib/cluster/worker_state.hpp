#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "process/internal_channel.hpp"
#include "tine/cluster.hpp"

namespace tine::cluster {

// The state behind tine::Worker.
class WorkerState final : public Worker::Listeners,
                          public std::enable_shared_from_this<WorkerState> {
 public:
  // Carries out what the Worker is asked to do: the primary, or the membership of this process.
  class Delegate {
   public:
    virtual void disconnect(WorkerState& worker) = 0;
    virtual void kill(WorkerState& worker, int signal) = 0;

   protected:
    ~Delegate() = default;
  };

  // `child` is given in the primary only.
  WorkerState(int id, process::InternalChannel channel, ChildProcess child = {})
      : id_(id), channel_(std::move(channel)), child_(std::move(child)) {}

  Worker handle() { return Worker(shared_from_this()); }
  static const std::shared_ptr<WorkerState>& of(const Worker& worker) { return worker.state_; }

  int id() const { return id_; }
  process::InternalChannel& channel() { return channel_; }
  const ChildProcess& child() const { return child_; }

  void set_delegate(std::weak_ptr<Delegate> delegate) { delegate_ = std::move(delegate); }
  void disconnect() {
    if (const auto delegate = delegate_.lock()) delegate->disconnect(*this);
  }
  void kill(int signal) {
    if (const auto delegate = delegate_.lock()) delegate->kill(*this, signal);
  }

  // Whether the worker leaves of its own accord. One that ends otherwise has crashed or was killed.
  bool voluntary() const { return voluntary_; }
  void set_voluntary() { voluntary_ = true; }
  bool dead() const { return dead_; }
  void set_dead() { dead_ = true; }

  void listeners_changed() override { channel_.check_thread(); }

  // Emits a message from the other side. Records conversion failures in `message`.
  void emit_message(Message& message) {
    Message again = message.again();
    notify<"message">(again);
    for (const std::string& failure : again.failures()) message.does_not_convert(failure);
  }

 private:
  int id_;
  process::InternalChannel channel_;
  ChildProcess child_;
  std::weak_ptr<Delegate> delegate_;
  bool voluntary_ = false;
  bool dead_ = false;
};

}  // namespace tine::cluster
