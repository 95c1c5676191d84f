// tine's parent, as a user writes it. With "text" before the job, it takes the answers as
// tine::Text, which nothing parses. With "spin", its loop looks for them before it blocks. With
// "advanced", the channel has that serialization.
#include <chrono>
#include <string_view>
#include <type_traits>
#include <vector>

#include <tine/tine.hpp>

#include "child_task.hpp"
#include "work.hpp"

namespace {

class Parent {
 public:
  Parent(bench::Job job, std::string_view mode) : work_(std::move(job)) {
    if (mode == "spin") loop_.spin(std::chrono::microseconds(bench::spin_us));
    if (mode == "advanced") options_.serialization = tine::Serialization::advanced;
  }

  template <class Answer>
  void run() {
    for (std::size_t i = 0; i < work_.job().children; ++i) start<Answer>(i);
    loop_.run();
    work_.report();
  }

 private:
  template <class Answer>
  void start(std::size_t i) {
    const auto& job = work_.job();
    options_.exec_path = job.exec_path;
    options_.args = job.args;

    work_.fork_begins();
    auto child = tine::fork(loop_, job.module, options_);
    work_.forked(child.pid().value_or(0));

    child.on<"message">([this, i](Answer answer) {
      if constexpr (std::is_same_v<Answer, tine::Text>) {
        react(i, work_.received(i));
      } else {
        react(i, work_.received(i, answer));
      }
    });
    child.on<"drain">([this, i] { send_more(i); });
    child.send(work_.greeting());
    children_.push_back(child);
  }

  void react(std::size_t i, bench::Next next) {
    switch (next) {
      case bench::Next::wait: break;
      case bench::Next::send: send_more(i); break;
      case bench::Next::send_to_all:
        for (std::size_t j = 0; j < children_.size(); ++j) send_more(j);
        break;
      case bench::Next::end:
        for (auto& child : children_) child.disconnect();
    }
  }

  void send_more(std::size_t i) {
    const auto send = [&](const nlohmann::json& message) { return children_[i].send(message); };
    while (work_.may_send(i) && work_.send_next(i, send)) {
    }
  }

  bench::Work work_;
  tine::Loop loop_;
  tine::ForkOptions options_;
  std::vector<tine::ChildProcess> children_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 2 ? argv[1] : "";
  const int job_at = mode.empty() ? 0 : 1;
  Parent parent(bench::Job::from_arguments(argc - job_at, argv + job_at), mode);
  if (mode == "text") {
    parent.run<tine::Text>();
  } else {
    parent.run<const nlohmann::json&>();
  }
}
