#include "tine/receive.hpp"

#include <string>

#include "tine/error.hpp"

namespace tine::task {

void throw_message_type(const char* reason) {
  throw Error(Errc::message_type,
              std::string("a message is not what was to be received: ") + reason);
}

}  // namespace tine::task
