#pragma once

#include <memory>
#include <optional>

#include "base/descriptor.hpp"
#include "uv/loop_core.hpp"
#include "uv/poll.hpp"
#include "uv/timer.hpp"

namespace tine::uv {

// A listening stream socket on the loop that accepts connections.
//
// If the process has no free descriptor, the kernel reports the same connection again and again. So
// the listener has a spare descriptor: it is given up for that connection, which is closed at once.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  // The user of a listener, called from inside LoopCore::enter(). Each call may close the listener.
  class User {
   public:
    // Runs listeners, and may throw what they throw.
    virtual void on_connection(base::Descriptor connection) = 0;
    // Called for a connection that the process has no descriptor for. The connection must be closed
    // before this returns.
    virtual void on_no_descriptor(base::Descriptor connection) = 0;
    // Called when no more connections will come. `error` is an errno.
    virtual void on_broken(int error) = 0;

   protected:
    ~User() = default;
  };

  // `descriptor` is a listening socket. Throws Error.
  Listener(LoopCore& core, base::Descriptor descriptor, User& user);

  int fd() const { return descriptor_->get(); }
  void set_ref(bool ref);

  // Stops accepting and returns the descriptor, which the caller owns. Nothing is called any more.
  base::Descriptor close() noexcept;

 private:
  void accept_some();
  bool accept_one();
  bool failed(int error);
  bool give_up_spare();
  void take_spare() noexcept;
  void rest();

  LoopCore& core_;
  User& user_;
  std::optional<base::Descriptor> descriptor_;  // until close()
  std::optional<base::Descriptor> spare_;
  std::optional<Poll> poll_;
  std::optional<RawTimer> look_again_;
  bool ref_ = true;
};

}  // namespace tine::uv
