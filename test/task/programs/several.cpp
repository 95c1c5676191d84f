// Several children at the same time: each is asked in a task of its own, and the program goes on
// when all have answered.
#include <iostream>
#include <string>
#include <tuple>
#include <vector>

#include <tine/tine.hpp>

namespace {

tine::Task<std::string> ask(tine::Loop& loop, std::string question) {
  auto child = tine::fork(loop, tine::executable_dir() / "hello_child");
  child.send(question);
  const auto answer = co_await tine::receive<std::string>(child);
  child.disconnect();
  co_return answer.value();
}

tine::Task<> ask_into(tine::Loop& loop, std::string question, std::string& answer) {
  answer = co_await ask(loop, question);
}

tine::Task<> ask_each(tine::Loop& loop, const std::vector<std::string>& questions) {
  std::vector<std::string> answers(questions.size());
  auto scope = co_await tine::Scope::open();
  for (std::size_t i = 0; i < questions.size(); ++i) {
    scope.start(ask_into(loop, questions[i], answers[i]));
  }
  co_await scope.join();
  for (const std::string& answer : answers) std::cout << answer << std::endl;
}

tine::Task<> ask_two(tine::Loop& loop) {
  const auto [first, second] = co_await tine::all(ask(loop, "Hello"), ask(loop, "Bonjour"));
  std::cout << first << ' ' << second << std::endl;
}

}  // namespace

int main() {
  tine::Loop loop;
  const std::vector<std::string> questions{"Hello", "Bonjour", "Hello"};
  tine::run(loop, ask_each(loop, questions));
  tine::run(loop, ask_two(loop));
}
