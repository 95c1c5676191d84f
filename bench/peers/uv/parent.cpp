// The parent on libuv and nlohmann/json, put together in the simplest way (see json_pipe.hpp).
#include <memory>
#include <string>
#include <vector>

#include "json_pipe.hpp"
#include "work.hpp"

namespace {

class Parent {
 public:
  explicit Parent(bench::Job job) : work_(std::move(job)), command_(work_.job().command()) {}

  void run() {
    for (std::size_t i = 0; i < work_.job().children; ++i) start(i);
    bench::check(uv_run(uv_default_loop(), UV_RUN_DEFAULT));
    work_.report();
  }

 private:
  struct Child {
    uv_process_t process;
    bench::JsonPipe pipe{uv_default_loop()};
  };

  void start(std::size_t i) {
    auto& child = *children_.emplace_back(std::make_unique<Child>());
    work_.fork_begins();
    spawn(child);
    work_.forked(child.process.pid);

    child.pipe.read([this, i](const nlohmann::json& answer) { received(i, answer); });
    child.pipe.on_written([this, i] { send_more(i); });
    child.pipe.send(work_.greeting());
  }

  void spawn(Child& child) {
    std::vector<char*> words;
    for (auto& word : command_) words.push_back(word.data());
    words.push_back(nullptr);

    uv_stdio_container_t stdio[4] = {};
    for (int i = 0; i < 3; ++i) {
      stdio[i].flags = UV_INHERIT_FD;
      stdio[i].data.fd = i;
    }
    stdio[3].flags =
        static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE);
    stdio[3].data.stream = child.pipe.stream();

    uv_process_options_t options = {};
    options.file = words[0];
    options.args = words.data();
    options.stdio = stdio;
    options.stdio_count = 4;
    options.exit_cb = [](uv_process_t* process, std::int64_t, int) {
      uv_close(reinterpret_cast<uv_handle_t*>(process), nullptr);
    };
    bench::check(uv_spawn(uv_default_loop(), &child.process, &options));
  }

  void received(std::size_t i, const nlohmann::json& answer) {
    switch (work_.received(i, answer)) {
      case bench::Next::wait: break;
      case bench::Next::send: send_more(i); break;
      case bench::Next::send_to_all:
        for (std::size_t j = 0; j < children_.size(); ++j) send_more(j);
        break;
      case bench::Next::end:
        for (auto& child : children_) child->pipe.close();
    }
  }

  void send_more(std::size_t i) {
    const auto send = [&](const nlohmann::json& message) {
      return children_[i]->pipe.send(message);
    };
    while (work_.may_send(i) && work_.send_next(i, send)) {
    }
  }

  bench::Work work_;
  std::vector<std::string> command_;
  std::vector<std::unique_ptr<Child>> children_;
};

}  // namespace

int main(int argc, char** argv) { Parent(bench::Job::from_arguments(argc, argv)).run(); }
