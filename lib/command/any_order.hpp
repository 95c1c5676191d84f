#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace tine::command {

// Finds for each arrival a place of its own that it fits, whatever the order in which they come: a
// place that a later one needs is given up for another one.
class AnyOrder {
 public:
  using Fits = std::function<bool(std::size_t place, std::size_t arrival)>;

  AnyOrder(std::size_t places, Fits fits) : arrival_at_(places), fits_(std::move(fits)) {}

  // False: there is no place for the next arrival, which is not counted then.
  bool add();

  // nullopt: the place is free.
  std::optional<std::size_t> arrival_at(std::size_t place) const { return arrival_at_[place]; }

 private:
  bool place(std::size_t arrival, std::vector<bool>& tried);

  std::vector<std::optional<std::size_t>> arrival_at_;
  std::size_t arrivals_ = 0;
  Fits fits_;
};

}  // namespace tine::command
