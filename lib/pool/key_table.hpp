#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pool/records.hpp"

namespace tine::pool {

// The keys of tasks, and the worker that is remembered for each. It does not move tasks between queues.
class KeyTable {
 public:
  static constexpr std::size_t most_remembered = 10'000;

  // Returns the key with this name for one task more. If memory runs out, throws and changes nothing.
  Key& add_task(std::string_view name);
  void remove_task(Key& key) noexcept;

  // Remembers the worker. Returns a key that is to be forgotten in its place, or null.
  Key* remember(Key& key, Worker& worker) noexcept;
  // The key was used again.
  void touch(Key& key) noexcept;
  void forget(Key& key) noexcept;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  void erase_if_unused(Key& key) noexcept;

  std::unordered_map<std::string, Key, Hash, std::equal_to<>> keys_;
  List<Key, &Key::by_use> remembered_;  // the least recently used one first
  std::size_t count_ = 0;               // of remembered ones
};

}  // namespace tine::pool
