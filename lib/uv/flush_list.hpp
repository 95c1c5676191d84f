#pragma once

#include <utility>

namespace tine::uv {

// An object that has bytes to write at the end of the turn. Writing runs no user code.
class Flushable {
 public:
  virtual void flush_turn() noexcept = 0;

 protected:
  virtual ~Flushable() = default;

 private:
  friend class FlushList;

  Flushable* next_ = nullptr;
};

// The objects that wait for the end of the turn. The last one that was added is flushed first.
class FlushList {
 public:
  bool empty() const { return first_ == nullptr; }

  // Must not be called again before the object is flushed or removed.
  void add(Flushable& flushable) noexcept { flushable.next_ = std::exchange(first_, &flushable); }

  // A no-op if the object is not in the list.
  void remove(Flushable& flushable) noexcept {
    Flushable** link = &first_;
    while (*link != nullptr && *link != &flushable) link = &(*link)->next_;
    if (*link != nullptr) *link = std::exchange(flushable.next_, nullptr);
  }

  // Removes and flushes all objects, and those that are added meanwhile.
  void flush() noexcept {
    while (Flushable* const flushable = first_) {
      first_ = std::exchange(flushable->next_, nullptr);
      flushable->flush_turn();
    }
  }

  // Drops all objects without flushing them, because the loop goes away.
  void clear() noexcept { first_ = nullptr; }

 private:
  Flushable* first_ = nullptr;
};

}  // namespace tine::uv
