#include "tine/stop.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "process/access.hpp"
#include "process/peer.hpp"

namespace tine {

namespace {

// Returns a function that sends a message. A refusal is not reported.
template <class Form>
auto sending(Form message) {
  return [message = std::move(message)](const ChildProcess& child) {
    const auto& peer = process::Access::peer_of(child);
    return peer && !peer->end().try_send(message, nullptr).refused;
  };
}

}  // namespace

StopStep::StopStep(Take take, std::chrono::milliseconds wait)
    : take_(std::make_shared<const Take>(std::move(take))), wait_(wait) {}

StopStep StopStep::disconnect(std::chrono::milliseconds wait) {
  const auto take = [](const ChildProcess& child) {
    if (!child.connected()) return false;
    child.disconnect();
    return true;
  };
  return {take, wait};
}

StopStep StopStep::signal(int number, std::chrono::milliseconds wait) {
  return {[number](const ChildProcess& child) { return child.kill(number); }, wait};
}

StopStep StopStep::message(const nlohmann::json& message, std::chrono::milliseconds wait) {
  return {sending(nlohmann::json(message)), wait};
}

StopStep StopStep::built_message(const Object& message, std::chrono::milliseconds wait) {
  return {sending(message), wait};
}

StopStep StopStep::built_message(const Array& message, std::chrono::milliseconds wait) {
  return {sending(message), wait};
}

}  // namespace tine
