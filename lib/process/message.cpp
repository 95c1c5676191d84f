#include "tine/message.hpp"

#include <nlohmann/json.hpp>

namespace tine {

nlohmann::json Message::take() { return last_listener_ ? std::move(*value_) : *value_; }

}  // namespace tine
