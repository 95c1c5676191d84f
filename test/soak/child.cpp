// A child of the soak. Its arguments: LEDGER SLOT SEED ENDING STEPS.
#include <cstdlib>

#include <tine/tine.hpp>

#include "soak/actor.hpp"

namespace {

Life life_from(char** argv) {
  Random unused(0);
  Life life(unused);
  life.seed = static_cast<std::uint32_t>(std::stoul(argv[3]));
  life.ending = ending_named(argv[4]);
  life.steps = std::atoi(argv[5]);
  return life;
}

void end(Ending ending, tine::Process& process, const std::function<void()>& run_dry) {
  if (ending == Ending::child_disconnects) process.disconnect();
  if (ending == Ending::child_runs_dry) run_dry();
  if (ending == Ending::child_exits) process.exit(exited);
  if (ending == Ending::child_aborts) std::_Exit(aborted);
}

}  // namespace

int main(int, char** argv) {
  Account& mine = open_ledger(std::atoi(argv[1])).at(std::stoul(argv[2]));
  const Life life = life_from(argv);
  int disconnects = 0;

  tine::Loop loop;
  tine::Process process(loop);
  std::function<void()> run_dry;
  Actor<tine::Process> actor(loop, process, mine,
                             {.decisions = life.childs_decisions(),
                              .sent = Messages(life.childs_messages()),
                              .expected = Messages(life.parents_messages()),
                              .steps = life.ended_by_parent() ? -1 : life.steps,
                              .end = [&] { end(life.ending, process, run_dry); }});
  const auto disconnect = process.on<"disconnect">([&] { ++disconnects; });
  run_dry = [&] {
    actor.rest();
    actor.stop_listening();
    process.off(disconnect);
  };
  loop.run();

  if (mine.called != mine.accepted) mine.complain("callbacks have not run");
  const int expected = life.ending == Ending::child_runs_dry ? 0 : 1;
  if (disconnects != expected) mine.complain("not as many \"disconnect\" as there should be");
}
