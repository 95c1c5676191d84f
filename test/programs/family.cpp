// A child that is also a parent. It forks the program `heir` CHILDREN times and sends COUNT
// messages to each. When all of them are written, it sends the pids of the heirs to its parent.
// Then it goes on sending, more than is read, until it is killed or gets the message "leave", on
// which it exits at once.
#include <cstdlib>
#include <string>
#include <vector>

#include <tine/tine.hpp>

int main(int, char** argv) {
  const int children = std::atoi(argv[1]);
  const int count = std::atoi(argv[2]);

  tine::Loop loop;
  tine::Process process(loop);
  std::vector<tine::ChildProcess> heirs;
  int written = 0;
  const auto report_pids = [&] {
    if (++written < children * count) return;
    nlohmann::json pids = nlohmann::json::array();
    for (auto& heir : heirs) pids.push_back(heir.pid().value());
    process.send(pids);
    const std::string text(100'000, 'x');
    for (auto& heir : heirs) {
      for (int i = count; i < count + 50; ++i) heir.send({{"number", i}, {"text", text}});
    }
  };
  for (int i = 0; i < children; ++i) {
    const auto program = tine::executable_dir() / "heir";
    heirs.push_back(
        tine::fork(loop, program, {.args = {std::to_string(count)}, .parent_death_signal = 0}));
  }
  for (auto& heir : heirs) {
    for (int i = 0; i < count; ++i)
      heir.send({{"number", i}}, [&](std::error_code) { report_pids(); });
  }
  process.on<"message">([] { std::_Exit(0); });
  loop.run();
}
