// The parent that writes payloads to a pipe, one write for each. The sums come back in another
// pipe.
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "payload.hpp"
#include "pipe/pipe.hpp"
#include "spawn.hpp"
#include "work.hpp"

namespace {

class Parent {
 public:
  explicit Parent(bench::Job job)
      : work_(std::move(job)),
        bytes_(bench::payload(work_.job().payload)),
        sum_(bench::sum(std::as_bytes(std::span(bytes_)))) {}

  void run() {
    start();
    auto next = work_.received(0);  // the child answers the greeting that it does not get
    while (next != bench::Next::end) {
      while (work_.may_send(0)) {
        work_.send_next(0, [&](const auto&) { bench::write_all(payloads_, bytes_); });
      }
      if (hear() != sum_) throw std::runtime_error("the child has other bytes");
      next = work_.received(0);
    }
    close(payloads_);
    bench::wait_for(pid_);
    work_.report();
  }

 private:
  void start() {
    int there[2];
    int back[2];
    if (pipe2(there, O_CLOEXEC) != 0 || pipe(back) != 0) bench::fail("pipe");
    fcntl(back[0], F_SETFD, FD_CLOEXEC);
    auto command = work_.job().command();
    command.push_back(std::to_string(back[1]));
    command.push_back(std::to_string(bytes_.size()));
    work_.fork_begins();
    pid_ = bench::spawn(command, there[0]);
    work_.forked(pid_);
    close(there[0]);
    close(back[1]);
    payloads_ = there[1];
    answers_ = back[0];
    hear();
  }

  std::uint64_t hear() const {
    std::uint64_t sum = 0;
    if (!bench::read_all(answers_, &sum, sizeof sum)) {
      throw std::runtime_error("the child has gone");
    }
    return sum;
  }

  bench::Work work_;
  std::string bytes_;
  std::uint64_t sum_;
  int pid_ = 0;
  int payloads_ = -1;
  int answers_ = -1;
};

}  // namespace

int main(int argc, char** argv) { Parent(bench::Job::from_arguments(argc, argv)).run(); }
