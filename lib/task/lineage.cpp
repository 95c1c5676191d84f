#include "task/lineage.hpp"

#include <utility>

namespace tine::task {

namespace {

thread_local unsigned current = 0;

}  // namespace

unsigned lineage() noexcept { return current; }

LineageScope::LineageScope(unsigned level) noexcept : before_(std::exchange(current, level)) {}
LineageScope::~LineageScope() { current = before_; }

}  // namespace tine::task
