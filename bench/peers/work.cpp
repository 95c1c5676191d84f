#include "work.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include <unistd.h>

#include "child_task.hpp"

namespace bench {
namespace {

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Returns numbers of six digits, as many as fill `bytes` of JSON text.
json array_of_numbers(std::size_t bytes) {
  json array = json::array();
  for (std::size_t i = 0; i < bytes / 7; ++i) array.push_back(100'000 + i * 7919 % 900'000);
  return array;
}

// Returns the resident memory as the kernel counts it now. statm may be off by some hundred
// kilobytes.
double resident_mb(int pid) {
  std::ifstream rollup("/proc/" + std::to_string(pid) + "/smaps_rollup");
  std::string word;
  double kib = 0;
  while (rollup >> word && word != "Rss:") continue;
  rollup >> kib;
  return kib * 1024 / 1e6;
}

// Pins a process; taskset -a pins its threads too. This need not be fast: the clock has not
// started.
void pin(int pid, int core) {
  const auto command =
      "taskset -acp " + std::to_string(core) + " " + std::to_string(pid) + " >/dev/null";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

double percentile(std::vector<float> values, double part) {
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

Job Job::from_arguments(int argc, char** argv) {
  if (argc != 2) throw std::runtime_error("usage: parent JOB, a JSON object (bench/run writes it)");
  const json given = json::parse(argv[1]);
  Job job;
  job.exec_path = given.value("exec_path", "");
  job.module = given.at("module");
  job.args = given.at("args").get<std::vector<std::string>>();
  job.children = given.value("children", std::size_t{1});
  if (given.contains("child_core")) job.child_core = given["child_core"].get<int>();
  job.ballast = given.value("ballast", std::size_t{0});
  const auto sender = given.value("sender", "as_is");
  job.sender = sender == "built" ? Sender::built : sender == "kept" ? Sender::kept : Sender::as_is;
  job.messages = given.value("messages", std::vector<json>());
  if (given.contains("array")) job.messages.push_back(array_of_numbers(given["array"]));
  job.payload = given.value("payload", std::size_t{0});
  if (job.payload > 0) job.messages.push_back({{"frame", 7}});
  job.count = given.at("count");
  job.window = given.at("window");
  job.timed = given.value("timed", false);
  return job;
}

std::vector<std::string> Job::command() const {
  std::vector<std::string> words;
  if (!exec_path.empty()) words.push_back(exec_path);
  words.push_back(module);
  words.insert(words.end(), args.begin(), args.end());
  return words;
}

Work::Work(Job job) : job_(std::move(job)), talks_(job_.children) {
  if (job_.sender == Job::Sender::built && built(first_number) != job_.messages.at(0)) {
    throw std::logic_error("what is built is not what work.json says");
  }
  if (job_.sender == Job::Sender::kept) {
    kept_field_ = job_.messages.at(0).at("n").get_ptr<json::number_unsigned_t*>();
  }
  if (job_.window == 1 || job_.timed) latencies_.reserve(job_.count);
  ballast_.assign(job_.ballast, 1);
  life_began_ = Clock::now();
}

void Work::fork_begins() { fork_began_ = Clock::now(); }

void Work::forked(int pid) {
  fork_seconds_ += seconds_since(fork_began_);
  pids_.push_back(pid);
}

Next Work::received(std::size_t child) {
  if (!open_) return ++greeted_ < job_.children ? Next::wait : open();
  ++talks_[child].answered;
  answered();
  return awaited_ == 0 ? Next::end : Next::send;
}

Next Work::received(std::size_t child, const json& answer) {
  if (job_.timed && open_ && ++timed_ > unsteady(job_.count)) {
    latencies_.push_back(static_cast<float>(now_us() - answer.at("sent_us").get<double>()));
  }
  return received(child);
}

Next Work::open() {
  idle_child_mb_ = resident_mb(pids_.front());
  if (job_.child_core) {
    for (const int pid : pids_) pin(pid, *job_.child_core);
  }
  awaited_ = job_.children * (job_.window == 0 ? std::min<std::size_t>(job_.count, 1) : job_.count);
  open_ = true;
  began_ = Clock::now();
  return awaited_ == 0 ? Next::end : Next::send_to_all;
}

void Work::answered() {
  if (job_.window == 1) {
    latencies_.push_back(static_cast<float>(seconds_since(sent_at_) * 1e6));
  }
  if (--awaited_ == 0) seconds_ = seconds_since(began_);
}

void Work::report() const {
  json figures = {
      {"fork_ms", fork_seconds_ * 1e3},
      {"life_ms", seconds_since(life_began_) * 1e3},
      {"idle_child_mb", idle_child_mb_},
      {"messages", job_.children * job_.count},
      {"seconds", seconds_},
  };
  if (!latencies_.empty()) {
    figures["p50_us"] = percentile(latencies_, 0.5);
    figures["p99_us"] = percentile(latencies_, 0.99);
  }
  if (job_.payload > 0) {
    figures["message_bytes"] = job_.payload;
  } else if (!job_.messages.empty()) {
    figures["message_bytes"] = job_.messages.front().dump().size();
  }
  std::cout << figures << std::endl;
}

}  // namespace bench
