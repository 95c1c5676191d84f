#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include <nlohmann/json.hpp>

#include "rpc/deadlines.hpp"
#include "rpc/pending.hpp"

namespace tine::rpc {

// The requests that wait for an answer: their ids, deadlines and progress tokens. It calls nobody and
// has no timer.
//
// A request that leaves the table is not watched any more: a deadline or a stop that comes later finds
// nothing. So the one who takes a request out is the only one who settles it.
class CallTable {
 public:
  std::size_t size() const { return calls_.size(); }

  // Gives the request the next id. If memory runs out, throws and adds nothing.
  void add(std::shared_ptr<Pending> call);

  // Take a request out: the one with this id, or any one. Null if there is none.
  std::shared_ptr<Pending> extract(Id id) noexcept;
  std::shared_ptr<Pending> extract_any() noexcept;

  // Return requests, which stay: the one with this id, the one that progress with this token is about,
  // the one whose deadline has come first. Null if there is none.
  std::shared_ptr<Pending> call(Id id) const;
  std::shared_ptr<Pending> call_of_token(const nlohmann::json& token) const;
  std::shared_ptr<Pending> due(Clock::time_point now) const;
  // All, in the order of their ids.
  std::vector<std::shared_ptr<Pending>> all() const;

  Clock::time_point next_deadline() const { return deadlines_.next(); }

  // Returns the id that a peer has sent if a request has or had it; otherwise 0.
  Id given(const nlohmann::json& id) const;

 private:
  void leave(Pending& call) noexcept;

  Id last_ = 0;
  std::unordered_map<Id, std::shared_ptr<Pending>> calls_;
  Deadlines<Id> deadlines_;
  std::map<nlohmann::json, Id> tokens_;  // those that are not the id
};

}  // namespace tine::rpc
