// The parent of the Hello pair, as a coroutine.
#include <iostream>
#include <string>

#include <tine/tine.hpp>

namespace {

tine::Task<> talk(tine::Loop& loop) {
  auto child = tine::fork(loop, tine::executable_dir() / "hello_child");
  for (const char* const greeting : {"Hello", "Bonjour"}) {
    child.send(greeting);
    const auto answer = co_await tine::receive<std::string>(child);
    std::cout << "[Parent] Answer from child:  " << answer.value() << std::endl;
  }
  child.disconnect();
  const tine::ExitStatus status = co_await tine::once<"exit">(child);
  std::cout << "[Parent] The child ended with " << tine::to_string(status) << std::endl;
}

}  // namespace

int main() {
  tine::Loop loop;
  tine::run(loop, talk(loop));
}
