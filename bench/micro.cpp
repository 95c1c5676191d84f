// Measures what one message costs, step by step and by its size, without a channel:
// build/bench/bench/micro.
//
// nlohmann/json beside tine's reader and writer shows what they are for. All rows of one name
// should have the same speed in bytes per second: a cost that grows faster than its message is a
// bug.
#include <cstdint>
#include <string>

#include <benchmark/benchmark.h>

#include <tine/tine.hpp>

#include "base/byte_buffer.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"

namespace {

using nlohmann::json;

constexpr std::size_t depth = 1000;

json record(std::int64_t n) {
  return {{"n", n}, {"type", "update"}, {"source", "sensor-1"}, {"value", 21.375}, {"valid", true}};
}

// Returns an array of records, of about `bytes` of JSON text; one record alone if there is no room
// for more.
json message_of(std::int64_t bytes) {
  constexpr std::int64_t record_size = 80;
  if (bytes <= record_size) return record(100'000'000);
  json array = json::array();
  for (std::int64_t n = 0; n < bytes / record_size; ++n) array.push_back(record(100'000'000 + n));
  return array;
}

// A text, and after it the padding that parsers may read.
class PaddedText {
 public:
  explicit PaddedText(const json& value) { buffer_.append(value.dump()); }
  std::string_view view() {
    buffer_.room(tine::base::padding);
    return buffer_.view();
  }

 private:
  tine::base::ByteBuffer buffer_;
};

void count_bytes(benchmark::State& state, std::size_t message) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(message));
}

// Reads into the previous value, which has the same shape: the usual case.
void read_again(benchmark::State& state) {
  PaddedText text(message_of(state.range(0)));
  tine::wire::JsonReader reader(depth);
  json value;
  for (auto _ : state) {
    if (reader.read(text.view(), value)) state.SkipWithError("not read");
    benchmark::DoNotOptimize(value);
  }
  count_bytes(state, text.view().size());
}

// Reads into a new value: the case after a listener has taken the previous one.
void read_fresh(benchmark::State& state) {
  PaddedText text(message_of(state.range(0)));
  tine::wire::JsonReader reader(depth);
  for (auto _ : state) {
    json value;
    if (reader.read(text.view(), value)) state.SkipWithError("not read");
    benchmark::DoNotOptimize(value);
  }
  count_bytes(state, text.view().size());
}

// Validates a text, as send() does with a Text.
void check_text(benchmark::State& state) {
  PaddedText text(message_of(state.range(0)));
  tine::wire::JsonReader reader(depth);
  for (auto _ : state) {
    if (reader.check(text.view())) state.SkipWithError("not valid");
  }
  count_bytes(state, text.view().size());
}

void nlohmann_parse(benchmark::State& state) {
  const auto text = message_of(state.range(0)).dump();
  for (auto _ : state) benchmark::DoNotOptimize(json::parse(text));
  count_bytes(state, text.size());
}

void write(benchmark::State& state) {
  const auto value = message_of(state.range(0));
  tine::base::ByteBuffer out;
  for (auto _ : state) {
    out.truncate(0);
    if (tine::wire::write_json(value, depth, out)) state.SkipWithError("not written");
    benchmark::DoNotOptimize(out.view());
  }
  count_bytes(state, out.size());
}

void nlohmann_dump(benchmark::State& state) {
  const auto value = message_of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(value.dump());
  count_bytes(state, value.dump().size());
}

// The user's own share of the cost: an initializer list, and destroying the value.
void build(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(message_of(state.range(0)));
  count_bytes(state, message_of(state.range(0)).dump().size());
}

// Emits an event to its listeners, and does nothing else.
void emit(benchmark::State& state) {
  tine::detail::ListenerTable<tine::Event<"tick", int>> listeners;
  int sum = 0;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    listeners.add<"tick">(false, [&](int n) { sum += n; });
  }
  for (auto _ : state) listeners.notify<"tick">(1);
  benchmark::DoNotOptimize(sum);
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  for (const std::int64_t bytes : {80, 1 << 10, 16 << 10, 128 << 10, 1 << 20}) {
    benchmark->Arg(bytes);
  }
}

BENCHMARK(read_again)->Apply(sizes);
BENCHMARK(read_fresh)->Apply(sizes);
BENCHMARK(check_text)->Apply(sizes);
BENCHMARK(nlohmann_parse)->Apply(sizes);
BENCHMARK(write)->Apply(sizes);
BENCHMARK(nlohmann_dump)->Apply(sizes);
BENCHMARK(build)->Apply(sizes);
BENCHMARK(emit)->Arg(1)->Arg(10);

}  // namespace

BENCHMARK_MAIN();
