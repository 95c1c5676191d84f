#pragma once

namespace tine::task {

// How deeply what runs now is nested in the work of a pool: 0 outside of all handlers for its workers.
// Tasks that are started inherit it, and so do callbacks of a pool. Each thread has its own.
unsigned lineage() noexcept;

// A guard that sets the lineage.
class LineageScope {
 public:
  explicit LineageScope(unsigned level) noexcept;
  LineageScope(const LineageScope&) = delete;
  LineageScope& operator=(const LineageScope&) = delete;
  ~LineageScope();

 private:
  unsigned before_;
};

}  // namespace tine::task
