#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace tine::wire {

// Reads the members of objects over those that were there, so that an object with the same keys
// keeps its nodes. Each member is told one by one, in whatever order.
//
// An object may be begun while another one is still read, as one of its members, and is ended first.
class V8Members {
 public:
  // An object that is being read.
  struct Object {
    nlohmann::json::object_t* members;
    nlohmann::json::object_t::iterator old;  // the first one not read, while all came in order
    std::size_t stale;                       // where its part of stale_ begins
    bool in_order;                           // so far, the keys were those of before
  };

  Object begin(nlohmann::json& target);

  // Returns the member with this key, to be read over; null if this key has come already.
  nlohmann::json::object_t::pointer member(Object& object, std::string_view key);

  // Removes the members that were there before and have not come.
  void end(Object& object);

  // Forgets objects that were not ended.
  void clear() { stale_.clear(); }

 private:
  void leave_order(Object& object);
  bool take_stale(const Object& object, nlohmann::json::object_t::iterator member);

  // For each object that is read out of order: members of before that have not come.
  std::vector<nlohmann::json::object_t::iterator> stale_;
};

}  // namespace tine::wire
