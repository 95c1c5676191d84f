// How the outcome of a request becomes the Result that its callback takes.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include "tine/detail/json.hpp"
#include "tine/detail/message_listener.hpp"
#include "tine/error.hpp"
#include "tine/handle.hpp"
#include "tine/rpc_error.hpp"

namespace tine {

template <class T>
class Result;

namespace rpc {

// How a request has ended. It is valid during one call.
struct Outcome {
  nlohmann::json* value = nullptr;  // null if the request has failed; may be moved from
  const RpcError* error = nullptr;
  Handle handle = {};
};

}  // namespace rpc

namespace detail {

// The type of the Result that a callback takes. `Default` is that of a generic callback.
template <class Parameter, class Default>
struct ResultValue {};
template <class T, class Default>
struct ResultValue<Result<T>, Default> {
  using type = T;
};
template <class Default>
struct ResultValue<Anything, Default> {
  using type = Default;
};
template <class F, class Default>
using ResultParameter = ResultValue<std::remove_cvref_t<typename FirstParameter<F>::type>, Default>;

template <class F, class Default>
constexpr bool takes_result() {
  if constexpr (std::is_invocable_v<F&>) {
    return true;
  } else if constexpr (requires { typename ResultParameter<F, Default>::type; }) {
    return std::is_invocable_v<F&, Result<typename ResultParameter<F, Default>::type>>;
  } else {
    return false;
  }
}

// Json is nlohmann::json, made dependent so that it needs to be complete only where a request is
// made.
template <class T, class Json = nlohmann::json>
Result<T> result_of(rpc::Outcome& outcome) {
  if (outcome.error != nullptr) return *outcome.error;
  Json& value = *outcome.value;
  if constexpr (std::is_same_v<T, Json>) {
    return Result<T>(std::move(value), std::move(outcome.handle));
  } else if constexpr (std::is_same_v<T, std::chrono::microseconds>) {
    return Result<T>(T(value.template get<std::int64_t>()));
  } else {
#ifdef __cpp_exceptions
    try {
      return Result<T>(value.template get<T>(), std::move(outcome.handle));
    } catch (const std::exception& error) {
      return RpcError(Errc::message_type,
                      std::string("a result does not convert: ") + error.what());
    }
#else
    return Result<T>(value.template get<T>(), std::move(outcome.handle));
#endif
  }
}

template <class F, class Default>
struct ResultCallback {
  void operator()(rpc::Outcome& outcome) {
    if constexpr (std::is_invocable_v<F&>) {
      static_cast<void>(done());
    } else {
      using T = typename ResultParameter<F, Default>::type;
      static_cast<void>(done(result_of<T>(outcome)));
    }
  }

  F done;
};

}  // namespace detail
}  // namespace tine
