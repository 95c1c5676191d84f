// Lets a parent and a child exchange messages while a system call or an allocation fails in one of
// them, and checks that tine keeps its promises. Arguments: SIDE SCENE FAULT, for example
//
//   LD_PRELOAD=…/libfault_shim.so scenario parent large write:EPIPE:7
//
// SIDE is the process in which the call fails. SCENE is "large" or "small", for messages of that
// size both ways and a parent that disconnects while some are queued, or "leave", for a child that
// sends and calls Process::exit(). In "requests" and "tasks" both sides make requests that are answered,
// fail, are late, are cancelled and have progress; with "tasks", tasks await and answer them.
//
// Whatever fails: messages arrive in order, whole and at most once; each callback runs once;
// "spawn", "connected", "disconnect", "exit" and "close" are emitted once each and in this order;
// no descriptor, process or memory is left; and another child then works as usual.
//
// Each request ends once, with its own answer or an error, unless its process has ended.
//
// Transient failures (EINTR, EAGAIN, ENOBUFS, partial reads and writes) must not be noticed at all.
// After other failures the channel may end, cleanly. A message that was reported as written is then
// in the socket, so it still arrives, unless the fault hits the receiver before it has read the
// message.
//
// A failed allocation makes the public call or run() throw std::bad_alloc. The call has then done
// nothing, and run() can be called again: no message, callback or event is lost. Only nlohmann's
// destructor, which allocates, cannot throw and ends in std::terminate(). Then nothing wrong is
// sent, and the other process sees the channel end and carries on.
//
// Exit codes: 0; 1, with the reason on stderr; 3 for std::terminate() as above; 77 if the fault has
// not happened because the function is not called that often.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tine/tine.hpp>

#include "faults/asking.hpp"
#include "faults/exchange.hpp"

namespace {

constexpr int untouched = 77;

struct Case {
  std::string_view side;
  std::string_view scene;
  std::string fault;

  bool asking() const { return is_asking(scene); }
  bool in(std::string_view which) const { return side == which; }
  std::string_view function() const { return std::string_view(fault).substr(0, fault.find(':')); }

