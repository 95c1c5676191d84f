// The parent on raw lines over a socket pair: one write for each line. With "batched" before the
// job, each write has 64 KiB.
#include <algorithm>
#include <cstring>
#include <vector>

#include "lines.hpp"
#include "spawn.hpp"
#include "work.hpp"

namespace {

class Parent {
 public:
  Parent(bench::Job job, bool batched) : work_(std::move(job)), batched_(batched) {
    for (const auto& message : work_.job().messages) texts_.push_back(message.dump() + '\n');
  }

  void run() {
    for (std::size_t i = 0; i < work_.job().children; ++i) start();
    while (!over_) turn();
    for (auto& child : children_) close(child.descriptor);
    for (auto& child : children_) bench::wait_for(child.pid);
    work_.report();
  }

 private:
  struct Child {
    int pid;
    int descriptor;
    std::string text;  // to be written
    std::size_t written = 0;
    std::size_t sent = 0;
  };

  void start() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) bench::fail("socketpair");
    auto command = work_.job().command();
    if (batched_) command.push_back("batched");

    work_.fork_begins();
    const int pid = bench::spawn(command, ends[1]);
    work_.forked(pid);

    close(ends[1]);
    children_.push_back({pid, ends[0], work_.greeting().dump() + '\n'});
    flush(children_.back());
  }

  void turn() {
    std::vector<pollfd> polled;
    for (const auto& child : children_) {
      const int events = child.text.empty() ? POLLIN : POLLIN | POLLOUT;
      polled.push_back({child.descriptor, static_cast<short>(events), 0});
    }
    if (poll(polled.data(), polled.size(), -1) < 0) bench::fail("poll");
    for (std::size_t i = 0; i < polled.size() && !over_; ++i) {
      if (polled[i].revents & (POLLIN | POLLHUP)) hear(i);
      if (polled[i].revents & POLLOUT) send_more(i);
    }
  }

  void hear(std::size_t i) {
    const auto bytes = bench::read_some(children_[i].descriptor, chunk_);
    if (bytes.empty()) throw std::runtime_error("the child has gone");
    auto lines = std::count(bytes.begin(), bytes.end(), '\n');
    for (; lines > 0 && !over_; --lines) {
      const auto next = work_.received(i);
      over_ = next == bench::Next::end;
      if (next != bench::Next::send_to_all) continue;
      for (std::size_t j = 0; j < children_.size(); ++j) send_more(j);
    }
    if (!over_) send_more(i);
  }

  void send_more(std::size_t i) {
    auto& child = children_[i];
    flush(child);
    while (child.text.empty() && work_.may_send(i)) {
      do {
        work_.send_next(i,
                        [&](const auto&) { child.text += texts_[child.sent++ % texts_.size()]; });
      } while (batched_ && child.text.size() < bench::chunk_size && work_.may_send(i));
      flush(child);
    }
  }

  static void flush(Child& child) {
    if (child.text.empty()) return;
    const auto rest = std::string_view(child.text).substr(child.written);
    child.written += bench::write_some(child.descriptor, rest, MSG_DONTWAIT);
    if (child.written < child.text.size()) return;
    child.text.clear();
    child.written = 0;
  }

  bench::Work work_;
  bool batched_;
  bool over_ = false;
  std::vector<std::string> texts_;
  std::vector<Child> children_;
  char chunk_[bench::chunk_size];
};

}  // namespace

int main(int argc, char** argv) {
  const bool batched = argc > 1 && std::strcmp(argv[1], "batched") == 0;
  Parent(bench::Job::from_arguments(argc - batched, argv + batched), batched).run();
}
