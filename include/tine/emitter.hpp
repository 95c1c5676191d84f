// Typed events: on<"message">(listener), once<"message">(listener), off(subscription).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace tine {

// The name of an event as a template argument, as in on<"message">.
template <std::size_t N>
struct EventName {
  char text[N];

  consteval EventName(const char (&name)[N]) : text{} { std::copy_n(name, N, text); }

  constexpr std::string_view view() const { return {text, N - 1}; }
};

// One event of an Emitter: its name and the arguments that its listeners are called with.
template <EventName Name, class... Args>
struct Event {};

// Identifies one listener, for off(). Valid only for the emitter that returned it.
struct Subscription {
  std::uint64_t id = 0;
};

namespace detail {

// Whether F can be called with the first sizeof...(Index) types of Tuple.
template <class F, class Tuple, std::size_t... Index>
constexpr bool takes_first(std::index_sequence<Index...>) {
  return std::is_invocable_v<F&, std::tuple_element_t<Index, Tuple>...>;
}

// The largest number of leading event arguments, from Count down to none, that F can be called
// with. -1: F does not fit the event.
template <class F, class Tuple, int Count = static_cast<int>(std::tuple_size_v<Tuple>)>
constexpr int arguments_taken() {
  if constexpr (takes_first<F, Tuple>(
                    std::make_index_sequence<static_cast<std::size_t>(Count)>{})) {
    return Count;
  } else if constexpr (Count > 0) {
    return arguments_taken<F, Tuple, Count - 1>();
  } else {
    return -1;
  }
}

// How listeners take the arguments of an event. Specialized for messages, where the listener
// chooses the form (message.hpp).
template <class... Args>
struct ListenerTraits {
  template <class F>
  static constexpr bool fits = arguments_taken<F, std::tuple<const Args&...>>() >= 0;

  // Whether the listener takes what was received before it is parsed.
  template <class F>
  static constexpr bool takes_raw = false;

  template <class F>
  static void call(F& listener, Args&... args) {
    constexpr auto taken =
        static_cast<std::size_t>(arguments_taken<F, std::tuple<const Args&...>>());
    call_with(listener, std::tuple<const Args&...>(args...), std::make_index_sequence<taken>{});
  }

  static void before_last_listener(Args&...) {}

 private:
  template <class F, class Tuple, std::size_t... Index>
  static void call_with(F& listener, const Tuple& args, std::index_sequence<Index...>) {
    static_cast<void>(listener(std::get<Index>(args)...));
  }
};

// Is notified when listeners are added or removed, also when a once() listener is called.
class ListenersObserver {
 public:
  virtual void listeners_changed() {}

 protected:
  ~ListenersObserver() = default;
};

// The listeners of one event, in order of subscription.
//
// A listener may change the list while it runs: a removed listener is not called any more, an added
// one waits for the next emit, and none is destroyed before the outermost emit ends.
template <class... Args>
class ListenerList {
 public:
  explicit ListenerList(ListenersObserver& observer) : observer_(observer) {}

  template <class F>
  void add(std::uint64_t id, bool once, F&& listener) {
    using Function = std::decay_t<F>;
    entries_.push_back(
        std::make_unique<EntryFor<Function>>(id, once, Function(std::forward<F>(listener))));
    ++count_;
    raw_ += entries_.back()->raw;
    observer_.listeners_changed();
  }

  bool remove(std::uint64_t id) {
    for (auto& entry : entries_) {
      if (entry->id == id && !entry->removed) {
        mark_removed(*entry);
        sweep();
        return true;
      }
    }
    return false;
  }

  void clear() {
    for (auto& entry : entries_) {
      if (!entry->removed) mark_removed(*entry);
    }
    sweep();
  }

  std::size_t count() const { return count_; }

  // Whether there are listeners and all of them take what was received unparsed.
  bool all_take_raw() const { return count_ > 0 && raw_ == count_; }

  // Calls all listeners, like Node's emit(): an exception from a listener propagates, and the
  // listeners after it are not called. Not named emit(), because Qt defines that as a macro.
  void notify(Args&... args) {
    const Emitting emitting(*this);
    const std::size_t last = entries_.size();
    for (std::size_t i = 0; i < last; ++i) {
      Entry& entry = *entries_[i];
      if (entry.removed) continue;
      if (entry.once) mark_removed(entry);
      if (i + 1 == last) ListenerTraits<Args...>::before_last_listener(args...);
      entry.call(args...);
    }
  }

 private:
  struct Entry {
    Entry(std::uint64_t its_id, bool only_once, bool takes_raw)
        : id(its_id), once(only_once), raw(takes_raw) {}
    virtual ~Entry() = default;
    virtual void call(Args&... args) = 0;

    const std::uint64_t id;
    const bool once;
    const bool raw;
    bool removed = false;
  };

