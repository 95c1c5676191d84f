#include "pool/key_table.hpp"

namespace tine::pool {

Key& KeyTable::add_task(std::string_view name) {
  auto found = keys_.find(name);
  if (found == keys_.end()) {
    found = keys_.try_emplace(std::string(name)).first;
    found->second.name = found->first;
  }
  ++found->second.tasks;
  return found->second;
}

void KeyTable::remove_task(Key& key) noexcept {
  --key.tasks;
  erase_if_unused(key);
}

Key* KeyTable::remember(Key& key, Worker& worker) noexcept {
  key.worker = &worker;
  worker.keys.push_back(key);
  remembered_.push_back(key);
  ++count_;
  return count_ > most_remembered ? remembered_.first() : nullptr;
}

void KeyTable::touch(Key& key) noexcept {
  remembered_.remove(key);
  remembered_.push_back(key);
}

void KeyTable::forget(Key& key) noexcept {
  key.worker->keys.remove(key);
  key.worker = nullptr;
  remembered_.remove(key);
  --count_;
  erase_if_unused(key);
}

void KeyTable::erase_if_unused(Key& key) noexcept {
  if (key.tasks == 0 && key.worker == nullptr) keys_.erase(keys_.find(key.name));
}

}  // namespace tine::pool
