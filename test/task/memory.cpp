// What start() does if memory runs out.
#include <new>
#include <stop_token>

#include "task/task_test.hpp"
#include "wire/heap.hpp"

using namespace std::chrono_literals;

TEST_CASE("start: if memory runs out it throws, and nothing keeps the loop running", "[task]") {
  const auto quick = [](Frame = {}) -> tine::Task<> { co_await tine::sleep(1ms); };
  static const std::stop_source stop;  // g++ 12 warns about a local one
  int failures = 0;
  for (bool failed = true; failed; failures += failed) {
    TaskLoop loop;
    tine::Task<> task = quick().within(1h);
    failed = false;
    heap::fail_after(failures);
    try {
      tine::start(loop, std::move(task), stop.get_token());
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    heap::fail_after(-1);
    CHECK(Frame::alive() == (failed ? 0 : 1));
    loop.run();
  }
  CHECK(failures > 3);
}
