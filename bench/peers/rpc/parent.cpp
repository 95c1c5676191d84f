// tine's parent that makes requests, as a user writes it: it asks a child for a sum, again and again.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include <tine/tine.hpp>

#include "work.hpp"

namespace {

class Parent {
 public:
  explicit Parent(bench::Job job) : work_(std::move(job)) {}

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
    rpcs_[i].request("add", {{"a", 0}, {"b", 0}}).then([this, i](tine::Result<int> sum) {
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
        for (std::size_t j = 0; j < rpcs_.size(); ++j) ask_more(j);
        break;
      case bench::Next::end:
        for (auto& child : children_) child.disconnect();
    }
  }

  void ask_more(std::size_t i) {
    while (work_.may_send(i)) ask(i);
  }

  void ask(std::size_t i) {
    const auto number = work_.next_number(i);
    rpcs_[i].request("add", {{"a", number}, {"b", 1}}).then([this, i, number](tine::Result<int> sum) {
      check(number + 1, *sum);
      react(i, work_.received(i));
    });
  }

  bench::Work work_;
  tine::Loop loop_;
  std::vector<tine::ChildProcess> children_;
  std::vector<tine::Rpc> rpcs_;
};

}  // namespace

int main(int argc, char** argv) {
  Parent(bench::Job::from_arguments(argc, argv)).run();
}
