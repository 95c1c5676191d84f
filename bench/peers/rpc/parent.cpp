// tine's parent that makes requests, as a user writes it: it asks a child for a sum, again and again. With
// "coroutine" before the job, coroutines await the sums.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include <tine/tine.hpp>

#include "work.hpp"

namespace {

class Parent {
 public:
  Parent(bench::Job job, bool has_coroutines)
      : work_(std::move(job)), has_coroutines_(has_coroutines) {}

  void run() {
    for (std::size_t i = 0; i < work_.job().children; ++i) start(i);
    loop_.run();
    work_.report();
  }

 private:
  void start(std::size_t i) {
    work_.fork_begins();
    auto child = tine::fork(loop_, work_.job().module, {.exec_path = work_.job().exec_path});
    work_.forked(child.pid().value_or(0));

    children_.push_back(child);
    rpcs_.emplace_back(child);
    rpcs_[i].request("add", tine::object("a", 0, "b", 0)).then([this, i](tine::Result<int> sum) {
      check(0, *sum);
      react(i, work_.received(i));
    });
  }

  static void check(std::uint64_t expected, int sum) {
    if (static_cast<std::uint64_t>(sum) != expected) throw std::runtime_error("a sum is wrong");
  }

  void react(std::size_t i, bench::Next next) {
    switch (next) {
      case bench::Next::wait: break;
      case bench::Next::send: ask_more(i); break;
      case bench::Next::send_to_all:
        for (std::size_t j = 0; j < rpcs_.size(); ++j) begin(j);
        break;
      case bench::Next::end: end();
    }
  }

  void begin(std::size_t i) {
    if (!has_coroutines_) return ask_more(i);
    const auto tasks = work_.job().window;
    for (std::size_t task = 0; task < tasks; ++task) tine::start(loop_, ask_in_turn(i));
  }

  tine::Task<> ask_in_turn(std::size_t i) {
    while (work_.may_send(i)) {
      const auto number = work_.next_number(i);
      check(number + 1, co_await rpcs_[i].request<int>("add", numbers(number)));
      if (work_.received(i) == bench::Next::end) end();
    }
  }

  static tine::Object numbers(std::uint64_t number) { return tine::object("a", number, "b", 1); }

  void ask_more(std::size_t i) {
    while (work_.may_send(i)) ask(i);
  }

  void ask(std::size_t i) {
    const auto number = work_.next_number(i);
    rpcs_[i].request("add", numbers(number)).then([this, i, number](tine::Result<int> sum) {
      check(number + 1, *sum);
      react(i, work_.received(i));
    });
  }

  void end() {
    for (auto& child : children_) child.disconnect();
  }

  bench::Work work_;
  bool has_coroutines_;
  tine::Loop loop_;
  std::vector<tine::ChildProcess> children_;
  std::vector<tine::Rpc> rpcs_;
};

}  // namespace

int main(int argc, char** argv) {
  const bool has_coroutines = argc > 2 && argv[1] == std::string_view("coroutine");
  const int job_at = has_coroutines ? 1 : 0;
  Parent(bench::Job::from_arguments(argc - job_at, argv + job_at), has_coroutines).run();
}
