// How listeners of "message" take what was received.
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "tine/detail/json.hpp"
#include "tine/detail/listener_list.hpp"

namespace tine {

class Handle;
class Message;
struct Text;

namespace detail {

struct Anything {};  // the parameter of a callable that has no single signature
struct Nothing {};   // the parameter of a callable that takes none

// The declared first parameter of a callable.
template <class F>
struct FirstParameter {
  using type = Anything;
};
template <class R>
struct FirstParameter<R()> {
  using type = Nothing;
};
template <class R, class P, class... Rest>
struct FirstParameter<R(P, Rest...)> {
  using type = P;
};
template <class F>
requires std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>
struct FirstParameter<F> : FirstParameter<std::remove_pointer_t<F>> {
};
template <class R, class... P>
struct FirstParameter<R(P...) noexcept> : FirstParameter<R(P...)> {};
template <class C, class R, class... P>
struct FirstParameter<R (C::*)(P...)> : FirstParameter<R(P...)> {};
template <class C, class R, class... P>
struct FirstParameter<R (C::*)(P...) const> : FirstParameter<R(P...)> {};
template <class C, class R, class... P>
struct FirstParameter<R (C::*)(P...) noexcept> : FirstParameter<R(P...)> {};
template <class C, class R, class... P>
struct FirstParameter<R (C::*)(P...) const noexcept> : FirstParameter<R(P...)> {};
template <class F>
requires requires { &F::operator(); }
struct FirstParameter<F> : FirstParameter<decltype(&F::operator())> {};

template <class Json, class T>
concept ConvertibleFromJson = requires(const Json& value) {
  value.template get<T>();
};

template <>
struct ListenerTraits<Message> {
  template <class F>
  using Parameter = typename FirstParameter<F>::type;
  template <class F>
  using Form = std::remove_cvref_t<Parameter<F>>;

  template <class F>
  static constexpr bool takes_raw = std::is_same_v<Form<F>, Text>;

  // Whether F takes an Argument, alone or followed by the handle.
  template <class F, class Argument>
  static constexpr bool takes =
      std::is_invocable_v<F&, Argument> || std::is_invocable_v<F&, Argument, const Handle&>;

  // Json is nlohmann::json and M is Message, made dependent so that they need to be complete only
  // where a listener is added.
  template <class F, class Json>
  static constexpr bool fits_with() {
    if constexpr (std::is_same_v<Form<F>, Nothing>) {
      return std::is_invocable_v<F&>;
    } else if constexpr (std::is_same_v<Form<F>, Message>) {
      return std::is_invocable_v<F&, Message&>;
    } else if constexpr (std::is_same_v<Form<F>, Anything>) {
      return takes<F, const Json&>;
    } else if constexpr (std::is_same_v<Form<F>, Text> || std::is_same_v<Form<F>, Json>) {
      return takes<F, Form<F>> || takes<F, const Form<F>&>;
    } else {
      return ConvertibleFromJson<Json, Form<F>> && takes<F, Form<F>>;
    }
  }

  template <class F>
  static constexpr bool fits = fits_with<F, nlohmann::json>();

  template <class F, class M, class Json = nlohmann::json>
  static void call(F& listener, M& message) {
    if constexpr (std::is_same_v<Form<F>, Nothing>) {
      static_cast<void>(listener());
    } else if constexpr (std::is_same_v<Form<F>, Message>) {
      listener(message);
    } else if constexpr (std::is_same_v<Form<F>, Text>) {
      call_with(listener, message, message.text());
    } else if constexpr (std::is_same_v<Parameter<F>, Anything> ||
                         std::is_same_v<Parameter<F>, const Json&>) {
      call_with(listener, message, message.value());
    } else if constexpr (std::is_same_v<Form<F>, Json>) {
      call_with(listener, message, message.take());
    } else {
      call_converted<Form<F>, Json>(listener, message);
    }
  }

  template <class M>
  static void before_last_listener(M& message) {
    message.before_last_listener();
  }

 private:
  // Only the conversion is guarded: an exception from the listener itself propagates.
  template <class T, class Json, class F, class M>
  static void call_converted(F& listener, M& message) {
    const auto convert = [&]() -> std::optional<T> {
      const Json& parsed = message.value();
#ifdef __cpp_exceptions
      try {
        return parsed.template get<T>();
      } catch (const std::exception& error) {
        message.does_not_convert(error.what());
        return std::nullopt;
      }
#else
      return parsed.template get<T>();
#endif
    };
    if (auto value = convert()) call_with(listener, message, std::move(*value));
  }

  template <class F, class M, class Argument>
  static void call_with(F& listener, const M& message, Argument&& argument) {
    if constexpr (std::is_invocable_v<F&, Argument>) {
      static_cast<void>(listener(std::forward<Argument>(argument)));
    } else {
      static_cast<void>(listener(std::forward<Argument>(argument), message.handle()));
    }
  }
};

}  // namespace detail
}  // namespace tine
