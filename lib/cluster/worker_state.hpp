#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "process/internal_channel.hpp"
#include "tine/cluster.hpp"

namespace tine::cluster {

// The state behind tine::Worker.
class WorkerState final
    : public detail::ListenerTable<Event<"online">, Event<"listening", Address>,
                                   Event<"message", Message>, Event<"error", Error>,
                                   Event<"disconnect">, Event<"exit", ExitStatus>>,
      public std::enable_shared_from_this<WorkerState> {
 public:
  // The side of the cluster that the state belongs to: the primary or the worker.
  class Side {
   public:
    virtual void disconnect(WorkerState& worker) = 0;
    virtual void kill(WorkerState& worker, int signal) = 0;

   protected:
    ~Side() = default;
  };

  // `child` is given in the primary only.
  WorkerState(int id, process::InternalChannel channel, ChildProcess child = {})
      : id_(id), channel_(std::move(channel)), child_(std::move(child)) {}

  Worker handle() { return Worker(shared_from_this()); }
  static const std::shared_ptr<WorkerState>& of(const Worker& worker) { return worker.state_; }

  int id() const { return id_; }
  process::InternalChannel& channel() { return channel_; }
  const ChildProcess& child() const { return child_; }

  void set_side(std::weak_ptr<Side> side) { side_ = std::move(side); }
  void disconnect() {
    if (const auto side = side_.lock()) side->disconnect(*this);
  }
  void kill(int signal) {
    if (const auto side = side_.lock()) side->kill(*this, signal);
  }

  // Whether the worker leaves of its own accord. One that ends otherwise has crashed or was killed.
  bool voluntary() const { return voluntary_; }
  void leaves_voluntarily() { voluntary_ = true; }
  bool dead() const { return dead_; }
  void has_died() { dead_ = true; }

  // Emits a message from the other side. Records conversion failures in `message`.
  void tell(Message& message) {
    Message again = message.again();
    notify<"message">(again);
    for (const std::string& failure : again.failures()) message.does_not_convert(failure);
  }

 private:
  int id_;
  process::InternalChannel channel_;
  ChildProcess child_;
  std::weak_ptr<Side> side_;
  bool voluntary_ = false;
  bool dead_ = false;
};

}  // namespace tine::cluster
