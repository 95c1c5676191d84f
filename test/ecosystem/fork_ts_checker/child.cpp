// The two workers of fork-ts-checker-webpack-plugin, which has no option for other programs. So a
// JavaScript program says, before webpack runs:
//
//   process.execPath = '/path/of/this/program';
//
// The last argument is then the script that this program stands for. It reports one issue, which
// carries what the plugin has sent. A change with the member `fail` is an error.
#include <cstdlib>
#include <filesystem>

#include <tine/tine.hpp>

using nlohmann::json;

namespace {

json position(int line, int column) { return {{"line", line}, {"column", column}}; }

json issues(const json& config, const json& arguments) {
  return json::array({{
      {"severity", "warning"},
      {"code", "CPP1"},
      {"message", "checked in C++"},
      {"file", config.at("context").get<std::string>() + "/index.ts"},
      {"location", {{"start", position(1, 14)}, {"end", position(1, 19)}}},
      {"arguments", arguments},
  }});
}

json dependencies(const json& config) {
  return {{"files", {config.at("configFile")}},
          {"dirs", json::array()},
          {"excluded", json::array()},
          {"extensions", {".ts"}}};
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_for_issues =
      std::filesystem::path(argv[argc - 1]).filename() == "get-issues-worker.js";
  const json config = json::parse(std::getenv("WORKER_DATA"));

  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([&](const json& call) {
    const json& arguments = call.at("args");
    json answer{{"id", call.at("id")}};
    if (arguments.at(0).contains("fail")) {
      answer["type"] = "reject";
      answer["error"] = arguments.at(0).at("fail");
    } else {
      answer["type"] = "resolve";
      answer["value"] = is_for_issues ? issues(config, arguments) : dependencies(config);
    }
    process.send(answer);
  });
  loop.run();
}
