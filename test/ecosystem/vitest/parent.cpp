// A C++ parent of vitest's own worker.
#include <map>

#include "../node_child.hpp"

using nlohmann::json;
using namespace nlohmann::literals;

namespace {

// What the worker has to know of vitest's configuration, but for its root.
const json start = R"({
  "__vitest_worker_request__": true,
  "type": "start",
  "poolId": 1,
  "workerId": 0,
  "options": {"reportMemory": false},
  "context": {
    "environment": {"name": "node", "options": null},
    "pool": "forks",
    "config": {
      "mode": "test",
      "pool": "forks",
      "isolate": true,
      "allowOnly": true,
      "testNamePattern": {"$regexp": "^(PASSES|FAILS)$", "flags": "i"},
      "testTimeout": 60000,
      "retry": {"$undefined": true},
      "env": {},
      "expect": {},
      "setupFiles": [],
      "snapshotSerializers": [],
      "snapshotOptions": {"updateSnapshot": "none", "snapshotFormat": {}},
      "sequence": {"hooks": "stack"},
      "coverage": {"enabled": false},
      "inspector": {"enabled": false},
      "deps": {"moduleDirectories": ["/node_modules/"]},
      "tags": [],
      "experimental": {"viteModuleRunner": true, "importDurations": {"limit": 0}}
    }
  },
  "traces": {
    "enabled": false, "sdkPath": {"$undefined": true}, "otelCarrier": {"$undefined": true}
  }
})"_json;

const json run = R"({
  "__vitest_worker_request__": true,
  "type": "run",
  "context": {
    "files": [{}],
    "invalidates": [],
    "providedContext": {},
    "workerId": 0,
    "environment": {"name": "node", "options": null}
  }
})"_json;

const json stop = R"({"__vitest_worker_request__": true, "type": "stop"})"_json;

// What the worker has reported.
struct Report {
  std::map<std::string, std::string> names;  // of the tests, by their ids
  std::map<std::string, json> results;       // by the names of the tests
  std::map<std::string, json> metas;
};

// Returns the value of a function of vitest that the worker has called.
json value_of(const std::string& function, const json& arguments, Report& report) {
  if (function == "fetch") return {{"externalize", arguments[0]}, {"type", "module"}};
  if (function == "resolveSnapshotPath") return arguments[0].get<std::string>() + ".snap";
  if (function == "onCollected") {
    for (const json& test : arguments[0][0]["tasks"]) report.names[test["id"]] = test["name"];
  }
  if (function == "onTaskUpdate") {
    for (const json& update : arguments[0]) {
      const std::string name = report.names[update[0]];  // empty for the file
      report.results[name] = update[1];
      report.metas[name] = update[2];
    }
  }
  return undefined;
}

}  // namespace

TEST_CASE("vitest: its worker runs the tests of a C++ parent", "[ecosystem]") {
  TestLoop loop;
  auto child = fork_node(loop, installed("vitest/dist/workers/forks.js"));
  Report report;

  json request = start;
  request["context"]["config"]["root"] = script("vitest");
  child.send(request);
  child.on<"message">([&](const json& message) {
    if (message.contains("t")) {
      const json value = value_of(message["m"], message["a"], report);
      child.send({{"t", "s"}, {"i", message["i"]}, {"r", value}});
      return;
    }
    CHECK(message["__vitest_worker_response__"] == true);
    CHECK(message.value("error", undefined) == undefined);
    const std::string type = message["type"];
    if (type == "started") {
      request = run;
      request["context"]["files"][0]["filepath"] = script("vitest/module.mjs");
      request["context"]["providedContext"]["values"] = values();
      child.send(request);
    }
    if (type == "testfileFinished") child.send(stop);
    if (type == "stopped") child.disconnect();
  });
  loop.run();

  CHECK(child.exit_code() == 0);
  CHECK(report.results[""]["state"] == "fail");
  CHECK(report.results["passes"]["state"] == "pass");
  CHECK(report.metas["passes"] == json{{"values", values()}});
  CHECK(report.results["fails"]["state"] == "fail");
  const json& error = report.results["fails"]["errors"].at(0);
  CHECK(error["name"] == "AssertionError");
  CHECK(error["message"] == "expected Map{ 'a' => 1 } to deeply equal Map{ 'a' => 2 }");
}
