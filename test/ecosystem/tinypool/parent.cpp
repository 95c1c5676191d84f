// A C++ parent of Tinypool's own worker.
#include "../node_child.hpp"

using nlohmann::json;

TEST_CASE("tinypool: its worker does the tasks of a C++ parent", "[ecosystem]") {
  TestLoop loop;
  const std::string ours = "__tinypool_worker_message__";
  const std::string module = script("tinypool/module.mjs");
  const auto run = [&](int id, const char* name, const json& task) {
    return json{{"source", "port"}, {"taskId", id},       {"task", task},
                {"name", name},     {"filename", module}, {ours, true}};
  };

  const auto answers =
      converse(loop,
               fork_node(loop, installed("tinypool/dist/entry/process.js"),
                         {.env = {{"TINYPOOL_WORKER_ID", "1"}}}),
               {{{{"source", "pool"}, {"filename", module}, {"name", "default"}, {ours, true}}},
                {run(1, "default", values())},
                {run(2, "later", values())},
                {run(3, "fail", "in JavaScript")}});

  CHECK(answers[0] == json{{"ready", true}, {"source", "pool"}, {ours, true}});
  for (int id = 1; id <= 3; ++id) {
    const json& answer = answers[static_cast<std::size_t>(id)];
    CHECK(answer["source"] == "port");
    CHECK(answer["taskId"] == id);
    CHECK(answer["result"] == (id < 3 ? values() : nullptr));
    CHECK(answer["usedMemory"].get<double>() > 0);
  }
  CHECK(answers[1]["error"].is_null());
  json error = answers[3]["error"];
  CHECK_THAT(error["stack"].get<std::string>(), StartsWith("RangeError: in JavaScript\n"));
  error.erase("stack");
  CHECK(error == json{{"name", "RangeError"}, {"message", "in JavaScript"}, {"code", "E_FAIL"}});
}
