#pragma once

namespace tine::pool {

template <class Item>
struct Link {
  Item* before = nullptr;
  Item* after = nullptr;
};

// A list of items that it does not own. Each has a member for its place in the list, so no function throws.
template <class Item, Link<Item> Item::*link>
class List {
 public:
  bool empty() const { return first_ == nullptr; }
  Item* first() const { return first_; }
  Item* last() const { return last_; }
  static Item* after(const Item& item) { return (item.*link).after; }
  bool has(const Item& item) const { return first_ == &item || (item.*link).before != nullptr; }

  void push_back(Item& item) noexcept {
    item.*link = {last_, nullptr};
    (last_ != nullptr ? (last_->*link).after : first_) = &item;
    last_ = &item;
  }

  void remove(Item& item) noexcept {
    const auto [before, after] = item.*link;
    (before != nullptr ? (before->*link).after : first_) = after;
    (after != nullptr ? (after->*link).before : last_) = before;
    item.*link = {};
  }

 private:
  Item* first_ = nullptr;
  Item* last_ = nullptr;
};

}  // namespace tine::pool
