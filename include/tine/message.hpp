// The argument of "message" listeners, and the forms that a listener may take it in.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/emitter.hpp"
#include "tine/handle.hpp"

namespace tine {

// The JSON text of one message, for a program that has a JSON library of its own.
//
// In a "message" listener `json` is the line as it was received, not validated, and valid during
// the call. send() validates the text and copies it before it returns.
//
// Node: none; there a message is always parsed.
struct Text {
  std::string_view json;
};

// The argument of "message". Listeners do not see this class: the declared type of a listener's
// first parameter chooses the form.
//
//   const nlohmann::json&   the parsed value, valid during the call. A generic lambda, or a functor
//                           with several operator(), gets this form too
//   nlohmann::json          the value itself, to keep: moved into the last listener, copied for
//                           those before it
//   T, const T&             any type that nlohmann::json converts to with get<T>(). If a message
//                           does not convert, that is an "error" and this listener is not called.
//                           Compiled with -fno-exceptions, nlohmann::json ends the program instead
//   tine::Text              the text as it was received. If no listener needs more, nothing is
//                           parsed
//
// A second parameter, a tine::Handle, is the handle sent with the message: see handle.hpp.
//
// Node: the `message` argument, followed by `sendHandle`.
class TINE_EXPORT Message {
 public:
  // A message for one delivery: `value` may be moved from. `value` is null if it was not parsed.
  Message(std::string_view text, nlohmann::json* value, Handle handle = {})
      : text_(text), value_(value), handle_(std::move(handle)) {}

  Text text() const { return {text_}; }
  const nlohmann::json& value() const { return *value_; }

  // The handle sent with the message; empty if there is none.
  const Handle& handle() const { return handle_; }

  // Returns the same message, for an object that passes it on to listeners of its own.
  Message again() const { return {text_, value_, handle_}; }

  // Returns the value to keep: moved out for the last listener, copied for the others.
  nlohmann::json take();

  void before_last_listener() { last_listener_ = true; }

  // Records that a listener could not be called, and why.
  void does_not_convert(std::string reason) { failures_.push_back(std::move(reason)); }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  std::string_view text_;
  nlohmann::json* value_;
  Handle handle_;
  bool last_listener_ = false;
  std::vector<std::string> failures_;
};

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

  // Json is nlohmann::json and M is Message, made dependent so that values need to be complete only
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

  static void before_last_listener(Message& message) { message.before_last_listener(); }

 private:
  // Only the conversion is guarded: an exception from the listener itself propagates.
  template <class T, class Json, class F>
  static void call_converted(F& listener, Message& message) {
    const auto convert = [&]() -> std::optional<T> {
      const Json& json = message.value();
#ifdef __cpp_exceptions
      try {
        return json.template get<T>();
      } catch (const std::exception& error) {
        message.does_not_convert(error.what());
        return std::nullopt;
      }
#else
      return json.template get<T>();
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
