// Typed events: on<"message">(listener), once<"message">(listener), off(subscription).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "tine/detail/event.hpp"
#include "tine/detail/listener_table.hpp"

namespace tine {

// Identifies one listener, for off(). Valid only for the emitter that returned it.
struct Subscription {
  std::uint64_t id = 0;
};

// The base of every class that has events. The derived class lists its events and what each one
// passes to its listeners.
//
// Listeners run in order of subscription, on the thread of the loop and never inside a call to the
// emitter. A listener may take fewer arguments than its event carries. It may do anything: a
// removed listener is not run any more, an added one is run from the next emit on, and the emitter
// itself may be destroyed. If a listener throws, the listeners after it are not run for that emit,
// and Loop::run() throws the exception.
//
// Handles: ChildProcess, Stream, Socket, Server, Datagram and Worker are handles, and so are Channel
// and Timer, which have no events. A handle refers to an object behind it. Copy, keep and drop
// handles freely: the object goes on, and its listeners stay until its last event. The loop keeps
// the object alive until then, and ~Loop closes it; but a Server, Socket or Datagram that was never
// started belongs to its handles alone. Use a handle on the thread of its loop. Its functions are
// const, so a lambda that captures a handle need not be mutable.
//
// A default-constructed handle is empty, and false as a bool. An empty handle behaves like one whose
// loop is gone: functions do nothing, listeners and callbacks are destroyed without being called,
// and what is asked for is false, 0, -1 for a descriptor, nullopt, or another empty handle.
//
// Node: EventEmitter. Unlike Node, a listener that is removed while its event is being emitted is
// not run (its captures may be gone), and the compiler checks names and parameters.
template <class... Events>
class Emitter {
 public:
  // What keeps the listeners: a base of the object behind the emitter.
  using Listeners = detail::ListenerTable<Events...>;

  // Adds a listener. The return value is needed only for off().
  template <EventName Name, class F>
  Subscription on(F&& listener) const {
    return add<Name>(false, std::forward<F>(listener));
  }

  // Adds a listener that is removed just before its first call.
  template <EventName Name, class F>
  Subscription once(F&& listener) const {
    return add<Name>(true, std::forward<F>(listener));
  }

  // Removes a listener. Returns false if the listener is not there, or not any more.
  bool off(Subscription subscription) const {
    return listeners_ && listeners_->remove(subscription.id);
  }

  template <EventName Name>
  std::size_t listener_count() const {
    return listeners_ ? listeners_->template list<Name>().count() : 0;
  }

 protected:
  Emitter() = default;
  explicit Emitter(std::shared_ptr<Listeners> listeners) : listeners_(std::move(listeners)) {}

 private:
  template <EventName Name, class F>
  Subscription add(bool once, F&& listener) const {
    if (!listeners_) return {};
    return {listeners_->template add<Name>(once, std::forward<F>(listener))};
  }

  std::shared_ptr<Listeners> listeners_;
};

}  // namespace tine
