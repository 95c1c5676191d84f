// All headers but tine.hpp only declare nlohmann::json, so it may be defined after them.
#include <tine/child_process.hpp>
#include <tine/process.hpp>

#include <nlohmann/json.hpp>

void f(tine::ChildProcess& child, tine::Process& process) {
  child.on<"message">([child](const nlohmann::json& value) { child.send(value); });
  process.on<"message">([&process](int value) { process.send({{"n", value}}); });
}
