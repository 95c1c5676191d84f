#include "channel/received_message.hpp"

#include "wire/v8_json.hpp"

namespace tine::channel {

std::string text_of(const nlohmann::json& value) { return wire::json_text(value); }

}  // namespace tine::channel
