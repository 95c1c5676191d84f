#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace tine::uv {

// An object that a higher layer attaches to a loop for the layers between to find. It is destroyed
// with the loop.
class Extension {
 public:
  virtual ~Extension() = default;
};

// The extensions of a loop, which are found by their type.
class Extensions {
 public:
  void add(std::shared_ptr<Extension> extension) { all_.push_back(std::move(extension)); }

  void remove(const Extension& extension) noexcept {
    const auto is_it = [&](const auto& one) { return one.get() == &extension; };
    const auto found = std::find_if(all_.begin(), all_.end(), is_it);
    if (found == all_.end()) return;
    const auto removed = std::move(*found);  // destroyed after it has left the list
    all_.erase(found);
  }

  // Returns the newest extension of this type, or null.
  template <class T>
  T* find() const {
    for (auto one = all_.rbegin(); one != all_.rend(); ++one) {
      if (auto* const found = dynamic_cast<T*>(one->get())) return found;
    }
    return nullptr;
  }

  // Destroys all extensions, which are not found any more by then.
  void clear() noexcept { std::exchange(all_, {}).clear(); }

 private:
  std::vector<std::shared_ptr<Extension>> all_;
};

}  // namespace tine::uv
