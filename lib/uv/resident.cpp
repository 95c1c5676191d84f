#include "uv/resident.hpp"

#include <utility>

#include "uv/loop_core.hpp"

namespace tine::uv {

Resident::Resident(LoopCore& core) : core_(&core) { core.residents_.add(*this); }

Resident::~Resident() {
  if (core() != nullptr) core()->residents_.remove(*this);
}

void Residents::keep(std::shared_ptr<Resident> resident) {
  const Resident* const key = resident.get();
  kept_.emplace(key, std::move(resident));
}

void Residents::release(const Resident& resident) {
  const auto kept = kept_.extract(&resident);  // destroyed after it has left the map
}

// A resident that closes may destroy others, which remove themselves.
Residents::Kept Residents::close_all() noexcept {
  Kept kept = std::exchange(kept_, {});
  while (!all_.empty()) {
    Resident* const resident = *all_.begin();
    all_.erase(all_.begin());
    resident->core_ = nullptr;
    resident->loop_closing();
  }
  return kept;
}

}  // namespace tine::uv
