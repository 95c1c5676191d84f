// Helpers for C++ parents of the packages' own workers.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

// Returns the path of a script of these tests, and of a file in node_modules.
inline std::string script(const std::string& file) { return ECOSYSTEM "/" + file; }
inline std::string installed(const std::string& file) { return script("node_modules/" + file); }

inline const nlohmann::json undefined{{"$undefined", true}};

// Returns values that JSON does not have, to go through a JavaScript program and back.
inline nlohmann::json values() {
  const nlohmann::json cause{{"$error", "Error"}, {"message", "its cause"}, {"stack", "a stack"}};
  return {
      {"date", {{"$date", 1'700'000'000'123}}},
      {"map", {{"$map", {{"key", {{"$set", {1, "two", nullptr}}}}, {{{"object", 1}}, "key"}}}}},
      {"big", {{"$bigint", "-0x123456789abcdef0123456789"}}},
      {"integer", 18'446'744'073'709'551'615U},
      {"undefined", undefined},
      {"error",
       {{"$error", "TypeError"}, {"message", "an error"}, {"stack", "a stack"}, {"cause", cause}}},
      {"regexp", {{"$regexp", "a+\\/b"}, {"flags", "giu"}}},
      {"bytes", nlohmann::json::binary({0, 128, 255}, 1)},
      {"text", "Grüße 你好 😀"},
  };
}

// Forks a JavaScript program in advanced mode.
inline tine::ChildProcess fork_node(TestLoop& loop, const std::filesystem::path& file,
                                    tine::ForkOptions options = {}) {
  options.exec_path = "node";
  options.serialization = tine::Serialization::advanced;
  options.kill_with_loop = true;  // so that a failed test leaves no child behind
  return tine::fork(loop, file, std::move(options));
}

// A message to a child, and how many messages come back for it.
struct Request {
  nlohmann::json message;
  std::size_t answers = 1;
};

// Sends each request when those before it are answered, then disconnects. Returns the answers.
inline std::vector<nlohmann::json> converse(TestLoop& loop, const tine::ChildProcess& child,
                                            const std::vector<Request>& requests) {
  std::vector<nlohmann::json> answers;
  std::size_t sent = 0;
  std::size_t expected = 0;
  const auto proceed = [&] {
    while (answers.size() >= expected && sent < requests.size()) {
      child.send(requests[sent].message);
      expected += requests[sent].answers;
      ++sent;
    }
    if (answers.size() >= expected) child.disconnect();
  };
  child.on<"message">([&](const nlohmann::json& answer) {
    answers.push_back(answer);
    proceed();
  });
  proceed();
  loop.run();
  CHECK(child.exit_code() == 0);
  REQUIRE(answers.size() == expected);
  return answers;
}
