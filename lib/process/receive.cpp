#include "tine/receive.hpp"

#include <string>

#include "channel/endpoint.hpp"
#include "tine/channel.hpp"
#include "tine/error.hpp"

namespace tine::task {

bool message_follows(const Channel& channel) {
  return channel.end_ && channel.end_->has_wanted_message();
}

void throw_message_type(const char* reason) {
  throw Error(Errc::message_type,
              std::string("a message is not what was to be received: ") + reason);
}

}  // namespace tine::task
