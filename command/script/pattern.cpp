#include "command/script/pattern.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tine::command {

namespace {

using nlohmann::json;
using Kind = Pattern::Kind;

const json* member_of(const json& object, const std::string& name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

bool members_match(const Pattern& pattern, const json& value, const Captures& captures) {
  if (!value.is_object()) return false;
  for (const Pattern& member : pattern.members) {
    const json* const found = member_of(value, member.name);
    if (found == nullptr || !matches(member, *found, captures)) return false;
  }
  return pattern.open || value.size() == pattern.members.size();
}

bool items_match(const Pattern& pattern, const json& value, const Captures& captures) {
  if (!value.is_array() || value.size() < pattern.items.size()) return false;
  for (std::size_t i = 0; i < pattern.items.size(); ++i) {
    if (!matches(pattern.items[i], value[i], captures)) return false;
  }
  return pattern.open || value.size() == pattern.items.size();
}

bool regex_matches(const Pattern& pattern, const json& value) {
  const auto* const text = value.get_ptr<const json::string_t*>();
  return text != nullptr && text->size() <= longest_regex_subject &&
         std::regex_search(*text, *pattern.regex);
}

bool is_whole(const json& value) {
  if (!value.is_number_float()) return value.is_number();
  const auto number = value.get<double>();
  return std::isfinite(number) && std::trunc(number) == number;
}

class PatternPrinter {
 public:
  explicit PatternPrinter(const Captures& captures) : captures_(captures) {}

  std::string take() { return std::move(out_); }

  void print(const Pattern& pattern, const json* value) {
    if (value != nullptr && matches(pattern, *value, captures_)) return print(*value);
    if (!pattern.capture.empty()) out_ += "$" + pattern.capture + "=";
    switch (pattern.kind) {
      case Kind::object: return print_members(pattern, value);
      case Kind::array: return print_items(pattern, value);
      case Kind::value: return print(pattern.value);
      default: out_ += pattern.text;
    }
  }

 private:
  static constexpr int indent = 2;

  void print(const json& value) {
    const std::string text = value.dump(indent, ' ', false, json::error_handler_t::replace);
    for (const char c : text) out_ += c == '\n' ? new_line() : std::string(1, c);
  }

  // Prints the members in nlohmann::json's order, so that both sides of a diff have the same order.
  // Members that only "..." covers are printed as they came.
  void print_members(const Pattern& pattern, const json* value) {
    const json* const object = value != nullptr && value->is_object() ? value : nullptr;
    std::map<std::string, const Pattern*> sorted;
    if (object != nullptr && pattern.open) {
      for (const auto& [name, member] : object->items()) sorted[name] = nullptr;
    }
    for (const Pattern& member : pattern.members) sorted[member.name] = &member;
    begin('{');
    for (const auto& [name, member] : sorted) {
      separate();
      print(json(name));
      out_ += ": ";
      const json* const came = object != nullptr ? member_of(*object, name) : nullptr;
      if (member != nullptr) {
        print(*member, came);
      } else {
        print(*came);
      }
    }
    if (pattern.open && object == nullptr) print_dots();
    end('}');
  }

  void print_items(const Pattern& pattern, const json* value) {
    const bool array = value != nullptr && value->is_array();
    begin('[');
    for (std::size_t i = 0; i < pattern.items.size(); ++i) {
      separate();
      print(pattern.items[i], array && i < value->size() ? &(*value)[i] : nullptr);
    }
    for (std::size_t i = pattern.items.size(); array && pattern.open && i < value->size(); ++i) {
      separate();
      print((*value)[i]);
    }
    if (pattern.open && !array) print_dots();
    end(']');
  }

  void print_dots() {
    separate();
    out_ += "...";
  }

  void begin(char open) {
    out_ += open;
    ++depth_;
    first_ = true;
  }

  void separate() {
    if (!std::exchange(first_, false)) out_ += ',';
    out_ += new_line();
  }

  void end(char close) {
    --depth_;
    if (!std::exchange(first_, false)) out_ += new_line();
    out_ += close;
  }

  std::string new_line() const { return '\n' + std::string(indent * depth_, ' '); }

  const Captures& captures_;
  std::string out_;
  std::size_t depth_ = 0;
  bool first_ = true;
};

}  // namespace

bool matches(const Pattern& pattern, const json& value, const Captures& captures) {
  switch (pattern.kind) {
    case Kind::value: return value == pattern.value;
    case Kind::object: return members_match(pattern, value, captures);
    case Kind::array: return items_match(pattern, value, captures);
    case Kind::any: return true;
    case Kind::number: return value.is_number();
    case Kind::integer: return is_whole(value);
    case Kind::string: return value.is_string();
    case Kind::boolean: return value.is_boolean();
    case Kind::any_object: return value.is_object();
    case Kind::any_array: return value.is_array();
    case Kind::regex: return regex_matches(pattern, value);
    case Kind::captured: {
      const auto found = captures.find(pattern.text.substr(1));
      return found != captures.end() && found->second == value;
    }
  }
  return false;
}

void capture(const Pattern& pattern, const json& value, Captures& captures) {
  if (!pattern.capture.empty()) captures[pattern.capture] = value;
  for (const Pattern& member : pattern.members) {
    capture(member, value.at(member.name), captures);
  }
  for (std::size_t i = 0; i < pattern.items.size(); ++i) {
    capture(pattern.items[i], value[i], captures);
  }
}

json instance(const Pattern& pattern, const Captures& captures) {
  if (pattern.kind == Kind::captured) return captures.at(pattern.text.substr(1));
  if (pattern.kind == Kind::value) return pattern.value;
  json made = pattern.kind == Kind::object ? json::object() : json::array();
  for (const Pattern& member : pattern.members) made[member.name] = instance(member, captures);
  for (const Pattern& item : pattern.items) made.push_back(instance(item, captures));
  return made;
}

std::string print_pattern(const Pattern& pattern, const json* value, const Captures& captures) {
  PatternPrinter printer(captures);
  printer.print(pattern, value);
  return printer.take();
}

}  // namespace tine::command
