// A C++ parent of jest-worker's own worker.
#include "../node_child.hpp"

using nlohmann::json;

namespace {

enum ToWorker { initialize, call, end, memory_usage, call_setup };
enum FromWorker { ok, client_error, setup_error, custom, memory };

}  // namespace

TEST_CASE("jest-worker: its worker does what a C++ parent calls", "[ecosystem]") {
  TestLoop loop;

  const auto answers =
      converse(loop, fork_node(loop, installed("jest-worker/build/processChild.js")),
               {{{initialize, false, script("jest_worker/module.cjs"), {values(), "setup"}}, 0},
                {{call_setup}},
                {{call, true, "given", json::array()}},
                {{call, true, "echo", {values(), 0}}},
                {{call, true, "later", {values(), 0}}},
                {{call, true, "report", {values(), 0}}, 2},
                {{call, true, "fail", {"in JavaScript", 0}}},
                {{memory_usage}},
                {{end, false}}});

  CHECK(answers[0] == json{ok, undefined});
  CHECK(answers[1] == json{ok, {values(), "setup"}});
  CHECK(answers[2] == json{ok, values()});
  CHECK(answers[3] == json{ok, values()});
  CHECK(answers[4] == json{custom, values()});
  CHECK(answers[5] == json{ok, undefined});
  REQUIRE(answers[6].size() == 5);
  CHECK(answers[6][0] == client_error);
  CHECK(answers[6][1] == "RangeError");
  CHECK(answers[6][2] == "in JavaScript");
  CHECK_THAT(answers[6][3].get<std::string>(), StartsWith("RangeError: in JavaScript\n"));
  CHECK(answers[6][4] == json{{"code", "E_FAIL"}});
  CHECK(answers[7][0] == memory);
  CHECK(answers[7][1].get<double>() > 0);
  CHECK(answers[8] == json{custom, "teardown"});
}
