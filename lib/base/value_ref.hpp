#pragma once

#include <concepts>
#include <variant>

#include <nlohmann/json_fwd.hpp>

#include "tine/object.hpp"

namespace tine::base {

// Refers to a value that is to be written, in the form that the user has. Valid as long as that.
class ValueRef {
 public:
  using Form = std::variant<const nlohmann::json*, const Object*, const Array*>;

  // A template, because {{"a", 1}} would be taken for the braces around an array ["a", 1].
  template <class T>
  requires(std::same_as<T, nlohmann::json> || detail::Built<T>) ValueRef(const T& value)
      : form_(&value) {}

  const Form& form() const { return form_; }

 private:
  Form form_;
};

// Calls a function with the value that `value` refers to.
template <class F>
auto visit(F&& function, ValueRef value) {
  return std::visit([&](const auto* form) { return function(*form); }, value.form());
}

}  // namespace tine::base
