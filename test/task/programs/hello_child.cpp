// The child of the Hello pair, as a coroutine.
#include <string>

#include <tine/tine.hpp>

namespace {

tine::Task<> answer(tine::Process& process) {
  while (auto message = co_await tine::receive<std::string>(process)) {
    process.send(*message == "Hello" ? "Hello to you too :)" : "what?");
  }
}

}  // namespace

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  tine::run(loop, answer(process));
}
