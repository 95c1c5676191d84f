#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "uv/loop_core.hpp"
#include "uv/task.hpp"

namespace tine::uv {

// The events of an object that are due, and are emitted on a later turn in a fixed order: that of
// the enumerators of Event, which count from 0.
//
// Each turn emits each due event once. An event that becomes due when its place has passed waits
// for the next turn. If a listener throws, the events behind it stay due, and come first when the
// loop goes on.
template <class Event>
class EventSequence {
 public:
  // `emit` emits one event, and may throw what a listener throws.
  explicit EventSequence(std::function<void(Event)> emit) : emit_(std::move(emit)) {}

  bool any_due() const { return due_ != 0; }
  bool due_before(Event event) const { return (due_ & (bit(event) - 1)) != 0; }
  // Returns whether the event is due, or ever was.
  bool ever_due(Event event) const { return (ever_due_ & bit(event)) != 0; }
  // Returns whether the event was due, and has been emitted.
  bool emitted(Event event) const { return (ever_due_ & ~due_ & bit(event)) != 0; }

  // Makes an event due, or not. Only schedule() makes a turn follow, but during a turn of the
  // sequence this is enough.
  void set_due(Event event, bool due = true) noexcept {
    due_ = due ? due_ | bit(event) : due_ & ~bit(event);
    ever_due_ |= due_;
  }

  // Makes an event due on a later turn. `owner` is the object that the sequence is part of. Without
  // a loop, because it is gone, nothing is emitted any more.
  void schedule(Event event, LoopCore* core, std::shared_ptr<const void> owner) noexcept {
    if (prepare(event, core, owner)) core->defer(task_, std::move(owner));
  }
  // Does the same in the next loop iteration, after other work has had its turn.
  void schedule_next_turn(Event event, LoopCore* core, std::shared_ptr<const void> owner) noexcept {
    if (prepare(event, core, owner)) core->defer_to_next_turn(task_, std::move(owner));
  }

  // Calls `emit` for the elements that a queue has now, each of which is one `event`. The queue
  // keeps those behind an element whose listener throws, and the event stays due for them.
  template <class Queue, class F>
  void emit_each(Event event, Queue& queue, F emit) {
    for (std::size_t left = queue.size(); left > 0 && !queue.empty(); --left) {
      auto first = std::move(queue.front());
      queue.pop_front();
      set_due(event, !queue.empty());
      emit(first);
    }
  }

  // Calls a function that does what the event stands for. If it throws, the event stays due.
  template <class F>
  void attempt(Event event, F&& function) {
    set_due(event);
    std::forward<F>(function)();
    set_due(event, false);
  }

 private:
  static constexpr std::uint32_t bit(Event event) {
    return std::uint32_t{1} << static_cast<unsigned>(event);
  }

  // Returns whether the task has to be deferred.
  bool prepare(Event event, LoopCore* core, const std::shared_ptr<const void>& owner) noexcept {
    if (core == nullptr) return false;
    set_due(event);
    if (task_.due()) return false;
    core_ = core;
    owner_ = owner;
    return true;
  }

  void run() {
    struct Rest {
      explicit Rest(EventSequence& sequence) : self(sequence) {}
      Rest(const Rest&) = delete;
      Rest& operator=(const Rest&) = delete;
      ~Rest() {
        if (self.any_due()) self.core_->defer_first(self.task_, self.owner_.lock());
      }
      EventSequence& self;
    } rest(*this);
    std::uint32_t ahead = ~std::uint32_t{0};  // the events that this turn has not passed
    while ((due_ & ahead) != 0) {
      const auto event = static_cast<Event>(std::countr_zero(due_ & ahead));
      set_due(event, false);
      ahead = ~(bit(event) | (bit(event) - 1));
      emit_(event);
    }
  }

  std::function<void(Event)> emit_;
  std::uint32_t due_ = 0;
  std::uint32_t ever_due_ = 0;
  LoopCore* core_ = nullptr;
  std::weak_ptr<const void> owner_;
  Task task_{[this] { run(); }};
};

}  // namespace tine::uv
