#include "command/supervise/supervision_file.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "command/shared/child_options.hpp"
#include "command/shared/signal_names.hpp"

namespace tine::command {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

// --- values, each at a place such as children[0].name

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  throw BadFile((place.empty() ? "the file" : place) + " " + what);
}

std::string element(const std::string& place, std::size_t number) {
  return place + "[" + std::to_string(number) + "]";
}

std::string text_of(const json& value, const std::string& place) {
  if (!value.is_string()) refuse(place, "is not a string");
  return value.get<std::string>();
}

milliseconds seconds_of(const json& value, const std::string& place) {
  constexpr double longest = 1e9;
  constexpr int ms_per_s = 1000;
  const double number = value.is_number() ? value.get<double>() : -1;
  if (!(number >= 0 && number <= longest)) refuse(place, "is not a number of seconds");
  return milliseconds(std::llround(number * ms_per_s));
}

// Calls `read` with each element and its place.
template <class F>
void each(const json& value, const std::string& place, F read) {
  if (!value.is_array()) refuse(place, "is not an array");
  for (std::size_t i = 0; i < value.size(); ++i) read(value[i], element(place, i));
}

std::vector<std::string> texts_of(const json& value, const std::string& place) {
  std::vector<std::string> all;
  each(value, place,
       [&](const json& one, const std::string& at) { all.push_back(text_of(one, at)); });
  return all;
}

template <class T>
using Choices = std::vector<std::pair<std::string_view, T>>;

template <class T>
T one_of(const Choices<T>& choices, const json& value, const std::string& place) {
  std::string known;
  for (const auto& [name, choice] : choices) {
    if (value == name) return choice;
    known += (known.empty() ? "\"" : ", \"") + std::string(name) + "\"";
  }
  refuse(place, "is none of " + known);
}

// An object of which each member must be known.
class Members {
 public:
  Members(const json& value, std::string place) : value_(value), place_(std::move(place)) {
    if (!value.is_object()) refuse(place_, "is not an object");
  }

  std::string place_of(const std::string& name) const {
    return place_.empty() ? name : place_ + "." + name;
  }

  // Calls `take` with the member and its place. Returns false if there is no such member.
  template <class F>
  bool read(const std::string& name, F take) {
    known_.insert(name);
    const auto member = value_.find(name);
    if (member == value_.end()) return false;
    take(*member, place_of(name));
    return true;
  }
  // Stores what `get` returns, if there is such a member.
  template <class T, class F>
  bool store(const std::string& name, T& to, F get) {
    return read(name, [&](const json& value, const std::string& place) { to = get(value, place); });
  }

  void refuse_others() const {
    for (const auto& [name, value] : value_.items()) {
      if (!known_.contains(name)) refuse(place_of(name), "is not a member that is known here");
    }
  }

 private:
  const json& value_;
  std::string place_;
  std::set<std::string> known_;
};

// --- the parts of the file

int signal_of(const json& value, const std::string& place) {
  const auto number = signal_number(text_of(value, place));
  if (!number) refuse(place, "is not the name of a signal, such as \"SIGTERM\"");
  return *number;
}

StopStep stop_step(const json& value, const std::string& place) {
  Members members(value, place);
  StopOptions defaults;
  milliseconds wait = defaults.steps.front().wait();
  std::vector<StopStep> steps;
  members.store("wait", wait, seconds_of);
  members.read("message", [&](const json& message, const std::string&) {
    steps.push_back(StopStep::message(message, wait));
  });
  members.read("request", [&](const json& method, const std::string& at) {
    steps.push_back(StopStep::request(text_of(method, at), wait));
  });
  members.read("signal", [&](const json& name, const std::string& at) {
    steps.push_back(StopStep::signal(signal_of(name, at), wait));
  });
  members.read("disconnect", [&](const json& yes, const std::string& at) {
    if (yes != true) refuse(at, "is not true");
    steps.push_back(StopStep::disconnect(wait));
  });
  members.refuse_others();
  if (steps.size() != 1) {
    refuse(place,
           R"(does not have exactly one of "message", "request", "signal" and "disconnect")");
  }
  return steps.front();
}

std::vector<StopStep> stop_steps(const json& value, const std::string& place) {
  std::vector<StopStep> steps;
  each(value, place,
       [&](const json& one, const std::string& at) { steps.push_back(stop_step(one, at)); });
  return steps;
}

