#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "command/script/any_order.hpp"
#include "command/script/script_child.hpp"
#include "command/script/transcript.hpp"

namespace tine::command {

// The messages that have come for a group of `<*` steps, each at a step that it matches.
class MessageGroup {
 public:
  // `steps` and `captures` must outlive the group.
  MessageGroup(std::span<const Step> steps, const Captures& captures);
  MessageGroup(const MessageGroup&) = delete;
  MessageGroup& operator=(const MessageGroup&) = delete;

  std::size_t size() const { return steps_.size(); }
  // Whether as many messages have come as there are steps.
  bool complete() const { return placed_.size() + extras_.size() == size(); }

  // Adds a message. Returns false if no step is left for it: then it is one of the extras.
  bool add(Arrival message);

  // Returns the message at a step; null if the step has none.
  const Arrival* at(std::size_t step) const;
  const std::vector<Arrival>& extras() const { return extras_; }

 private:
  std::span<const Step> steps_;
  AnyOrder order_;
  std::vector<Arrival> placed_;  // in the order in which they came
  std::vector<Arrival> extras_;
};

}  // namespace tine::command
