#include "tine/message.hpp"

#include <nlohmann/json.hpp>

#include "channel/received_message.hpp"

namespace tine {

void Message::write_text() const {
  written_ = std::make_shared<const std::string>(channel::text_of(*value_));
  text_ = *written_;
}

nlohmann::json Message::take() { return last_listener_ ? std::move(*value_) : *value_; }

}  // namespace tine
