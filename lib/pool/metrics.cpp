#include "pool/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

namespace tine::pool {

namespace {

struct Bound {
  const char* seconds;
  std::chrono::microseconds time;
};

constexpr Bound bounds[] = {
    {"0.0001", std::chrono::microseconds(100)},
    {"0.001", std::chrono::milliseconds(1)},
    {"0.01", std::chrono::milliseconds(10)},
    {"0.1", std::chrono::milliseconds(100)},
    {"1", std::chrono::seconds(1)},
    {"10", std::chrono::seconds(10)},
    {"100", std::chrono::seconds(100)},
};

// Prometheus text. Each metric has its help and its type before its values.
class Text {
 public:
  explicit Text(std::string_view prefix) : prefix_(prefix) {}

  void gauge(std::string_view name, std::string_view help, std::uint64_t value) {
    head(name, "gauge", help);
    line(name, std::to_string(value));
  }

  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    head(name, "counter", help);
    line(name, std::to_string(value));
  }

  void histogram(const std::string& name, std::string_view help, const Histogram& durations) {
    head(name, "histogram", help);
    for (const Bound& bound : bounds)
      bucket(name, bound.seconds, durations.count_up_to(bound.time));
    bucket(name, "+Inf", durations.count());
    line(name + "_sum", std::to_string(std::chrono::duration<double>(durations.sum()).count()));
    line(name + "_count", std::to_string(durations.count()));
  }

  std::string take() { return std::move(text_); }

 private:
  void head(std::string_view name, std::string_view type, std::string_view help) {
    comment("HELP", name, help);
    comment("TYPE", name, type);
  }

  void comment(std::string_view kind, std::string_view name, std::string_view what) {
    text_.append("# ").append(kind).append(" ").append(prefix_).append("_").append(name);
    text_.append(" ").append(what).append("\n");
  }

  void bucket(const std::string& name, const std::string& bound, std::uint64_t count) {
    line(name + "_bucket{le=\"" + bound + "\"}", std::to_string(count));
  }

  void line(std::string_view name, std::string_view value) {
    text_.append(prefix_).append("_").append(name).append(" ").append(value).append("\n");
  }

  std::string_view prefix_;
  std::string text_;
};

}  // namespace

std::string metrics_text(std::string_view prefix, const PoolStats& stats, const Histogram& wait,
                         const Histogram& run) {
  Text text(prefix);
  text.gauge("queued_tasks", "Tasks that wait for a worker.", stats.queued);
  text.gauge("running_tasks", "Tasks that a worker has.", stats.running);
  text.gauge("workers", "Workers that live.", stats.workers);
  text.gauge("idle_workers", "Workers that are ready and have no task.", stats.idle);
  text.gauge("starting_workers", "Workers that are not ready yet.", stats.starting);
  text.counter("completed_tasks_total", "Tasks with a result.", stats.completed);
  text.counter("failed_tasks_total", "Tasks that have failed.", stats.failed);
  text.counter("cancelled_tasks_total", "Tasks that were cancelled.", stats.cancelled);
  text.counter("late_tasks_total", "Tasks that missed their deadline.", stats.timed_out);
  text.counter("retries_total", "Tasks that went to another worker.", stats.retried);
  text.counter("crashes_total", "Workers that ended by themselves.", stats.crashed);
  text.counter("recycled_workers_total", "Workers that were replaced.", stats.recycled);
  text.histogram("wait_seconds", "How long tasks waited for a worker.", wait);
  text.histogram("run_seconds", "How long workers took.", run);
  return text.take();
}

}  // namespace tine::pool
