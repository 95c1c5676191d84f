// A C++ parent of jest-worker's own worker.
#include "../node_child.hpp"

using nlohmann::json;

namespace {

enum ToWorker { initialize, call, end, memory_usage, call_setup };
enum FromWorker { ok, client_error, setup_error, custom, memory };

}  // namespace

TEST_CASE("jest-worker: its worker does what a C++ parent calls", "[ecosystem]") {
  TestLoop loop;
  const json twice{{"a", {{"x", 1}}}, {"b", {{"$ref", "1/a"}}}};

  const auto answers =
      converse(loop, fork_node(loop, installed("jest-worker/build/processChild.js")),
               {{{initialize, false, script("jest_worker/module.cjs"), {values(), "setup"}}, 0},
                {{call_setup}},
                {{call, true, "given", json::array()}},
                {{call, true, "echo", {values(), 0}}},
                {{call, true, "echo", {twice, 0}}},
                {{call, true, "isSame", {{{"x", 1}}, {{"$ref", "1/0"}}}}},
                {{call, true, "later", {values(), 0}}},
                {{call, true, "report", {values(), 0}}, 2},
                {{call, true, "fail", {"in JavaScript", 0}}},
                {{memory_usage}},
                {{end, false}}});

  CHECK(answers[0] == json{ok, undefined});
  CHECK(answers[1] == json{ok, {values(), "setup"}});
  CHECK(answers[2] == json{ok, values()});
  CHECK(answers[3] == json{ok, twice});
  CHECK(answers[4] == json{ok, true});
  CHECK(answers[5] == json{ok, values()});
  CHECK(answers[6] == json{custom, values()});
  CHECK(answers[7] == json{ok, undefined});
  const json& failed = answers[8];
  REQUIRE(failed.size() == 5);
  CHECK(failed[0] == client_error);
  CHECK(failed[1] == "RangeError");
  CHECK(failed[2] == "in JavaScript");
  CHECK_THAT(failed[3].get<std::string>(), StartsWith("RangeError: in JavaScript\n"));
  CHECK(failed[4] == json{{"code", "E_FAIL"}});
  CHECK(answers[9][0] == memory);
  CHECK(answers[9][1].get<double>() > 0);
  CHECK(answers[10] == json{custom, "teardown"});
}
