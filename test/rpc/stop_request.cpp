// Children that are stopped by a request.
#include <csignal>
#include <string>

#include "rpc/rpc_test.hpp"

using namespace std::chrono_literals;
using tine::StopStep;

namespace {

// A Node child that handles "shutdown": it ends if its argument is "end", answers if that is "answer",
// fails if it is "fail", and does nothing otherwise. It ignores SIGTERM, and sends each signal.
const std::string script = R"js(
process.on("message", (message) => {
  if (message.method !== "shutdown" || message.params !== undefined) process.exit(9);
  const how = process.argv[2];
  if (how === "end") process.exit(7);
  if (how === "answer") process.send({jsonrpc: "2.0", id: message.id, result: null});
  if (how === "fail")
    process.send({jsonrpc: "2.0", id: message.id, error: {code: 1, message: "no"}});
});
process.on("SIGTERM", () => process.send("SIGTERM"));
process.send("ready");
)js";

}  // namespace

TEST_CASE("stop: a request ends a child, and neither an answer nor a failure ends the wait",
          "[rpc]") {
  const std::string how = GENERATE("end", "answer", "fail", "nothing");
  TestLoop loop;
  auto child =
      tine::fork(loop, "-", {.args = {how}, .exec_path = "node", .exec_args = {"-e", script}});
  std::vector<json> messages;
  child.on<"message">([&](const json& message) {
    messages.push_back(message);
    const auto wait = how == "end" ? 1h : 20ms;
    if (messages.size() == 1) {
      child.stop({.steps = {StopStep::request("shutdown", wait), StopStep::signal(SIGTERM, wait)}});
    }
  });
  loop.run();
  if (how == "end") {
    CHECK(child.exit_code() == 7);
    CHECK(messages == std::vector<json>{"ready"});
  } else {
    CHECK(child.signal_code() == SIGKILL);
  }
  for (const json& message : messages) CHECK(message.is_string());
}

TEST_CASE("stop: a tine child answers a request as it does any other", "[rpc]") {
  TestLoop loop;
  auto child = loop.fork("requests");
  child.on<"message">([](const json&) { FAIL("no message was expected"); });
  child.stop({.steps = {StopStep::request("no such method", 10ms), StopStep::disconnect(1h)}});
  loop.run();
  CHECK(child.exit_code() == 0);
}