  // Whether the fault must not be noticed.
  bool harmless() const;
};

bool Case::harmless() const {
  const auto is_one_of = [](std::string_view word, std::initializer_list<const char*> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  if (fault.empty()) return true;
  if (is_one_of(function(), {"poll", "epoll_wait", "waitid"})) return true;
  const std::string_view rest = std::string_view(fault).substr(function().size() + 1);
  return is_one_of(function(), {"read", "write"}) &&
         is_one_of(rest.substr(0, rest.find(':')), {"half", "byte", "EINTR", "EAGAIN", "ENOBUFS"});
}

int violations = 0;

void expect(bool good, const std::string& what) {
  if (good) return;
  ++violations;
  std::fprintf(stderr, "%s\n", what.c_str());
}

// The events of the parent other than messages.
struct Events {
  bool loop_made = false;
  std::string emitted;  // a letter each: spawn, connected, disconnect, exit, close
  std::optional<tine::ExitStatus> exit;
};

tine::ForkOptions child_options(const Case& its, int ledger_fd, Events& events) {
  events.loop_made = true;
  tine::ForkOptions options{.args = {std::to_string(ledger_fd), std::string(its.scene)}};
  if (its.in("child")) options.args.push_back(its.fault);
  return options;
}

void note_events(const tine::ChildProcess& child, Events& events) {
  child.on<"spawn">([&events] { events.emitted += 's'; });
  child.on<"connected">([&events] { events.emitted += 'c'; });
  child.on<"disconnect">([&events] { events.emitted += 'd'; });
  child.on<"exit">([&events](const tine::ExitStatus& status) {
    events.emitted += 'e';
    events.exit = status;
  });
  child.on<"close">([&events] { events.emitted += 'C'; });
}

// The parent of the scenes with requests.
class AskingParent {
 public:
  AskingParent(Ledger& ledger, int ledger_fd, const Case& its, Events& events)
      : child_(tine::fork(loop_, tine::executable_dir() / "child",
                          child_options(its, ledger_fd, events))),
        asking_(loop_, child_, ledger.parent, ledger.plan, its.scene == "tasks",
                [this] { progress(); }) {
    note_events(child_, events);
  }

  void run() { run_to_end(loop_, asking_); }

 private:
  void progress() {
    if (asking_.complete() && asking_.peer_is_complete() && child_.connected()) child_.disconnect();
  }

  tine::Loop loop_;
  tine::ChildProcess child_;
  Asking<tine::ChildProcess> asking_;
};

class Parent {
 public:
  Parent(Ledger& ledger, int ledger_fd, const std::vector<nlohmann::json>& messages,
         const Case& its, Events& events)
      : ledger_(ledger),
        case_(its),
        child_(tine::fork(loop_, tine::executable_dir() / "child",
                          child_options(its, ledger_fd, events))),
        exchange_(child_, ledger.parent, ledger.plan, messages, [this] { progress(); }) {
    note_events(child_, events);
  }

  void run() {
    if (case_.scene == "leave") {
      child_.channel().pause();
      hold_up();
      return loop_.run();
    }
    run_to_end(loop_, exchange_);
  }

 private:
  // Sends messages to a child that leaves. The child waits until it can write, and reads these
  // messages meanwhile, so it waits several times.
  void hold_up() {
    constexpr int times = 3;
    if (!child_.connected() || held_up_ == times) return child_.channel().resume();
    if (child_.channel().peer_has_read_all()) {
      ++held_up_;
      child_.send("not yet", [](std::error_code) {});
    }
    loop_.after(std::chrono::milliseconds(1), [this] { hold_up(); });
  }

  // Pauses once in the middle. During that pause the channel watches only for its end.
  void progress() {
    if (case_.scene == "leave") return;
    if (!paused_ && ledger_.parent.received == ledger_.plan.count / 2) {
      loop_.after(std::chrono::milliseconds(1), [this] {
        exchange_.listen();
        child_.channel().resume();
      });
      child_.channel().pause();
      paused_ = true;
    }
    if (exchange_.complete() && child_.connected()) {
      exchange_.send_up_to(ledger_.plan.with_farewell());
      child_.disconnect();
    }
  }

  Ledger& ledger_;
  const Case& case_;
  tine::Loop loop_;
  tine::ChildProcess child_;
  Exchange<tine::ChildProcess> exchange_;
  bool paused_ = false;
  int held_up_ = 0;
};

// Returns false if the exchange could not begin.
bool exchange_messages(Ledger& ledger, int ledger_fd, const std::vector<nlohmann::json>& messages,
                       const Case& its, Events& events) {
  try {
    if (its.asking()) {
      AskingParent(ledger, ledger_fd, its, events).run();
      return true;
    }
    Parent parent(ledger, ledger_fd, messages, its, events);
    parent.run();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  } catch (const std::system_error&) {
    return false;
  }
}

// Checks the messages that `from` has sent to `to`.
void check_messages(const char* from_name, const Account& from, const Account& to, bool strict) {
  int lost = 0;
  int invented = 0;
  for (int number = 0; number < Account::most; ++number) {
    const Sent state = from.sent[static_cast<std::size_t>(number)];
    if (number >= to.received && state == Sent::written) ++lost;
    if (number < to.received && state == Sent::not_yet) ++invented;
  }
  const std::string whose = std::string(" messages of the ") + from_name;
  expect(invented == 0, std::to_string(invented) + whose + " have come that were not sent");
  expect(!strict || lost == 0,
         std::to_string(lost) + whose + " were reported as written and have not come");
}

void check_callbacks(const char* name, const Account& account) {
  const auto missing = std::count(account.sent.begin(), account.sent.end(), Sent::accepted);
  expect(missing == 0, std::to_string(missing) + " callbacks of the " + name + " have not run");
}

void check_all_came(const char* to_name, const Account& from, const Account& to, int expected) {
  expect(to.received == expected, std::string("the ") + to_name + " has got " +
                                      std::to_string(to.received) + " messages of " +
                                      std::to_string(expected));
  const auto refused = std::count(from.sent.begin(), from.sent.end(), Sent::failed);
  expect(refused == 0, std::to_string(refused) + " messages were reported as failed");
}

void check_complaints(const Ledger& ledger) {
  expect(ledger.parent.complaint[0] == '\0',
         std::string("parent: ") + ledger.parent.complaint.data());
  expect(ledger.child.complaint[0] == '\0', std::string("child: ") + ledger.child.complaint.data());
}

void check_ledger(const Ledger& ledger, const Case& its, bool child_ended_well) {
  const bool harmless = its.harmless();
  check_complaints(ledger);
  if (!its.asking()) {
    check_messages("parent", ledger.parent, ledger.child, harmless || !its.in("child"));
    check_messages("child", ledger.child, ledger.parent, harmless || !its.in("parent"));
  }
  const bool leave = its.scene == "leave";
  if (child_ended_well && !leave) check_callbacks("child", ledger.child);
  if (!harmless) return;
  check_all_came("parent", ledger.child, ledger.parent, ledger.plan.count);
  const Plan& plan = ledger.plan;
  const int for_child = its.asking() ? plan.count : plan.with_farewell();
  if (!leave) check_all_came("child", ledger.parent, ledger.child, for_child);
}

void check_events(const Events& events, const Case& its) {
  if (its.harmless() || its.in("child") || events.emitted != "C") {
    expect(events.emitted == "scdeC", "the events are \"" + events.emitted + "\"");
    const int code = events.exit ? events.exit->code.value_or(-1) : -1;
    const bool child_gave_up = its.in("child") && !its.harmless() && code == gave_up;
    const bool terminated =
        its.in("child") && its.function() == "malloc" && code == ended_by_terminate;
    expect(code == 0 || child_gave_up || terminated,
           "the child ended by " + (events.exit ? to_string(*events.exit) : "nothing"));
  }
}

std::map<std::string, std::string> open_descriptors() {
  std::map<std::string, std::string> descriptors;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the directory's own descriptor is listed too
    const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (!gone && target.find("/fd") == target.npos) descriptors[entry.path().filename()] = target;
  }
  return descriptors;
}

// Waits until no child and no other thread is left. A child that a thread of tine waits for may
// still run for a while. If nobody waits for a child, this never returns.
void wait_until_alone() {
  siginfo_t unused;
  while (waitid(P_ALL, 0, &unused, WEXITED | WNOWAIT) == 0) sched_yield();
  const auto threads = [] { return std::filesystem::directory_iterator("/proc/self/task"); };
  while (std::distance(threads(), {}) > 1) sched_yield();
}

bool has_children() {
  siginfo_t unused;
  return waitid(P_ALL, 0, &unused, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// Runs an exchange without a fault.
void exchange_without_fault(const Plan& plan) {
  int fd = -1;
  Ledger& ledger = make_ledger(plan, fd);
  const Case peace{.side = "nowhere", .scene = "small", .fault = ""};
  Events events;
  expect(exchange_messages(ledger, fd, make_messages(plan), peace, events),
         "nothing could be begun without a fault");
  close(fd);
  check_ledger(ledger, peace, true);
  check_callbacks("parent", ledger.parent);
  check_events(events, peace);
}

// Leaves a child that outlives its loop. This creates tine's reaper, which is created only once.
void leave_child_without_fault() {
  tine::Loop loop;
  tine::fork(loop, "/bin/true");
}

const Ledger* ledger_at_stake;
const Case* case_at_stake;

// The terminate handler. Checks that the child sees the end of its channel and is unharmed.
[[noreturn]] void terminated() {
  if (fault_disarm != nullptr) fault_disarm();
  const bool for_memory = terminated_for_memory() && case_at_stake != nullptr &&
                          case_at_stake->function() == "malloc" && case_at_stake->in("parent");
  if (!for_memory) std::abort();
  syscall(SYS_close_range, 3u, ~0u, 0u);
  while (wait(nullptr) > 0 || errno == EINTR) {
  }
  check_ledger(*ledger_at_stake, *case_at_stake, true);
  _exit(violations > 0 ? 1 : ended_by_terminate);
}

// A uv_loop_init() that fails does not undo everything: it leaves its first descriptor, or a block
// of memory.
bool left_by_libuv(const Case& its, const std::string& target) {
  return (its.function() == "eventfd" || its.function() == "pipe2") &&
         target == "anon_inode:[eventpoll]";
}

void check_leftovers(const std::map<std::string, std::string>& descriptors, long blocks,
                     const Case& its, bool loop_made) {
  const long left = fault_blocks() - blocks;
  expect(left == 0 || (left == 1 && !loop_made),
         std::to_string(left) + " blocks of memory are left");
  for (const auto& [number, target] : open_descriptors()) {
    expect(descriptors.contains(number) || left_by_libuv(its, target),
           "descriptor " + number + " is left open: " + target);
  }
}

// Runs an exchange with the fault. Returns whether the fault has happened.
bool exchange_with_fault(const Plan& plan, const Case& its) {
  int fd = -1;
  Ledger& ledger = make_ledger(plan, fd);
  ledger_at_stake = &ledger;
  case_at_stake = &its;
  Events events;
  const auto messages = make_messages(plan);
  const auto descriptors = open_descriptors();
  const long blocks = fault_blocks();
  if (its.in("parent")) fault_arm(its.fault.c_str(), &ledger.parent.fault);
  const bool begun = exchange_messages(ledger, fd, messages, its, events);
  fault_disarm();
  expect(!begun || !has_children(), "a child is left");
  wait_until_alone();
  check_leftovers(descriptors, blocks, its, events.loop_made);
  close(fd);

  const bool ended_well = its.in("parent") || events.exit == tine::ExitStatus{.code = 0};
  check_ledger(ledger, its, ended_well);
  if (begun) {
    check_callbacks("parent", ledger.parent);
    check_events(events, its);
  } else {
    expect(!its.harmless(), "it could not be begun");
  }
  return ledger.parent.fault.strikes + ledger.child.fault.strikes > 0;
}

Plan plan_of(std::string_view scene) {
  if (scene == "large") return {.count = 300, .largest = 1'000'000};
  if (is_asking(scene)) return {.count = 20, .largest = 1};
  if (scene == "leave") return {.count = 400, .largest = 300'000};  // more than a socket takes
  return {.count = 40, .largest = 70'000};
}

}  // namespace

int main(int argc, char** argv) {
  FaultCount unused{};
  if (argc != 4 || fault_arm == nullptr || fault_arm(argv[3], &unused) == 0) {
    std::fputs("usage: LD_PRELOAD=…/libfault_shim.so scenario parent|child SCENE FAULT\n", stderr);
    return 2;
  }
  fault_disarm();
  std::set_terminate(terminated);
  std::thread([] {}).join();  // libc keeps some memory for the first thread

  const Case its{.side = argv[1], .scene = argv[2], .fault = argv[3]};
  // These create all objects that are created only once.
  exchange_without_fault({.count = 10, .largest = 1000});
  leave_child_without_fault();
  wait_until_alone();
  const bool happened = exchange_with_fault(plan_of(its.scene), its);
  exchange_without_fault({.count = 1000, .largest = 3000});
  if (violations > 0) return 1;
  return happened ? 0 : untouched;
}
