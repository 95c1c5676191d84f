// A C++ parent of a JavaScript child that uses execa's functions.
#include "../node_child.hpp"

using nlohmann::json;

TEST_CASE("execa: its functions in a child work with a C++ parent", "[ecosystem]") {
  TestLoop loop;
  const json reason{{"$error", "RangeError"}, {"message", "enough"}, {"stack", "a stack"}};
  const auto request = [](int id, const json& message) {
    return json{
        {"type", "execa:ipc:request"}, {"id", id}, {"message", message}, {"hasListeners", true}};
  };
  const auto response = [](int id) {
    return json{{"type", "execa:ipc:response"}, {"id", id}, {"message", true}};
  };

  const auto answers = converse(loop, fork_node(loop, script("execa/script.mjs")),
                                {{values()},
                                 {"not this", 0},
                                 {{{"this", values()}}},
                                 {response(0), 0},
                                 {{{"first", values()}}},
                                 {request(7, values()), 2},
                                 {{{"type", "execa:ipc:cancel"}, {"message", reason}}}});

  CHECK(answers[0] == json{{"one", values()}});
  CHECK(answers[1]["type"] == "execa:ipc:request");
  CHECK(answers[1]["id"] == 0);
  CHECK(answers[1]["message"] == json{{"two", {{"this", values()}}}});
  CHECK(answers[2] == json{{"each", {{"first", values()}}}});
  CHECK(answers[3] == response(7));
  CHECK(answers[4] == json{{"each", values()}});
  CHECK(answers[5] == json{{"cancelled", reason}});
}
