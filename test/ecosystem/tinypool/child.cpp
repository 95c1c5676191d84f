// A worker for Tinypool's runtime "child_process". Tinypool has no option for another program. So a
// JavaScript program says, before it creates the pool:
//
//   process.execPath = '/path/of/this/program';
//
// `name` says what is done: "default" returns the task, "first" the message that started this
// worker, anything else is an error.
#include <tine/tine.hpp>

using nlohmann::json;

int main() {
  const std::string ours = "__tinypool_worker_message__";
  tine::Loop loop;
  tine::Process process(loop);
  json first;

  process.on<"message">([&](const json& message) {
    if (!message.contains(ours)) {
      process.send(message);  // from `channel`, one of the options of run()
    } else if (message.at("source") == "pool") {
      first = message;
      process.send({{"ready", true}, {"source", "pool"}, {ours, true}});
    } else {
      json answer{{"source", "port"},
                  {ours, true},
                  {"taskId", message.at("taskId")},
                  {"result", nullptr},
                  {"error", nullptr}};
      if (message.at("name") == "default")
        answer["result"] = message.at("task");
      else if (message.at("name") == "first")
        answer["result"] = first;
      else
        answer["error"] = {{"$error", "RangeError"}, {"message", "unknown name"}};
      process.send(answer);
    }
  });
  loop.run();
}
