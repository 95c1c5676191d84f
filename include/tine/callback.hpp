// The type of all callbacks.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tine/detail/leading_arguments.hpp"

namespace tine {

namespace detail {

// Whether F can be called with the first of these arguments, or with all of them, and returns what
// converts to R.
template <class F, class R, class... Args>
constexpr bool is_callback() {
  if constexpr (arguments_taken<F, std::tuple<const Args&...>>() < 0) {
    return false;
  } else {
    using Result =
        decltype(call_with_leading(std::declval<F&>(), std::declval<std::tuple<const Args&...>>()));
    return std::is_void_v<R> || std::is_convertible_v<Result, R>;
  }
}

// Whether F may be null, as a pointer or a std::function may.
template <class F>
concept Nullable = std::constructible_from<F, std::nullptr_t> && requires(const F& function) {
  { function == nullptr } -> std::convertible_to<bool>;
};

}  // namespace detail

template <class Signature>
class Callback;

// A function that tine calls later: a lambda, a function, or anything else that can be called.
//
// It may take fewer arguments than it is called with: `[] {}` fits every callback. It may own what
// cannot be copied, because a Callback is moved, never copied. Captures of up to three pointers need
// no memory of their own.
//
// Empty if it is default-constructed, moved from, or made of nullptr or an empty std::function. An
// empty Callback must not be called.
template <class R, class... Args>
class Callback<R(Args...)> {
 public:
  Callback() = default;
  Callback(std::nullptr_t) {}

  template <class F>
  requires(!std::same_as<std::decay_t<F>, Callback> &&
           detail::is_callback<std::decay_t<F>, R, Args...>()) Callback(F&& function) {
    using Function = std::decay_t<F>;
    if constexpr (detail::Nullable<Function>) {
      if (function == nullptr) return;
    }
    if constexpr (fits_in_place<Function>) {
      store<Function>(std::forward<F>(function));
    } else {
      store<std::unique_ptr<Function>>(std::make_unique<Function>(std::forward<F>(function)));
    }
  }

  Callback(Callback&& other) noexcept { take(other); }

  // The old function is destroyed last, because its captures may use this object.
  Callback& operator=(Callback&& other) noexcept {
    if (this == &other) return *this;
    const Callback old(std::move(*this));
    take(other);
    return *this;
  }

  ~Callback() {
    if (operations_ != nullptr && operations_->manage != nullptr) {
      operations_->manage(storage_, nullptr);
    }
  }

  explicit operator bool() const { return operations_ != nullptr; }
  friend bool operator==(const Callback& callback, std::nullptr_t) { return !callback; }

  R operator()(Args... args) const { return operations_->call(storage_, args...); }

 private:
  struct Operations {
    R (*call)(std::byte* storage, const Args&... args);
    // Destroys what is stored, after it was moved to another storage if there is one. Null if a copy
    // of the bytes is a move.
    void (*manage)(std::byte* storage, std::byte* to) noexcept;
  };

  static constexpr std::size_t room = 3 * sizeof(void*);

  template <class F>
  static constexpr bool fits_in_place =
      sizeof(F) <= room && alignof(F) <= alignof(void*) && std::is_nothrow_move_constructible_v<F>;

  // What is stored is the function, or a pointer to it.
  template <class Stored, class F>
  void store(F&& function) {
    ::new (storage_) Stored(std::forward<F>(function));
    operations_ = &operations_of<Stored>;
  }

  template <class Stored>
  static Stored& stored(std::byte* storage) {
    return *std::launder(reinterpret_cast<Stored*>(storage));
  }

  template <class F>
  static F& function_of(F& function) {
    return function;
  }
  template <class F>
  static F& function_of(std::unique_ptr<F>& function) {
    return *function;
  }

  template <class Stored>
  static R call(std::byte* storage, const Args&... args) {
    return static_cast<R>(detail::call_with_leading(function_of(stored<Stored>(storage)),
                                                    std::tuple<const Args&...>(args...)));
  }

  template <class Stored>
  static void manage(std::byte* storage, std::byte* to) noexcept {
    Stored& from = stored<Stored>(storage);
    if (to != nullptr) ::new (to) Stored(std::move(from));
    from.~Stored();
  }

  template <class Stored>
  static constexpr Operations operations_of{
      &call<Stored>, std::is_trivially_copyable_v<Stored> ? nullptr : &manage<Stored>};

  // Takes the function of another callback, which is empty then. This one must be empty.
  void take(Callback& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ == nullptr) return;
    if (operations_->manage == nullptr) {
      std::memcpy(storage_, other.storage_, room);
    } else {
      operations_->manage(other.storage_, storage_);
    }
  }

  const Operations* operations_ = nullptr;
  alignas(void*) mutable std::byte storage_[room];
};

}  // namespace tine
