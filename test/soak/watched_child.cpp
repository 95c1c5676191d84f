#include "soak/watched_child.hpp"

#include <csignal>
#include <utility>

namespace {

std::filesystem::path program(bool node) {
  return node ? std::filesystem::path(SOAK_SCRIPT) : tine::executable_dir() / "child";
}

}  // namespace

WatchedChild::WatchedChild(tine::Loop& loop, const Slot& slot, const Life& life, int lost,
                           std::function<void()> over)
    : loop_(loop),
      slot_(slot),
      life_(life),
      over_(std::move(over)),
      child_((slot.account.reset(), tine::fork(loop, program(slot.node), fork_options()))),
      actor_(loop, child_, mine_,
             {.decisions = life.parents_decisions(),
              .sent = Messages(life.parents_messages()),
              .expected = Messages(life.childs_messages()),
              .steps = life.ended_by_parent() ? life.steps : -1,
              .stop = [this] { child_.kill(SIGSTOP); },
              .go_on = [this] { child_.kill(SIGCONT); },
              .end = [this] { end(); },
              .lost = lost}) {
  child_.on<"spawn">([this] { events_ += "spawn "; });
  child_.on<"connected">([this] { events_ += "connected "; });
  child_.on<"disconnect">([this] { events_ += "disconnect "; });
  child_.on<"exit">([this](const tine::ExitStatus& status) {
    events_ += status == expected_status() ? "exit " : "exit by " + to_string(status) + " ";
  });
  child_.on<"close">([this] {
    events_ += "close ";
    loop_.post([this] { collect(); });  // after the listeners are dropped
  });
}

WatchedChild::~WatchedChild() {
  actor_.stop_listening();  // a closed child keeps a listener that was added after "close"
}

tine::ForkOptions WatchedChild::fork_options() const {
  return {.args = {std::to_string(slot_.ledger_fd), std::to_string(slot_.number),
                   std::to_string(life_.seed), std::string(name_of(life_.ending)),
                   std::to_string(life_.steps)},
          .exec_path = slot_.node ? "node" : "",
          .kill_with_loop = true};
}

void WatchedChild::end() {
  if (life_.ending == Ending::disconnect) return child_.disconnect();
  if (!child_.kill(SIGKILL)) mine_.complain("a child that runs could not be killed");
}

// Messages that came during a pause still wait for a listener, even after "close".
void WatchedChild::collect() {
  actor_.rest();
  actor_.listen();
  loop_.post([this] { std::exchange(over_, nullptr)(); });
}

tine::ExitStatus WatchedChild::expected_status() const {
  switch (life_.ending) {
    case Ending::kill: return {.signal = SIGKILL};
    case Ending::child_exits: return {.code = exited};
    case Ending::child_aborts: return {.code = aborted};
    default: return {.code = 0};
  }
}

std::string WatchedChild::description() const {
  const auto account = [](const Account& of) {
    return std::to_string(of.accepted) + " sent, " + std::to_string(of.called) + " callbacks, " +
           std::to_string(of.written) + " written, " + std::to_string(of.received) + " received";
  };
  return std::string(slot_.node ? "Node's child " : "child ") + std::to_string(slot_.number) +
         " with seed " + std::to_string(life_.seed) + " that ends by " +
         std::string(name_of(life_.ending)) + "; parent: " + account(mine_) +
         "; child: " + account(slot_.account) + "; events: " + events_;
}

std::vector<std::string> WatchedChild::complaints() const {
  std::vector<std::string> found;
  if (mine_.complaint[0] != '\0') found.push_back("parent: " + std::string(mine_.complaint.data()));
  const Account& childs = slot_.account;
  if (childs.complaint[0] != '\0')
    found.push_back("child: " + std::string(childs.complaint.data()));
  if (events_ != "spawn connected disconnect exit close ") {
    found.emplace_back("the events are not as they should be");
  }
  compare(found);
  return found;
}

// If Node disconnects or exits, it also reports success for messages that it has not written. So a
// message of a Node child may be missing although it counts as written.
void WatchedChild::compare(std::vector<std::string>& found) const {
  const auto require = [&](bool condition, const char* otherwise) {
    if (!condition) found.emplace_back(otherwise);
  };
  const Account& childs = slot_.account;
  require(mine_.called == mine_.accepted, "callbacks of the parent have not run");
  require(mine_.received <= childs.accepted, "the parent got more than was sent");
  require(childs.received <= mine_.accepted, "the child got more than was sent");
  switch (life_.ending) {
    case Ending::disconnect:
      require(mine_.written == mine_.accepted,
              "the parent has disconnected with messages unwritten");
      require(childs.received == mine_.accepted, "the child lacks messages of the parent");
      break;
    case Ending::child_disconnects:
    case Ending::child_runs_dry:
      require(childs.written == childs.accepted, "the child has ended with messages unwritten");
      require(mine_.received == childs.accepted, "the parent lacks messages of the child");
      break;
    case Ending::child_exits:
      require(slot_.node || mine_.received == childs.accepted,
              "the parent lacks messages of a child that has exited");
      break;
    case Ending::kill:
    case Ending::child_aborts:
      require(mine_.received >= childs.written,
              "the parent lacks what was written before the child's death");
  }
}
