// Objects and arrays of JSON that are built to be sent.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"

namespace tine {

class Object;
class Array;

namespace detail {

class Value;
struct Member;

template <class T>
concept Built = std::same_as<T, Object> || std::same_as<T, Array>;

}  // namespace detail

// An array of values of any type that converts to nlohmann::json. It owns its values. See Object.
//
//   rpc.request("add", tine::args(1, 2));
class TINE_EXPORT Array {
 public:
  Array() = default;

  // Adds a value at the end.
  template <class T>
  Array& add(T&& value);

  void reserve(std::size_t count);
  std::size_t size() const;
  bool empty() const { return size() == 0; }

  const std::vector<detail::Value>& items() const { return items_; }

 private:
  std::vector<detail::Value> items_;
};

// An object whose members have values of any type that converts to nlohmann::json. It owns its values.
//
//   child.send(tine::object("cmd", "start", "ports", tine::args(80, 443)));
//
// Such a message is written to the channel member by member, in the order in which they were set. A
// nlohmann::json, which sorts its members, is not made on the way, except with advanced serialization.
// An Object converts to one as any type with to_json() does. In an expression with co_await, where
// g++ 12 does not compile braces, object() and args() take their place.
//
// Node: an object literal.
class TINE_EXPORT Object {
 public:
  Object() = default;

  // Sets a member. If there is one of this name, it gets the new value. Looks at all members: it is made
  // for objects whose names the program knows.
  template <class T>
  Object& set(std::string name, T&& value);

  void reserve(std::size_t count);
  std::size_t size() const;
  bool empty() const { return size() == 0; }

  const std::vector<detail::Member>& members() const { return members_; }

 private:
  void set_value(std::string&& name, detail::Value&& value);

  std::vector<detail::Member> members_;
};

namespace detail {

// A value of an Object or an Array.
class TINE_EXPORT Value {
 public:
  using Json = std::shared_ptr<const nlohmann::json>;
  using Content = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                               std::string, Array, Object, Json>;

  Value() = default;
  template <class T>
  requires(!std::same_as<std::remove_cvref_t<T>, Value>) Value(T&& value);

  const Content& content() const { return content_; }
  bool is_null() const;

 private:
  Content content_;
};

struct Member {
  std::string name;
  Value value;
};

template <class T, class Json = nlohmann::json>
Value::Content content_of(T&& value) {
  using Type = std::remove_cvref_t<T>;
  if constexpr (std::same_as<Type, bool> || std::same_as<Type, std::nullptr_t>) {
    return value;
  } else if constexpr (std::signed_integral<Type>) {
    return std::int64_t{value};
  } else if constexpr (std::unsigned_integral<Type>) {
    return std::uint64_t{value};
  } else if constexpr (std::floating_point<Type>) {
    return static_cast<double>(value);
  } else if constexpr (Built<Type> || std::same_as<Type, std::string>) {
    return Value::Content(std::in_place_type<Type>, std::forward<T>(value));
  } else if constexpr (!std::same_as<Type, Json> &&
                       std::convertible_to<const Type&, std::string_view>) {
    return std::string(std::string_view(value));
  } else if constexpr (std::constructible_from<Json, T>) {
    return std::make_shared<const Json>(std::forward<T>(value));
  } else {
    static_assert(
        std::constructible_from<Json, T>,
        "tine: a value of this type does not convert to nlohmann::json; it needs to_json()");
    return nullptr;
  }
}

template <class T>
requires(!std::same_as<std::remove_cvref_t<T>, Value>) Value::Value(T&& value)
    : content_(content_of(std::forward<T>(value))) {}

inline void set_members(Object&) {}
template <class Name, class T, class... More>
void set_members(Object& object, Name&& name, T&& value, More&&... more) {
  static_assert(std::constructible_from<std::string, Name>,
                "tine: object() takes names and values in turn: object(\"a\", 1, \"b\", 2)");
  object.set(std::string(std::forward<Name>(name)), std::forward<T>(value));
  set_members(object, std::forward<More>(more)...);
}

}  // namespace detail

template <class T>
Array& Array::add(T&& value) {
  items_.emplace_back(std::forward<T>(value));
  return *this;
}
inline void Array::reserve(std::size_t count) { items_.reserve(count); }
inline std::size_t Array::size() const { return items_.size(); }

template <class T>
Object& Object::set(std::string name, T&& value) {
  set_value(std::move(name), detail::Value(std::forward<T>(value)));
  return *this;
}
inline void Object::reserve(std::size_t count) { members_.reserve(count); }
inline std::size_t Object::size() const { return members_.size(); }

// Returns an object of names and values in turn: object("a", 1, "b", "text").
template <class... NamesAndValues>
Object object(NamesAndValues&&... members) {
  static_assert(sizeof...(members) % 2 == 0,
                "tine: object() takes names and values in turn: object(\"a\", 1, \"b\", 2)");
  Object all;
  if constexpr (sizeof...(members) % 2 == 0) {
    all.reserve(sizeof...(members) / 2);
    detail::set_members(all, std::forward<NamesAndValues>(members)...);
  }
  return all;
}

// Returns an array of the values, which are often the arguments of a request: args(1, "text").
template <class... Values>
Array args(Values&&... values) {
  Array all;
  all.reserve(sizeof...(values));
  (all.add(std::forward<Values>(values)), ...);
  return all;
}

// For nlohmann::json: `nlohmann::json value = tine::object("a", 1)`.
TINE_EXPORT void to_json(nlohmann::json& to, const Object& from);
TINE_EXPORT void to_json(nlohmann::json& to, const Array& from);

}  // namespace tine
