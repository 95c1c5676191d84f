// How handlers of requests and notifications take the params.
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tine/detail/json.hpp"
#include "tine/detail/message_listener.hpp"
#include "tine/object.hpp"
#include "tine/reply.hpp"
#include "tine/rpc_error.hpp"
#include "tine/task.hpp"

namespace tine::detail {

// The declared parameters of a callable, as a tuple. void if it has no single signature.
template <class F>
struct ParametersOf {
  using type = void;
};
template <class R, class... P>
struct ParametersOf<R(P...)> {
  using type = std::tuple<P...>;
};
template <class F>
requires std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>
struct ParametersOf<F> : ParametersOf<std::remove_pointer_t<F>> {
};
template <class R, class... P>
struct ParametersOf<R(P...) noexcept> : ParametersOf<R(P...)> {};
template <class C, class R, class... P>
struct ParametersOf<R (C::*)(P...)> : ParametersOf<R(P...)> {};
template <class C, class R, class... P>
struct ParametersOf<R (C::*)(P...) const> : ParametersOf<R(P...)> {};
template <class C, class R, class... P>
struct ParametersOf<R (C::*)(P...) noexcept> : ParametersOf<R(P...)> {};
template <class C, class R, class... P>
struct ParametersOf<R (C::*)(P...) const noexcept> : ParametersOf<R(P...)> {};
template <class F>
requires requires { &F::operator(); }
struct ParametersOf<F> : ParametersOf<decltype(&F::operator())> {};

// The parameters of a handler: the values that are made of the params, and whether a Reply follows.
template <class Values, bool Replies>
struct HandlerSignature {
  using values = Values;
  static constexpr bool takes_reply = Replies;
};

template <class Values, class... P>
struct SplitParameters {
  using type = HandlerSignature<Values, false>;
};
template <class... V, class P, class... Rest>
struct SplitParameters<std::tuple<V...>, P, Rest...>
    : SplitParameters<std::tuple<V..., std::remove_cvref_t<P>>, Rest...> {};
template <class... V, class P>
requires std::same_as<std::remove_cvref_t<P>, Reply>
struct SplitParameters<std::tuple<V...>, P> {
  using type = HandlerSignature<std::tuple<V...>, true>;
};

// A callable without a single signature, such as a generic lambda, takes the params as they are.
template <class F, class Json, class Parameters>
struct SignatureOf {
  using type = std::conditional_t<std::is_invocable_v<F&, const Json&, const Reply&>,
                                  HandlerSignature<std::tuple<Json>, true>,
                                  std::conditional_t<std::is_invocable_v<F&, const Json&>,
                                                     HandlerSignature<std::tuple<Json>, false>,
                                                     HandlerSignature<std::tuple<>, false>>>;
};
template <class F, class Json, class... P>
struct SignatureOf<F, Json, std::tuple<P...>> : SplitParameters<std::tuple<>, P...> {};
template <class F, class Json>
using HandlerSignatureOf = typename SignatureOf<F, Json, typename ParametersOf<F>::type>::type;

template <class Json, class T>
constexpr bool params_convert_to() {
  return std::is_same_v<T, Json> || ConvertibleFromJson<Json, T>;
}

template <class F, class Json, class... V>
constexpr bool handler_fits(HandlerSignature<std::tuple<V...>, true>) {
  return (params_convert_to<Json, V>() && ...) && std::is_invocable_v<F&, V..., const Reply&>;
}
template <class F, class Json, class... V>
constexpr bool handler_fits(HandlerSignature<std::tuple<V...>, false>) {
  return (params_convert_to<Json, V>() && ...) && std::is_invocable_v<F&, V...>;
}

// Json is nlohmann::json, made dependent so that it needs to be complete only where a handler is
// added.
template <class F, class Json = nlohmann::json>
constexpr bool fits_request() {
  return handler_fits<F, Json>(HandlerSignatureOf<F, Json>());
}
template <class F, class Json = nlohmann::json>
constexpr bool fits_notification() {
  return fits_request<F, Json>() && !HandlerSignatureOf<F, Json>::takes_reply;
}

template <class T, class Json>
T converted(Json& from) {
  if constexpr (std::is_same_v<T, Json>) {
    return std::move(from);
  } else {
    return from.template get<T>();
  }
}

// Converts the params to the one value that a handler takes. A peer that must pass an array, as
// JSON-RPC says, wraps the value.
template <class T, class Json>
std::tuple<T> converted_params(Json& params, const std::tuple<T>*) {
#ifdef __cpp_exceptions
  if constexpr (!std::is_same_v<T, Json>) {
    if (params.is_array() && params.size() == 1) {
      try {
        return std::tuple<T>(params.template get<T>());
      } catch (const std::exception&) {
        return std::tuple<T>(params[0].template get<T>());
      }
    }
  }
#endif
  return std::tuple<T>(converted<T>(params));
}

// Converts the items of the params to the values that a handler takes.
template <class... V, class Json>
requires(sizeof...(V) != 1) std::tuple<V...> converted_params(Json& params,
                                                              const std::tuple<V...>*) {
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::tuple<V...>{converted<V>(params.at(Index))...};
  }
  (std::index_sequence_for<V...>());
}

