// Calls of functions that take fewer arguments than there are.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tine::detail {

// Whether F can be called with the first sizeof...(Index) types of Tuple.
template <class F, class Tuple, std::size_t... Index>
constexpr bool takes_first(std::index_sequence<Index...>) {
  return std::is_invocable_v<F&, std::tuple_element_t<Index, Tuple>...>;
}

// The largest number of leading arguments, from Count down to none, that F can be called with. -1: F
// takes none of these.
template <class F, class Tuple, int Count = static_cast<int>(std::tuple_size_v<Tuple>)>
constexpr int arguments_taken() {
  if constexpr (takes_first<F, Tuple>(
                    std::make_index_sequence<static_cast<std::size_t>(Count)>{})) {
    return Count;
  } else if constexpr (Count > 0) {
    return arguments_taken<F, Tuple, Count - 1>();
  } else {
    return -1;
  }
}

// Calls a function with as many of the leading arguments as it takes.
template <class F, class Tuple>
decltype(auto) call_with_leading(F& function, const Tuple& arguments) {
  constexpr auto taken = static_cast<std::size_t>(arguments_taken<F, Tuple>());
  return [&]<std::size_t... Index>(std::index_sequence<Index...>)->decltype(auto) {
    return function(std::get<Index>(arguments)...);
  }
  (std::make_index_sequence<taken>{});
}

}  // namespace tine::detail
