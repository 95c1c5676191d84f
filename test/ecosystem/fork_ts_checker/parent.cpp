// A C++ parent of fork-ts-checker-webpack-plugin's own workers.
#include <set>

#include "../node_child.hpp"

using nlohmann::json;
using namespace nlohmann::literals;

namespace {

tine::ChildProcess fork_worker(TestLoop& loop, const std::string& name) {
  json config = R"({
    "memoryLimit": 2048, "build": false, "mode": "readonly", "profile": false,
    "configOverwrite": {},
    "diagnosticOptions": {
      "syntactic": false, "semantic": true, "declaration": false, "global": false
    }
  })"_json;
  config["configFile"] = script("fork_ts_checker/tsconfig.json");
  config["context"] = script("fork_ts_checker");
  config["typescriptPath"] = installed("typescript/lib/typescript.js");
  return fork_node(
      loop,
      installed("fork-ts-checker-webpack-plugin/lib/typescript/worker/get-" + name + "-worker.js"),
      {.env = {{"WORKER_DATA", config.dump()}}});
}

Request rpc(const char* id, const json& change) {
  return {{{"type", "call"}, {"id", id}, {"args", {change, false}}}};
}

}  // namespace

TEST_CASE("fork-ts-checker: its worker tells a C++ parent the issues", "[ecosystem]") {
  TestLoop loop;
  const json changed{{"changedFiles", {script("fork_ts_checker/index.ts")}},
                     {"deletedFiles", {{"$undefined", true}}}};

  const auto answers =
      converse(loop, fork_worker(loop, "issues"),
               {rpc("first", json::object()), rpc("second", changed), rpc("third", nullptr)});

  json issue = R"({
    "code": "TS2322", "severity": "error",
    "message": "Type 'string' is not assignable to type 'number'.",
    "location": {"start": {"line": 1, "column": 14}, "end": {"line": 1, "column": 19}}
  })"_json;
  issue["file"] = script("fork_ts_checker/index.ts");
  CHECK(answers[0] == json{{"type", "resolve"}, {"id", "first"}, {"value", json::array({issue})}});
  CHECK(answers[1] == json{{"type", "resolve"}, {"id", "second"}, {"value", json::array({issue})}});
  CHECK(answers[2]["type"] == "reject");
  CHECK(answers[2]["id"] == "third");
  CHECK(answers[2]["error"]["$error"] == "TypeError");
}

TEST_CASE("fork-ts-checker: its worker tells a C++ parent the dependencies", "[ecosystem]") {
  TestLoop loop;
  const auto answers =
      converse(loop, fork_worker(loop, "dependencies"), {rpc("only", json::object())});
  CHECK(answers[0]["type"] == "resolve");
  const auto files = answers[0]["value"]["files"].get<std::set<std::string>>();
  CHECK(files.contains(script("fork_ts_checker/index.ts")));
  CHECK(files.contains(script("fork_ts_checker/tsconfig.json")));
}
