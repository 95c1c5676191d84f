// The parent of the requests demo: one request that is answered, and four that are not. It runs the
// child program beside this one, or the one given as an argument: a program, or a .js file for node.
#include <chrono>
#include <filesystem>
#include <iostream>
#include <stop_token>
#include <string>
#include <utility>

#include <tine/tine.hpp>

namespace {

using namespace std::chrono_literals;
using tine::Request;
using tine::Task;

// Prints the answer, or why there is none.
Task<> print(std::string what, Request<std::string> request) {
  std::string outcome;
  try {
    outcome = co_await std::move(request);
  } catch (const tine::RpcError& error) {
    outcome = error.what();
  }
  std::cout << "[Parent] " << what << ":  " << outcome << std::endl;
}

Task<> talk(tine::Loop& loop, tine::ChildProcess child) {
  const tine::Rpc rpc(child);
  const auto greet = [&](const std::string& greeting) {
    return rpc.request<std::string>("greet", greeting);
  };
  const auto work = [&] { return rpc.request<std::string>("work", 60'000); };  // ms

  co_await print("Answer from child", greet("Hello"));
  co_await print("One that fails", greet("Bonjour"));
  co_await print("One that is late", work().within(50ms));

  std::stop_source stop;
  loop.after(50ms, [stop]() mutable { stop.request_stop(); });
  co_await print("One that is cancelled", work().stop(stop.get_token()));

  loop.after(50ms, [child] { child.kill(); });
  co_await print("One whose child is killed", work());
}

}  // namespace

int main(int argc, char** argv) {
  std::cout << "[Parent] initalize" << std::endl;

  tine::Loop loop;
  const auto module = argc > 1 ? std::filesystem::path(argv[1]) : tine::executable_dir() / "child";
  tine::ForkOptions options;
  if (module.extension() == ".js") options.exec_path = "node";

  tine::run(loop, talk(loop, tine::fork(loop, module, options)));
}
