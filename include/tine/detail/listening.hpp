// A listener that lives as long as an object.
#pragma once

#include <utility>

#include "tine/detail/event.hpp"
#include "tine/emitter.hpp"

namespace tine::task {

template <class... Events>
Emitter<Events...> view_of(const Emitter<Events...>& emitter);

// The emitter part of an object, which can be copied even if the object cannot.
template <class Source>
using ViewOf = decltype(view_of(std::declval<const Source&>()));

// At most one once() listener, which is removed when this object is destroyed.
template <class View>
class Listening {
 public:
  explicit Listening(const View& emitter) : emitter_(emitter) {}
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() { off(); }

  template <EventName Name, class F>
  void once(F&& listener) {
    subscription_ = emitter_.template once<Name>(std::forward<F>(listener));
  }
  void off() noexcept { emitter_.off(std::exchange(subscription_, {})); }

 private:
  View emitter_;
  Subscription subscription_;
};

}  // namespace tine::task
