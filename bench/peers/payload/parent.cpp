// tine's parent for payloads. Before the job stands how they travel: "shared", a SharedBuffer that
// is made for each; "kept", one that is made once; "string", a JSON string; "buffer", a Buffer of
// advanced serialization.
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <tine/tine.hpp>

#include "payload.hpp"
#include "work.hpp"

namespace {

class Parent {
 public:
  Parent(bench::Job job, std::string_view way)
      : work_(std::move(job)), way_(way), bytes_(bench::payload(work_.job().payload)) {
    if (way_ == "kept") kept_ = tine::SharedBuffer(bytes_);
    sum_ = bench::sum(std::as_bytes(std::span(bytes_)));
  }

  void run() {
    start();
    loop_.run();
    work_.report();
  }

 private:
  void start() {
    tine::ForkOptions options;
    options.args = work_.job().args;
    if (way_ == "buffer") options.serialization = tine::Serialization::advanced;
    work_.fork_begins();
    child_ = tine::fork(loop_, work_.job().module, options);
    work_.forked(child_.pid().value_or(0));
    child_.once<"message">([this] {  // the answer to the greeting
      child_.on<"message">([this](std::uint64_t sum) {
        if (sum != sum_) throw std::runtime_error("the child has other bytes");
        react(work_.received(0));
      });
      react(work_.received(0));
    });
    child_.on<"drain">([this] { send_more(); });
    child_.send(work_.greeting());
  }

  void react(bench::Next next) { next == bench::Next::end ? child_.disconnect() : send_more(); }

  void send_more() {
    const auto send = [this](const nlohmann::json& message) { return send_payload(message); };
    while (work_.may_send(0) && work_.send_next(0, send)) {
    }
  }

  bool send_payload(const nlohmann::json& message) const {
    if (way_ == "shared") return child_.send(message, tine::SharedBuffer(bytes_));
    if (way_ == "kept") return child_.send(message, kept_);
    if (way_ == "string") return child_.send(bytes_);
    return child_.send(nlohmann::json::binary({bytes_.begin(), bytes_.end()}));
  }

  bench::Work work_;
  std::string_view way_;
  std::string bytes_;
  std::uint64_t sum_ = 0;
  tine::SharedBuffer kept_;
  tine::Loop loop_;
  tine::ChildProcess child_;
};

}  // namespace

int main(int argc, char** argv) {
  Parent(bench::Job::from_arguments(argc - 1, argv + 1), argv[1]).run();
}
