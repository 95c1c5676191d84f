#pragma once

#include <memory>
#include <optional>

#include "uv/descriptor.hpp"
#include "uv/loop_core.hpp"
#include "uv/poll.hpp"
#include "uv/timer.hpp"

namespace tine::uv {

// A listening stream socket on the loop: accepts what comes.
//
// A process without descriptors would be told of the same connection again and again. So there is one
// descriptor to spare: it is given up for that connection, which is closed at once.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  // Called from inside LoopCore::enter(). Any of these may close the listener.
  class User {
   public:
    // Runs listeners, and may throw what these throw.
    virtual void on_connection(Descriptor connection) = 0;
    // There is no descriptor for it: it is to be closed before this returns.
    virtual void on_no_descriptor(Descriptor connection) = 0;
    // There will be no connections any more: an errno.
    virtual void on_broken(int error) = 0;

   protected:
    ~User() = default;
  };

  // Of a socket that listens. Throws Error.
  Listener(LoopCore& core, Descriptor descriptor, User& user);

  int fd() const { return descriptor_->get(); }
  void set_ref(bool ref);

  // Ends it; the descriptor is the caller's. Nothing is called any more.
  Descriptor close() noexcept;

 private:
  void accept_some();
  bool accept_one();
  bool failed(int error);
  bool give_up_spare();
  void take_spare() noexcept;
  void rest();

  LoopCore& core_;
  User& user_;
  std::optional<Descriptor> descriptor_;  // until close()
  std::optional<Descriptor> spare_;
  std::optional<Poll> poll_;
  std::optional<RawTimer> look_again_;
  bool ref_ = true;
};

}  // namespace tine::uv
