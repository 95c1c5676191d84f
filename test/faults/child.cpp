// The child of the scenario. Arguments: LEDGER SCENE [FAULT].
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>
#include <vector>

#include <unistd.h>

#include <tine/tine.hpp>

#include "faults/asking.hpp"
#include "faults/exchange.hpp"

namespace {

void exchange_messages(Ledger& ledger, std::string_view scene,
                       const std::vector<nlohmann::json>& messages) {
  tine::Loop loop;
  tine::Process process(loop);
  if (is_asking(scene)) {
    Asking<tine::Process> asking(loop, process, ledger.child, ledger.plan, scene == "tasks", [] {});
    return run_to_end(loop, asking);
  }
  Exchange<tine::Process> exchange(process, ledger.child, ledger.plan, messages, [] {});
  if (scene == "leave") {
    exchange.send_up_to(ledger.plan.count);
    process.exit(0);
  }
  run_to_end(loop, exchange);
}

}  // namespace

int main(int argc, char** argv) {
  std::set_terminate([] { _exit(terminated_for_memory() ? ended_by_terminate : 1); });
  Ledger& ledger = open_ledger(std::atoi(argv[1]));
  { const tine::Loop first; }  // libuv aborts if it cannot create what all loops share
  const auto messages = make_messages(ledger.plan);
  if (argc > 3) fault_arm(argv[3], &ledger.child.fault);
  int code = 0;
  try {
    exchange_messages(ledger, argv[2], messages);
  } catch (const std::bad_alloc&) {
    code = gave_up;
  } catch (const std::system_error&) {
    code = gave_up;
  }
  if (argc > 3) fault_disarm();
  return code;
}
