// Lets a Supervisor work while an allocation fails: the first one, then the second, and so on, until
// there are no more. Its children start, say that they are ready, end, are started again, are given up
// and stopped. Needs the shim in LD_PRELOAD.
//
// Whatever fails: a call that throws std::bad_alloc has done nothing and can be made again, and so can
// run(); the events are the same as without a fault; no process and no memory is left.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <sys/wait.h>

#include <tine/tine.hpp>

#include "faults/shim.h"

using namespace std::chrono_literals;

namespace {

tine::ChildSpec script(const std::string& name, const std::string& text, tine::Ready ready) {
  return {.name = name,
          .module = text,
          .fork = {.exec_path = "/bin/sh", .exec_args = {"-c"}},
          .ready = std::move(ready),
          .heartbeat = {.every = 1h},
          .backoff = {.first = 1ms, .jitter = 0}};
}

const std::string until_disconnect = "read -r _ <&3";
// Answers the request that it has read.
const std::string answer = R"(read -r line <&3; id=${line#*'"id":'}; id=${id%%[,\}]*}; )"
                           R"(echo '{"jsonrpc":"2.0","id":'$id',"result":null}' >&3; )";

// A supervisor that notes its events.
class Scene {
 public:
  explicit Scene(std::string& log) : log_(log) {}

  void run() {
    again([&] { supervisor_ = tine::Supervisor(loop_, options_); });
    again([&] { listen_for<"start">("start "); });
    again([&] { listen_for<"ready">("ready "); });
    again([&] { listen_for<"exit">("exit "); });
    again([&] { listen_for<"restart">("restart "); });
    again([&] { supervisor_.on<"failed">([this] { log_ += "failed\n"; }); });
    again([&] { supervisor_.on<"close">([this] { log_ += "close\n"; }); });
    for (const tine::ChildSpec& spec : specs_) again([&] { supervisor_.add(spec); });
    again([&] { supervisor_.stop_on(signals_); });
    again([&] { supervisor_.start(); });
    again([&] { loop_.run(); });
  }

 private:
  template <tine::EventName Name>
  void listen_for(const char* event) {
    supervisor_.on<Name>([this, event](const std::string& name) { log_ += event + name + '\n'; });
  }

  // Needs no memory for the log, which has room.
  template <class F>
  static void again(F call) {
    for (;;) {
      try {
        return call();
      } catch (const std::bad_alloc&) {
      }
    }
  }

  std::string& log_;
  const tine::SupervisorOptions options_{.strategy = tine::Strategy::rest_for_one, .restarts = 1};
  const std::vector<int> signals_{SIGUSR1, SIGUSR2};
  const std::vector<tine::ChildSpec> specs_{
      script("a", "echo '\"ready\"' >&3; " + until_disconnect, tine::Ready::message("ready")),
      script("b", answer + until_disconnect, tine::Ready::request("begin")),
      script("c", "exit 3", tine::Ready::spawned())};
  tine::Loop loop_;
  tine::Supervisor supervisor_;
};

// Runs the scene while this fault is armed. Returns its events.
std::string events_with(const std::string& fault, FaultCount& count) {
  constexpr std::size_t room = 10'000;
  std::string log;
  log.reserve(room);
  const long blocks = fault_blocks();
  {
    Scene scene(log);
    count = {};
    fault_arm(fault.c_str(), &count);
    scene.run();
    fault_disarm();
  }
  if (fault_blocks() != blocks) log += std::to_string(fault_blocks() - blocks) + " blocks left\n";
  if (waitpid(-1, nullptr, WNOHANG) == 0) log += "a child is left\n";
  return log;
}

}  // namespace

// Argument: the number of the first allocation that fails, to repeat a run by hand.
int main(int argc, char** argv) {
  if (fault_arm == nullptr) return 2;
  std::setvbuf(stdout, nullptr, _IONBF, 0);
  FaultCount count{};
  const std::string never = "malloc:ENOMEM:1000000000";
  events_with(never, count);  // makes what is made only once
  const std::string expected = events_with(never, count);
  std::printf("%s%llu allocations\n", expected.c_str(),
              static_cast<unsigned long long>(count.calls));
  for (int call = argc > 1 ? std::atoi(argv[1]) : 1;; ++call) {
    const std::string fault = "malloc:ENOMEM:" + std::to_string(call);
    const std::string events = events_with(fault, count);
    if (events != expected) {
      std::printf("WRONG with %s:\n%s", fault.c_str(), events.c_str());
      return 1;
    }
    if (count.strikes == 0) return 0;
  }
}
