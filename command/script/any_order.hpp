#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace tine::command {

// A matching of arrivals to places that they fit, one each, in whatever order they come. An earlier
// arrival moves to another place if a later one needs its place.
class AnyOrder {
 public:
  using Fits = std::function<bool(std::size_t place, std::size_t arrival)>;

  AnyOrder(std::size_t places, Fits fits) : arrival_at_(places), fits_(std::move(fits)) {}

  // Adds the next arrival. Returns false if there is no place for it; it is not counted then.
  bool add();

  // Returns the number of the arrival at a place; nullopt if the place is free.
  std::optional<std::size_t> arrival_at(std::size_t place) const { return arrival_at_[place]; }

 private:
  bool place(std::size_t arrival, std::vector<bool>& tried);

  std::vector<std::optional<std::size_t>> arrival_at_;
  std::size_t arrivals_ = 0;
  Fits fits_;
};

}  // namespace tine::command
