// Requests that wait enter and leave their table, which is compared to a simple one. The input has no
// settings. Each step is a letter and, where it says so, a number: the byte that follows, from '0' on.
//
//   a    a request without a deadline        l    all leave
//   d N  one with a deadline in N seconds    y    any one leaves
//   k N  one with token number N             x N  the one with id N leaves
//   w N  N seconds pass                      f N  the one for token N, or that of the id, is looked for
//   e    one whose deadline has come leaves
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fuzz/fuzz.hpp"
#include "rpc/call_table.hpp"

using namespace tine::rpc;

namespace {

class Comparison {
 public:
  // Takes one step off the input.
  void step(std::string_view& input) {
    const char what = take(input);
    switch (what) {
      case 'a': return add(no_deadline, std::nullopt);
      case 'd': return add(now_ + seconds(input), std::nullopt);
      case 'k': return add(no_deadline, number(input) % 4);
      case 'w': now_ += seconds(input); return;
      case 'e': return leave_due();
      case 'x': return leave(static_cast<Id>(number(input)));
      case 'f': return look_for(number(input));
      case 'y': return leave_any();
      case 'l': return leave_all();
      default: return;
    }
  }

  void check() const {
    must(table_.size() == model_.size(), "the table has as many requests as the model");
    Clock::time_point next = no_deadline;
    for (const auto& [id, call] : model_) next = std::min(next, call.deadline);
    must(table_.next_deadline() == next, "the next deadline is the earliest");
  }

 private:
  struct Call {
    std::shared_ptr<Pending> pending;
    Clock::time_point deadline;
    std::optional<unsigned> token;
  };

  static char take(std::string_view& input) {
    if (input.empty()) return '0';
    const char first = input.front();
    input.remove_prefix(1);
    return first;
  }
  static unsigned number(std::string_view& input) {
    return static_cast<unsigned char>(take(input) - '0');
  }
  static std::chrono::seconds seconds(std::string_view& input) {
    return std::chrono::seconds(number(input));
  }
  static nlohmann::json name(unsigned token) {
    return std::string(1, static_cast<char>('a' + token));
  }

  void add(Clock::time_point deadline, std::optional<unsigned> token) {
    auto pending = std::make_shared<Pending>(nullptr);
    pending->deadline = deadline;
    if (token) pending->make_extras().token = name(*token);
    table_.add(pending);
    must(pending->id == ++last_, "ids count up");
    if (token) owner_of_token_[*token] = last_;
    model_[last_] = {std::move(pending), deadline, token};
  }

  void left(const std::shared_ptr<Pending>& pending, Id id) {
    const auto call = model_.find(id);
    must((pending != nullptr) == (call != model_.end()), "a request leaves once, if it is there");
    if (!pending) return;
    must(pending == call->second.pending && pending->id == id, "it is the request that was added");
    std::erase_if(owner_of_token_, [id](const auto& owner) { return owner.second == id; });
    model_.erase(call);
    must(pending.use_count() == 1, "nobody else holds it");
  }

  void leave(Id id) { left(table_.extract(id), id); }

  void leave_due() {
    Id due = 0;
    for (const auto& [id, call] : model_) {
      if (call.deadline > now_ || call.deadline == no_deadline) continue;
      if (due == 0 || call.deadline < model_[due].deadline) due = id;
    }
    auto found = table_.due(now_);
    must((found ? found->id : 0) == due, "the earliest deadline that has come is due");
    found.reset();
    leave(due);
  }

  void leave_any() {
    const auto any = table_.extract_any();
    must((any != nullptr) == !model_.empty(), "any one leaves, if there is one");
    left(any, any ? any->id : 0);
  }

  void leave_all() {
    auto all = table_.all();
    must(all.size() == model_.size(), "all are listed");
    must(std::is_sorted(all.begin(), all.end(),
                        [](const auto& a, const auto& b) { return a->id < b->id; }),
         "all are listed in the order of their ids");
    for (auto& pending : all) {
      const Id id = std::exchange(pending, nullptr)->id;
      leave(id);
    }
  }

  void look_for(unsigned number) {
    const unsigned token = number % 4;
    const auto owner = owner_of_token_.find(token);
    const auto by_name = table_.call_of_token(name(token));
    must((by_name != nullptr) == (owner != owner_of_token_.end()), "a token has its last owner");
    must(!by_name || by_name->id == owner->second, "it is the owner that is found");
    const auto call = model_.find(number);
    const auto by_id = table_.call_of_token(number);
    must((by_id != nullptr) == (call != model_.end()), "an id is a token");
    must(table_.given(number) == (number <= last_ ? number : 0), "given ids are known");
  }

  CallTable table_;
  std::map<Id, Call> model_;
  std::map<unsigned, Id> owner_of_token_;
  Clock::time_point now_{};
  Id last_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(size == 0 ? "" : reinterpret_cast<const char*>(data), size);
  Comparison comparison;
  while (!input.empty()) {
    comparison.step(input);
    comparison.check();
  }
  return 0;
}
