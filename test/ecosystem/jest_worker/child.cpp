// A worker for jest-worker. A JavaScript program starts it like this:
//
//   new Worker('/any/path', {
//     exposedMethods: ['add', 'echo', 'given', 'report', 'fail'],
//     forkOptions: { execPath: '/path/of/this/program' },
//   });
#include <string>

#include <tine/tine.hpp>

using nlohmann::json;

namespace {

// Each message is an array. Its first element says what it is.
enum Request { initialize, call, end, memory_usage, call_setup };
enum Answer { ok, client_error, setup_error, custom };

}  // namespace

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  json given;

  const auto answer_to = [&](const std::string& method, const json& arguments) -> json {
    if (method == "add") {
      // If both are the same object, a reference is in the place of the second one.
      const json points = tine::expand_references(arguments);
      return {ok, points.at(0).at("x").get<int>() + points.at(1).at("x").get<int>()};
    }
    if (method == "echo") return {ok, arguments.at(0)};
    if (method == "given") return {ok, given};
    if (method == "report") {
      process.send({custom, arguments.at(0)});
      return {ok, nullptr};
    }
    const std::string what = "there is no " + method;
    return {client_error, "RangeError", what, "RangeError: " + what, {{"method", method}}};
  };

  process.on<"message">([&](const json& request) {
    switch (request.at(0).get<Request>()) {
      case initialize: given = {{"path", request.at(2)}, {"setupArgs", request.at(3)}}; break;
      case call_setup: process.send({ok, nullptr}); break;
      case call: process.send(answer_to(request.at(2), request.at(3))); break;
      case memory_usage: break;  // comes only if the Worker has an idleMemoryLimit
      case end: process.disconnect(); break;
    }
  });
  loop.run();
}
