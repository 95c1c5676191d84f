#include <string>

#include "command/trace/trace_record.hpp"
#include "command/trace/trace_statistics.hpp"
#include "support/catch.hpp"

using namespace tine::command;

TEST_CASE("trace record: a line is read", "[command]") {
  const auto record = read_trace_record(
      R"({"time":10.5,"pid":1,"peer":2,"channel":3,"direction":"out","size":4,"queued":5,)"
      R"("internal":true,"message":{"b":1,"a":2}})");
  REQUIRE(record);
  CHECK(record->time == 10.5);
  CHECK(record->pid == 1);
  CHECK(record->peer == 2);
  CHECK(record->channel == 3);
  CHECK(record->out);
  CHECK(record->size == 4);
  CHECK(record->queued == 5);
  CHECK(record->internal);
  CHECK(record->message == R"({"b":1,"a":2})");
  CHECK_FALSE(read_trace_record("{}"));
  CHECK_FALSE(read_trace_record("x"));
}

TEST_CASE("trace statistics: counts, bytes, latencies and peaks of each end", "[command]") {
  TraceStatistics statistics;
  const auto add = [&](double time, bool out, std::size_t size, std::size_t queued) {
    statistics.add({.time = time,
                    .pid = 1,
                    .peer = 2,
                    .channel = 1,
                    .out = out,
                    .size = size,
                    .queued = queued,
                    .message = "1"});
  };
  add(1.000, true, 10, 11);
  add(1.001, true, 20, 32);
  add(1.004, false, 5, 0);
  add(1.005, false, 5, 0);
  CHECK(statistics.text() ==
        "pid 1, channel 1, to pid 2\n"
        "  out: 2 messages, 30 bytes, queue peak 32 bytes\n"
        "  in: 2 messages, 10 bytes, queue peak 0 bytes\n"
        "  back after: median 4.000 ms, 99 % 4.000 ms, longest 4.000 ms (1 times)\n");
}