  template <class F>
  struct EntryFor final : Entry {
    EntryFor(std::uint64_t its_id, bool only_once, F&& listener)
        : Entry(its_id, only_once, ListenerTraits<Args...>::template takes_raw<F>),
          listener_(std::move(listener)) {}
    void call(Args&... args) override { ListenerTraits<Args...>::call(listener_, args...); }

    F listener_;
  };

  struct Emitting {
    explicit Emitting(ListenerList& list) : list_(list) { ++list_.depth_; }
    ~Emitting() {
      --list_.depth_;
      list_.sweep();
    }
    ListenerList& list_;
  };

  void mark_removed(Entry& entry) {
    entry.removed = true;
    ++swept_later_;
    --count_;
    raw_ -= entry.raw;
    observer_.listeners_changed();
  }

  // Destroys a listener only after it has left the list: its captures may call into the list.
  void sweep() noexcept {
    while (depth_ == 0 && swept_later_ > 0) {
      const auto gone = std::find_if(entries_.begin(), entries_.end(),
                                     [](const auto& entry) { return entry->removed; });
      const auto destroyed_last = std::move(*gone);
      entries_.erase(gone);
      --swept_later_;
    }
  }

  ListenersObserver& observer_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::size_t count_ = 0;
  std::size_t raw_ = 0;
  std::size_t swept_later_ = 0;
  int depth_ = 0;
};

template <EventName Name, class E>
struct IsNamed : std::false_type {};
template <EventName Name, class... Args>
struct IsNamed<Name, Event<Name, Args...>> : std::true_type {};

template <class E>
struct ListFor;
template <EventName Name, class... Args>
struct ListFor<Event<Name, Args...>> {
  using type = ListenerList<Args...>;
  using Traits = ListenerTraits<Args...>;
};

template <EventName Name, class... Events>
constexpr std::size_t event_index() {
  constexpr std::array<bool, sizeof...(Events)> named{IsNamed<Name, Events>::value...};
  return static_cast<std::size_t>(std::find(named.begin(), named.end(), true) - named.begin());
}

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

  template <EventName Name, class F>
  Subscription add(bool once, F&& listener) {
    const Subscription subscription{++last_id_};
    list<Name>().add(subscription.id, once, std::forward<F>(listener));
    return subscription;
  }

  bool remove(Subscription subscription) {
    return std::apply([&](auto&... list) { return (list.remove(subscription.id) || ...); }, lists_);
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

}  // namespace detail

// The base of every class that has events. The derived class lists its events and what each one
// passes to its listeners.
//
// Listeners run in order of subscription, on the thread of the loop and never inside a call to the
// emitter. A listener may take fewer arguments than its event carries. It may do anything: a
// removed listener is not run any more, an added one is run from the next emit on, and the emitter
// itself may be destroyed. If a listener throws, the listeners after it are not run for that emit,
// and Loop::run() throws the exception.
//
// Most emitters are handles: ChildProcess, Stream, Socket, Server, Datagram and Worker. A handle
// refers to an object behind it. Copy, keep and drop handles freely: the object goes on, and its
// listeners stay until its last event. A default-constructed handle is empty: it can only be
// assigned to, or tested with operator bool if the class has one. Use an emitter on the thread of
// its loop.
//
// Node: EventEmitter. Unlike Node, a listener that is removed while its event is being emitted is
// not run (its captures may be gone), and the compiler checks names and parameters.
template <class... Events>
class Emitter {
 public:
  // Adds a listener. The return value is needed only for off().
  template <EventName Name, class F>
  Subscription on(F&& listener) {
    return add<Name>(false, std::forward<F>(listener));
  }

  // Adds a listener that is removed just before its first call.
  template <EventName Name, class F>
  Subscription once(F&& listener) {
    return add<Name>(true, std::forward<F>(listener));
  }

  // Removes a listener. Returns false if the listener is not there, or not any more.
  bool off(Subscription subscription) { return table_ && table_->remove(subscription); }

  template <EventName Name>
  std::size_t listener_count() const {
    return table_ ? table_->template list<Name>().count() : 0;
  }

 protected:
  using Table = detail::ListenerTable<Events...>;

  Emitter() = default;
  explicit Emitter(std::shared_ptr<Table> table) : table_(std::move(table)) {}

 private:
  template <EventName Name, class F>
  Subscription add(bool once, F&& listener) {
    constexpr std::size_t index = detail::event_index<Name, Events...>();
    if constexpr (index == sizeof...(Events)) {
      static_assert(index != sizeof...(Events),
                    "tine: this emitter has no event of that name; its class lists its events");
      return {};
    } else {
      using E = std::tuple_element_t<index, std::tuple<Events...>>;
      using Traits = typename detail::ListFor<E>::Traits;
      if constexpr (!Traits::template fits<std::decay_t<F>>) {
        static_assert(Traits::template fits<std::decay_t<F>>,
                      "tine: the parameters of this listener do not fit the event; its class lists "
                      "what each event carries");
        return {};
      } else {
        return table_->template add<Name>(once, std::forward<F>(listener));
      }
    }
  }

  std::shared_ptr<Table> table_;
};

}  // namespace tine
