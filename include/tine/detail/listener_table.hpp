// The listeners of all events of an emitter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tine/detail/event.hpp"
#include "tine/detail/listener_list.hpp"

namespace tine::detail {

template <class E>
struct ListFor;
template <EventName Name, class... Args>
struct ListFor<Event<Name, Args...>> {
  using type = ListenerList<Args...>;
  using Traits = ListenerTraits<Args...>;
};

// All listeners of an emitter. The caller of notify() keeps the table alive until it returns.
template <class... Events>
class ListenerTable : protected ListenersObserver {
 public:
  ListenerTable() : lists_(observer_for<Events>()...) {}
  ListenerTable(const ListenerTable&) = delete;
  ListenerTable& operator=(const ListenerTable&) = delete;
  virtual ~ListenerTable() = default;

  template <EventName Name>
  auto& list() {
    return std::get<event_index<Name, Events...>()>(lists_);
  }
  template <EventName Name>
  const auto& list() const {
    return std::get<event_index<Name, Events...>()>(lists_);
  }

  template <EventName Name, class... Args>
  void notify(Args&&... args) {
    list<Name>().notify(args...);
  }

  // Returns the number that remove() takes.
  template <EventName Name, class F>
  std::uint64_t add(bool once, F&& listener) {
    const std::uint64_t id = ++last_id_;
    constexpr std::size_t index = event_index<Name, Events...>();
    if constexpr (index == sizeof...(Events)) {
      static_assert(index != sizeof...(Events),
                    "tine: this emitter has no event of that name; its class lists its events");
    } else {
      using E = std::tuple_element_t<index, std::tuple<Events...>>;
      using Traits = typename ListFor<E>::Traits;
      if constexpr (!Traits::template fits<std::decay_t<F>>) {
        static_assert(Traits::template fits<std::decay_t<F>>,
                      "tine: the parameters of this listener do not fit the event; its class lists "
                      "what each event carries");
      } else {
        list<Name>().add(id, once, std::forward<F>(listener));
      }
    }
    return id;
  }

  bool remove(std::uint64_t id) {
    return std::apply([&](auto&... list) { return (list.remove(id) || ...); }, lists_);
  }

  void clear() {
    std::apply([](auto&... list) { (list.clear(), ...); }, lists_);
  }

 private:
  template <class>
  ListenersObserver& observer_for() {
    return *this;
  }

  std::tuple<typename ListFor<Events>::type...> lists_;
  std::uint64_t last_id_ = 0;
};

}  // namespace tine::detail
