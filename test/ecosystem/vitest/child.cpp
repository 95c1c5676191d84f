// A worker for vitest's pool "forks", which is the default. vitest has no option for another
// program. So a JavaScript program says, before startVitest():
//
//   process.execPath = '/path/of/this/program';
//
// Each test file then has two tests: "passes", whose `meta` is what vitest has sent to this worker,
// and "fails".
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include <tine/tine.hpp>

using nlohmann::json;

namespace {

// Returns the id by which vitest knows a test file, if its path is ASCII.
std::string id_of(const std::string& path, const json& config) {
  const std::filesystem::path root = config.at("root").get<std::string>();
  std::uint32_t hash = 0;
  for (const char c : std::filesystem::path(path).lexically_relative(root).string()) {
    hash = 31 * hash + static_cast<unsigned char>(c);
  }
  return std::to_string(static_cast<std::int32_t>(hash));
}

// Returns a test, which refers to the file that has it in its list.
json test(const std::string& name) {
  return {{"type", "test"},
          {"id", name},
          {"name", name},
          {"mode", "run"},
          {"file", {{"$ref", "3"}}},
          {"meta", json::object()},
          {"annotations", json::array()},
          {"artifacts", json::array()}};
}

class Worker {
 public:
  explicit Worker(tine::Loop& loop) : process_(loop) {
    process_.on<"message">([this](const json& message) {
      if (message.contains("__vitest_worker_request__")) {
        obey(message);
      } else if (message.at("t") == "s" && message.at("i") == "onTaskUpdate") {
        respond("testfileFinished");  // only now, so that vitest knows all results
      }
    });
  }

 private:
  void obey(const json& request) {
    if (request.at("type") == "start") {
      start_ = request;
      respond("started");
    } else if (request.at("type") == "run") {
      run(request);
    } else if (request.at("type") == "stop") {
      respond("stopped");
    }
  }

  void respond(const std::string& type) {
    process_.send({{"__vitest_worker_response__", true}, {"type", type}});
  }

  // Calls a function of vitest. The id comes back with the answer.
  void call(const std::string& method, json arguments) {
    process_.send({{"t", "q"}, {"i", method}, {"m", method}, {"a", std::move(arguments)}});
  }

  void run(const json& request) {
    const json& config = start_.at("context").at("config");
    const std::string path = request.at("context").at("files").at(0).at("filepath");
    const std::string id = id_of(path, config);
    const json file{
        {"type", "suite"},
        {"id", id},
        {"name", path},
        {"mode", "run"},
        {"filepath", path},
        {"projectName", config.at("name")},
        {"file", {{"$ref", "1"}}},
        {"meta", json::object()},
        {"pool", "forks"},
        {"tasks", {test("passes"), test("fails")}},
    };
    call("onCollected", json::array({json::array({file})}));

    const json error{{"name", "AssertionError"}, {"message", "1 is not 2"}};
    const json passed{{"state", "pass"}};
    const json failed{{"state", "fail"}, {"errors", {error}}};
    const json meta{{"start", start_}, {"run", request}};
    const json results{
        {id, failed, json::object()}, {"passes", passed, meta}, {"fails", failed, json::object()}};
    call("onTaskUpdate", json::array({results, json::array()}));
  }

  tine::Process process_;
  json start_;
};

}  // namespace

int main() {
  tine::Loop loop;
  Worker worker(loop);
  loop.run();
}
