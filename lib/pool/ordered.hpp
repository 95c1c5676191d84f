#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <tuple>
#include <utility>

namespace tine::pool {

// Items that it does not own, in the order of their keys, then of their ids.
//
// An item has a ticket, with which it can be in one of several of these. The ticket has the memory for that,
// so only Ticket::make() throws. To add an item behind all others, and to take the first one out, takes
// constant time; all else takes logarithmic time.
template <class Key, class Item>
class Ordered {
  struct Entry {
    Key key;
    std::uint64_t id;
    Item* item;
    bool operator<(const Entry& other) const {
      return std::tie(key, id) < std::tie(other.key, other.id);
    }
  };
  using Entries = std::set<Entry>;

 public:
  class Ticket {
   public:
    void make(Item& item) {
      Entries made;
      made.insert(Entry{{}, item.id, &item});
      spare_ = made.extract(made.begin());
    }
    bool is_made() const { return in() || !spare_.empty(); }
    bool in() const { return where_ != nullptr; }
    bool in(const Ordered& order) const { return where_ == &order; }

   private:
    friend Ordered;
    Ordered* where_ = nullptr;
    typename Entries::iterator at_ = {};
    typename Entries::node_type spare_ = {};
  };

  Ordered() = default;
  Ordered(const Ordered&) = delete;
  Ordered& operator=(const Ordered&) = delete;

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  Item& first() const { return *entries_.begin()->item; }
  const Key& first_key() const { return entries_.begin()->key; }

  // The ticket may be in another one.
  void put(Ticket& ticket, Key key) noexcept {
    leave(ticket);
    ticket.spare_.value().key = std::move(key);
    ticket.at_ = entries_.insert(entries_.end(), std::move(ticket.spare_));
    ticket.where_ = this;
  }

  static void leave(Ticket& ticket) noexcept {
    if (!ticket.in()) return;
    ticket.spare_ = ticket.where_->entries_.extract(ticket.at_);
    ticket.where_ = nullptr;
  }

  // Puts it in or takes it out.
  void place(Ticket& ticket, bool in, Key key) noexcept {
    if (!in) {
      leave(ticket);
    } else if (!ticket.in() || ticket.at_->key != key) {
      put(ticket, std::move(key));
    }
  }

 private:
  Entries entries_;
};

}  // namespace tine::pool
