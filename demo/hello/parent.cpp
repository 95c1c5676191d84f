// The parent of the Hello pair. It runs the child program beside this one, or the one given as an
// argument: a program, or a .js file for node.
#include <filesystem>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include <tine/tine.hpp>

namespace {

tine::ChildProcess fork_child(tine::Loop& loop, const std::filesystem::path& module, int answers) {
  tine::ForkOptions options;
  if (module.extension() == ".js") options.exec_path = "node";

  auto child = tine::fork(loop, module, options);
  child.on<"message">([child, answers](const std::string& answer) mutable {
    std::cout << "[Parent] Answer from child:  " << answer << std::endl;
    if (--answers == 0) child.disconnect();
  });
  return child;
}

}  // namespace

int main(int argc, char** argv) {
  std::cout << "[Parent] initalize" << std::endl;

  tine::Loop loop;
  const auto module = argc > 1 ? std::filesystem::path(argv[1]) : tine::executable_dir() / "child";

  auto child1 = fork_child(loop, module, 2);
  child1.send("Hello");
  child1.send("Hello");

  auto child2 = fork_child(loop, module, 1);
  child2.send("Bonjour");

  loop.run();
}
