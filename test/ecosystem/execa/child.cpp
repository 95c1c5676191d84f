// A child for execa: execa('/path/of/this/program', { ipc: true }).
//
// Answers execa's own messages, as a JavaScript child does with getEachMessage() and
// getCancelSignal(). Sends back all others; but for "arguments" its arguments, and for
// {"strict": VALUE} the value as a message that execa has to acknowledge.
#include <string>
#include <vector>

#include <tine/tine.hpp>

using nlohmann::json;

namespace {

// Returns the type of one of execa's own messages; empty for all others.
std::string type_of(const json& message) {
  const auto type = message.find("type");
  return type != message.end() && type->is_string() ? type->get<std::string>() : "";
}

}  // namespace

int main(int argc, char** argv) {
  tine::Loop loop;
  tine::Process process(loop);

  const auto answer = [&](const json& message) {
    if (message == "arguments") {
      process.send(std::vector<std::string>(argv + 1, argv + argc));
    } else if (message.contains("strict")) {
      process.send({{"type", "execa:ipc:request"},
                    {"id", 1},
                    {"message", message["strict"]},
                    {"hasListeners", true}});
    } else {
      process.send(message);
    }
  };
  process.on<"message">([&](const json& message) {
    const std::string type = type_of(message);
    if (type == "execa:ipc:request") {
      // `true` means that there is a listener.
      process.send({{"type", "execa:ipc:response"}, {"id", message["id"]}, {"message", true}});
      answer(message["message"]);
    } else if (type == "execa:ipc:response") {
      process.send({{"acknowledged", message["message"]}});
    } else if (type == "execa:ipc:cancel") {
      process.send({{"cancelled", message["message"]}});
      process.disconnect();
    } else {
      answer(message);
    }
  });
  loop.run();
}
