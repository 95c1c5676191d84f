// The events that an emitter lists.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace tine {

// The name of an event as a template argument, as in on<"message">.
template <std::size_t N>
struct EventName {
  char text[N];

  consteval EventName(const char (&name)[N]) : text{} { std::copy_n(name, N, text); }

  constexpr std::string_view view() const { return {text, N - 1}; }
};

// One event of an Emitter: its name and the arguments that its listeners are called with.
template <EventName Name, class... Args>
struct Event {};

namespace detail {

template <EventName Name, class E>
struct IsNamed : std::false_type {};
template <EventName Name, class... Args>
struct IsNamed<Name, Event<Name, Args...>> : std::true_type {};

// The place of an event among Events; their number if it is not there.
template <EventName Name, class... Events>
constexpr std::size_t event_index() {
  constexpr std::array<bool, sizeof...(Events)> named{IsNamed<Name, Events>::value...};
  return static_cast<std::size_t>(std::find(named.begin(), named.end(), true) - named.begin());
}

}  // namespace detail
}  // namespace tine
