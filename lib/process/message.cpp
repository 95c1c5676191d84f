#include "tine/message.hpp"

#include <nlohmann/json.hpp>

namespace tine {

void Message::write_text() const {
  constexpr auto replace = nlohmann::json::error_handler_t::replace;
  written_ = std::make_shared<const std::string>(value_->dump(-1, ' ', false, replace));
  text_ = *written_;
}

nlohmann::json Message::take() { return last_listener_ ? std::move(*value_) : *value_; }

}  // namespace tine
