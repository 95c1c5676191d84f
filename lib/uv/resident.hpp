#pragma once

#include <memory>
#include <unordered_map>
#include <unordered_set>

namespace tine::uv {

class LoopCore;

// The state behind the handles that a user holds. It may outlive the loop, because handles may. The
// loop may keep it alive until its last event.
class Resident {
 public:
  explicit Resident(LoopCore& core);
  Resident(const Resident&) = delete;
  Resident& operator=(const Resident&) = delete;
  virtual ~Resident();

  // Called when the loop goes away: closes all libuv handles at once. No user code may run any
  // more, and core() is null already.
  virtual void loop_closing() noexcept = 0;

 protected:
  // Returns the loop, or null once it is gone.
  LoopCore* core() const {
    check_thread();
    return core_;
  }
  // Checks the thread in functions for the user that reach the loop only later, or not at all.
  void check_thread() const noexcept;

 private:
  friend class Residents;

  LoopCore* core_;
};

// The residents of a loop, and those among them that it keeps alive.
class Residents {
 public:
  using Kept = std::unordered_map<const Resident*, std::shared_ptr<Resident>>;

  void add(Resident& resident) { all_.insert(&resident); }
  void remove(Resident& resident) noexcept { all_.erase(&resident); }

  // Keeps a resident alive until release(); a no-op if it is kept already.
  void keep(std::shared_ptr<Resident> resident);
  void release(const Resident& resident);

  // Closes and forgets all residents because the loop goes away. Returns those that it kept alive.
  [[nodiscard]] Kept close_all() noexcept;

 private:
  std::unordered_set<Resident*> all_;
  Kept kept_;
};

}  // namespace tine::uv
