#pragma once

#include <memory>
#include <optional>

#include "base/descriptor.hpp"
#include "tine/address.hpp"
#include "tine/error.hpp"
#include "tine/loop.hpp"
#include "uv/listener.hpp"

namespace tine::net {

// A listening socket whose connections stay descriptors, for a layer above that hands them to other
// processes. A Server makes Sockets of them.
//
// A connection that the process has no descriptor for is closed.
class Acceptor final : private uv::Listener::User {
 public:
  // The user of an acceptor, called on a turn of the loop. Each call may destroy the acceptor.
  class User {
   public:
    // May throw what a listener throws.
    virtual void on_connection(base::Descriptor connection) = 0;
    // Called when no more connections will come.
    virtual void on_broken(const Error& error) = 0;

   protected:
    ~User() = default;
  };

  // Listens on a bound stream socket. Throws Error.
  Acceptor(Loop& loop, base::Descriptor bound, int backlog, User& user);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor();

  std::optional<Address> address() const;

 private:
  void on_connection(base::Descriptor connection) override;
  void on_no_descriptor(base::Descriptor) override {}
  void on_broken(int error) override;

  User& user_;
  std::shared_ptr<uv::Listener> listener_;
};

}  // namespace tine::net
