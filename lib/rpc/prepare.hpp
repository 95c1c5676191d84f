#pragma once

#include <new>
#include <utility>

#include "channel/router.hpp"

namespace tine::rpc {

// Does what a message needs before user code runs. If memory runs out, the message counts as not taken,
// so that neither a request nor an answer is lost.
template <class F>
decltype(auto) prepare(F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (const std::bad_alloc&) {
    throw channel::Router::NotTaken();
  }
}

}  // namespace tine::rpc