void read_environment(const json& value, const std::string& place, ForkOptions& fork) {
  if (!value.is_object()) refuse(place, "is not an object");
  for (const auto& [name, text_or_null] : value.items()) {
    auto& variable = fork.env[name];
    if (!text_or_null.is_null()) variable = text_of(text_or_null, place + "." + name);
  }
}

Ready ready_of(const json& value, const std::string&) {
  return value.is_null() ? Ready::spawned() : Ready::message(value);
}

Restart restart_of(const json& value, const std::string& place) {
  return one_of<Restart>({{"permanent", Restart::permanent},
                          {"transient", Restart::transient},
                          {"temporary", Restart::temporary}},
                         value, place);
}

// The children share the output of this process, and have no input.
ForkOptions shared_output() {
  ForkOptions fork;
  fork.stdio = {Stdio::ignore(), Stdio::inherit(), Stdio::inherit(), Stdio::ipc()};
  fork.kill_with_loop = true;
  return fork;
}

void read_program(Members& members, ChildSpec& spec, const std::filesystem::path& folder) {
  std::string module;
  if (!members.store("module", module, text_of) || module.empty()) {
    refuse(members.place_of("module"), "is missing or empty");
  }
  spec.module = folder / module;
  spec.fork = shared_output();
  if (is_script(spec.module)) spec.fork.exec_path = "node";
  members.store("args", spec.fork.args, texts_of);
  members.store("exec_path", spec.fork.exec_path, text_of);
  members.store("exec_args", spec.fork.exec_args, texts_of);
  members.read("cwd", [&](const json& value, const std::string& place) {
    spec.fork.cwd = (folder / text_of(value, place)).string();
  });
  members.read("env", [&](const json& value, const std::string& place) {
    read_environment(value, place, spec.fork);
  });
}

ChildSpec child_of(const json& value, const std::string& place,
                   const std::filesystem::path& folder) {
  Members members(value, place);
  ChildSpec spec;
  if (!members.store("name", spec.name, text_of) || spec.name.empty()) {
    refuse(members.place_of("name"), "is missing or empty");
  }
  read_program(members, spec, folder);
  members.store("restart", spec.restart, restart_of);
  members.store("ready", spec.ready, ready_of);
  members.store("ready_deadline", spec.ready_deadline, seconds_of);
  members.store("heartbeat", spec.heartbeat.every, seconds_of);
  members.store("heartbeat_deadline", spec.heartbeat.deadline, seconds_of);
  members.store("stop", spec.stop, stop_steps);
  members.refuse_others();
  return spec;
}

void read_options(Members& members, SupervisorOptions& options) {
  using GiveUp = SupervisorOptions::GiveUp;
  members.read("strategy", [&](const json& value, const std::string& place) {
    options.strategy = one_of<Strategy>({{"one_for_one", Strategy::one_for_one},
                                         {"rest_for_one", Strategy::rest_for_one},
                                         {"one_for_all", Strategy::one_for_all}},
                                        value, place);
  });
  members.read("restarts", [&](const json& value, const std::string& place) {
    constexpr unsigned most = 1'000'000;
    if (!value.is_number_unsigned() || value > most) refuse(place, "is not a number of restarts");
    options.restarts = value.get<unsigned>();
  });
  members.store("period", options.period, seconds_of);
  members.read("give_up", [&](const json& value, const std::string& place) {
    options.give_up = one_of<GiveUp>(
        {{"all", GiveUp::all}, {"child", GiveUp::child}, {"never", GiveUp::never}}, value, place);
  });
}

void refuse_equal_names(const std::vector<ChildSpec>& children) {
  std::set<std::string> taken;
  for (std::size_t i = 0; i < children.size(); ++i) {
    const std::string& name = children[i].name;
    if (!taken.insert(name).second) {
      refuse(element("children", i) + ".name", "is \"" + name + "\", which is taken");
    }
  }
}

}  // namespace

Supervision read_supervision(const json& file, const std::filesystem::path& folder) {
  Members members(file, "");
  Supervision supervision;
  read_options(members, supervision.options);
  members.read("children", [&](const json& children, const std::string& place) {
    each(children, place, [&](const json& one, const std::string& at) {
      supervision.children.push_back(child_of(one, at, folder));
    });
  });
  members.refuse_others();
  if (supervision.children.empty()) refuse("children", "has no child");
  refuse_equal_names(supervision.children);
  return supervision;
}

}  // namespace tine::command