// Returns why the params are not as many as a handler takes; null if they are.
template <class Values, class Json>
const char* wrong_count(const Json& params) {
  constexpr std::size_t count = std::tuple_size_v<Values>;
  if (count < 2) return nullptr;
  return params.is_array() && params.size() == count
             ? nullptr
             : "the params are not an array of as many items as the handler takes";
}

// Calls `call` with the values that the params convert to. Returns why they do not; empty if they do.
// Only the conversion is guarded: an exception from the handler itself propagates.
template <class Values, class Json, class Call>
std::string with_converted(Json& params, Call&& call) {
  if (const char* const wrong = wrong_count<Values>(params)) return wrong;
  std::optional<Values> values;
#ifdef __cpp_exceptions
  try {
    values.emplace(converted_params(params, static_cast<const Values*>(nullptr)));
  } catch (const std::exception& error) {
    return std::string("the params do not convert: ") + error.what();
  }
#else
  values.emplace(converted_params(params, static_cast<const Values*>(nullptr)));
#endif
  std::apply(call, std::move(*values));
  return {};
}

template <class Json, class T>
void send_result(const Reply& reply, T&& result) {
  if constexpr (Built<std::remove_cvref_t<T>>) {
    reply.send(std::forward<T>(result));
  } else {
    reply.send(Json(std::forward<T>(result)));
  }
}

// Calls a handler of requests, with the Reply if it takes one.
template <class Json, class F, class... V>
decltype(auto) call_handler(F& handler, const Reply& reply, V&&... values) {
  if constexpr (HandlerSignatureOf<F, Json>::takes_reply) {
    return handler(std::forward<V>(values)..., reply);
  } else {
    return handler(std::forward<V>(values)...);
  }
}

template <class R>
struct TaskOf {
  static constexpr bool is_task = false;
};
template <class T>
struct TaskOf<Task<T>> {
  static constexpr bool is_task = true;
  using Result = T;
};

template <class Json, class F, class Values>
Task<void> send_result_of_task(std::shared_ptr<F> handler, Values values, Reply reply) {
  auto task = std::apply(
      [&](auto&... value) { return call_handler<Json>(*handler, reply, std::move(value)...); },
      values);
  using T = typename TaskOf<decltype(task)>::Result;
  if constexpr (!std::is_void_v<T>) {
    T result = co_await std::move(task);
    send_result<Json>(reply, std::move(result));
  } else {
    co_await std::move(task);
    if constexpr (!HandlerSignatureOf<F, Json>::takes_reply) reply.send();
  }
}

// Runs the task of a handler, and answers with what it returns or throws. Keeps what the task may refer
// to: the handler and the values.
template <class Json, class F, class Values>
Task<void> answer_with_task(std::shared_ptr<F> handler, Values values, Reply reply) {
  auto task = send_result_of_task<Json>(std::move(handler), std::move(values), reply);
#ifdef __cpp_exceptions
  try {
    co_await std::move(task);
  } catch (...) {
    fail_with_exception(reply);
  }
#else
  co_await std::move(task);
#endif
}

// A handler of requests. What it returns, or what its task returns, is the result. If that is nothing,
// the answer is null, or is left to the Reply that it takes.
template <class F>
struct RequestHandler {
  template <class Json>
  requires std::same_as<Json, nlohmann::json>
  void operator()(Json& params, const Reply& reply) {
    const auto call = [&](auto&&... values) {
      answer<Json>(reply, std::forward<decltype(values)>(values)...);
    };
    const std::string wrong =
        with_converted<typename HandlerSignatureOf<F, Json>::values>(params, call);
    if (!wrong.empty()) reply.fail(RpcError(rpc::invalid_params, wrong));
  }

  template <class Json, class... V>
  void answer(const Reply& reply, V&&... values) {
    using R = decltype(call_handler<Json>(*handler, reply, std::forward<V>(values)...));
    if constexpr (TaskOf<R>::is_task) {
      std::tuple<std::remove_cvref_t<V>...> kept(std::forward<V>(values)...);
      start_answer(reply, answer_with_task<Json>(handler, std::move(kept), reply));
    } else if constexpr (!std::is_void_v<R>) {
      send_result<Json>(reply, call_handler<Json>(*handler, reply, std::forward<V>(values)...));
    } else {
      call_handler<Json>(*handler, reply, std::forward<V>(values)...);
      if constexpr (!HandlerSignatureOf<F, Json>::takes_reply) reply.send();
    }
  }

  std::shared_ptr<F> handler;
};

// A handler of notifications. Returns why it could not be called; empty if it was.
template <class F>
struct NotificationHandler {
  template <class Json>
  requires std::same_as<Json, nlohmann::json> std::string operator()(Json& params) {
    const auto call = [&](auto&&... values) {
      static_cast<void>(handler(std::forward<decltype(values)>(values)...));
    };
    return with_converted<typename HandlerSignatureOf<F, Json>::values>(params, call);
  }

  F handler;
};

}  // namespace tine::detail
