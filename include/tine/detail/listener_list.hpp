// The listeners of one event.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tine/detail/leading_arguments.hpp"

namespace tine::detail {

// How listeners take the arguments of an event. Specialized for messages, where the listener
// chooses the form (message_listener.hpp).
template <class... Args>
struct ListenerTraits {
  template <class F>
  static constexpr bool fits = arguments_taken<F, std::tuple<const Args&...>>() >= 0;

  // Whether the listener takes what was received before it is parsed.
  template <class F>
  static constexpr bool takes_raw = false;

  template <class F>
  static void call(F& listener, Args&... args) {
    static_cast<void>(call_with_leading(listener, std::tuple<const Args&...>(args...)));
  }

  static void before_last_listener(Args&...) {}
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

}  // namespace tine::detail
