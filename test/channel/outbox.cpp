// Compares the send queue with a model of it: a list of lines.
#include "channel/outbox.hpp"

#include <array>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

using nlohmann::json;
using tine::channel::Outbox;
using tine::channel::PassedHandle;

namespace {

// The steps that a test may do to an Outbox, one letter each.
//
//   m M    a message: with a callback, without one
//   h H    a message with two descriptors beside it: for any peer, for tine only
//   a      an answer to a handle of the peer
//   1 2 w  the kernel takes one byte, half, or all of the bytes that the Outbox offers
//   + -    the peer answers that a handle has arrived, or has not
//   f c    gives up the first handle: because no answer comes, because it cannot be written
//   T O    the peer is tine, or is not
constexpr std::string_view all_steps = "mMhHa12w+-fcTO";

const auto failed = std::make_error_code(std::errc::too_many_files_open);
const auto cancelled = std::make_error_code(std::errc::operation_canceled);

// An Outbox and its model. Each step is done to both.
class OutboxAndModel {
 public:
  void step(char what) {
    steps_ += what;
    switch (what) {
      case 'm': return add_message(true);
      case 'M': return add_message(false);
      case 'h': return add_handle("net.Socket");
      case 'H': return add_handle(PassedHandle::descriptors_type);
      case 'a': return add_answer();
      case '1': return write(std::min<std::size_t>(1, to_write()));
      case '2': return write(to_write() / 2);
      case 'w': return write(to_write());
      case '+': return answered(true);
      case '-': return answered(false);
      case 'f': return forget();
      case 'c': return cancel_handle();
      case 'T': return set_peer(Outbox::Peer::tine);
      case 'O': return set_peer(Outbox::Peer::other);
      default: FAIL("no such step");
    }
  }

  // Checks that both are in the same state.
  void check() {
    must(outbox_.queued() == queued(), "queued()");
    must(outbox_.empty() == (lines_.empty() && answers_.empty()), "empty()");
    must(outbox_.awaits_answer() == awaits_answer(), "awaits_answer()");
    must(outbox_.awaits_peer() == (at_tine_only() && peer_ == Outbox::Peer::unknown),
         "awaits_peer()");
    must(outbox_.handle_unknown_to_peer() == (at_tine_only() && peer_ == Outbox::Peer::other),
         "handle_unknown_to_peer()");
    check_front();
    must(outbox_.due() == due_.size(), "due()");
    while (outbox_.due() > 0) outbox_.call_first_due();
    must(called_ == due_, "callbacks");
    called_.clear();
    due_.clear();
  }

  // Writes everything and answers every handle; nothing may be left.
  void finish() {
    step('T');
    while (!lines_.empty() || !answers_.empty()) {
      step('w');
      check();
      step('+');
      check();
    }
    must(outbox_.front().bytes.empty(), "nothing is to be written");
  }

  // Cancels everything at once.
  void cancel() {
    std::size_t messages = 0;
    std::size_t without_callback = 0;
    for (Line& line : lines_) {
      if (line.reported) continue;
      ++messages;
      if (line.callback < 0) ++without_callback;
      report(line, cancelled);
    }
    const Outbox::Lost lost = outbox_.cancel(cancelled);
    must(lost.messages == messages && lost.without_callback == without_callback, "cancel()");
    lines_.clear();
    answers_.clear();
    check();
  }

 private:
  struct Line {
    std::string bytes;
    int callback;  // its number; -1 if there is none
    bool handle = false;
    bool tine_only = false;
    bool reported = false;
    int times = 1;
    std::size_t written = 0;
  };
  using Call = std::pair<int, std::error_code>;

  // Checks without a Catch assertion, because there are millions of checks.
  void must(bool holds, const char* what) {
    if (holds) return;
    FAIL(what << " after " << steps_);
  }

  tine::SendCallback callback(int number) {
    return [this, number](std::error_code error) { called_.emplace_back(number, error); };
  }

  void add_message(bool with_callback) {
    const int number = with_callback ? next_++ : -1;
    tine::SendCallback sent = with_callback ? callback(number) : nullptr;
    must(!outbox_.add(json(serial_), sent), "a message is taken");
    lines_.push_back({.bytes = std::to_string(serial_++) + "\n", .callback = number});
    must(std::string(outbox_.last()) + "\n" == lines_.back().bytes, "last()");
  }

  void add_handle(const char* type) {
    PassedHandle handle{.type = type, .members = {{"count", 2}}};
    for (int i = 0; i < 2; ++i) handle.descriptors.emplace_back(-1);
    const int number = next_++;
    tine::SendCallback sent = callback(number);
    must(!outbox_.add(json(serial_), handle, sent), "a handle is taken");
    must(handle.descriptors.empty(), "its descriptors are taken");
    lines_.push_back({.bytes = R"({"cmd":"NODE_HANDLE","type":")" + std::string(type) +
                               R"(","msg":)" + std::to_string(serial_++) + ",\"count\":2}\n",
                      .callback = number,
                      .handle = true,
                      .tine_only = handle.for_tine_only()});
    must(std::string(outbox_.last()) + "\n" == lines_.back().bytes, "last()");
  }

  void add_answer() {
    const std::string line = "answer" + std::to_string(serial_++) + "\n";
    outbox_.answer(line);
    answers_ += line;
  }

  bool answers_are_first() const {
    if (answers_.empty()) return false;
    return answers_written_ > 0 || lines_.empty() || lines_.front().written == 0 || awaits_answer();
  }
  bool awaits_answer() const {
    return !lines_.empty() && lines_.front().handle &&
           lines_.front().written == lines_.front().bytes.size();
  }
  bool at_tine_only() const { return !lines_.empty() && lines_.front().tine_only; }

  std::size_t queued() const {
    std::size_t bytes = 0;
    for (const Line& line : lines_) {
      if (line.times == 1) bytes += line.bytes.size() - line.written;
    }
    return bytes;
  }

  // Returns all bytes that may be written now. The Outbox may offer fewer at a time.
  std::string writable() const {
    const bool answers = answers_are_first();
    std::string bytes = answers ? answers_.substr(answers_written_) : "";
    for (const Line& line : lines_) {
      const bool first = bytes.empty();
      if (line.handle && !first) break;
      if (line.tine_only && peer_ != Outbox::Peer::tine) break;
      bytes += line.bytes.substr(line.written);
      if (line.handle || (!answers && !answers_.empty())) break;
    }
    return bytes;
  }

  void check_front() {
    const Outbox::Piece piece = outbox_.front();
    const std::string all = writable();
    must(all.starts_with(std::string(piece.bytes).append(piece.then)), "front() is what is next");
    must(piece.bytes.empty() == all.empty(), "front() is something, if there is");
    const bool at_handle = !piece.bytes.empty() && !answers_are_first() && lines_.front().handle;
    if (at_handle) must(piece.bytes == all, "front() is the whole line of a handle");
    const bool beside = at_handle && lines_.front().written == 0;
    must(piece.beside.size() == (beside ? 2 : 0), "descriptors go beside the first byte");
  }

  std::size_t to_write() {
    const Outbox::Piece piece = outbox_.front();
    return piece.bytes.size() + piece.then.size();
  }

  void write(std::size_t n) {
    const bool answers = answers_are_first();
    outbox_.front();
    outbox_.written(n);
    if (answers) {
      const std::size_t of_answers = std::min(n, answers_.size() - answers_written_);
      answers_written_ += of_answers;
      n -= of_answers;
      if (answers_written_ < answers_.size()) return;
      answers_.clear();
      answers_written_ = 0;
    }
    while (n > 0) {
      Line& line = lines_.front();
      const std::size_t piece = std::min(n, line.bytes.size() - line.written);
      line.written += piece;
      n -= piece;
      if (line.written < line.bytes.size()) return;
      report(line, {});
      if (!line.handle) lines_.pop_front();
    }
  }

  void report(Line& line, std::error_code error) {
    if (line.callback >= 0 && !line.reported) due_.emplace_back(line.callback, error);
    line.reported = true;
  }

  void answered(bool arrived) {
    using Answered = Outbox::Answered;
    const Answered answer = outbox_.answered(arrived);
    if (!awaits_answer()) return must(answer == Answered::unasked, "an answer to none");
    Line& line = lines_.front();
    if (!arrived && line.times < 4) {
      ++line.times;
      line.written = 0;
      return must(answer == Answered::again, "it is written four times");
    }
    lines_.pop_front();
    must(answer == (arrived ? Answered::arrived : Answered::lost), "the last answer");
  }

  void forget() {
    if (!awaits_answer()) return;
    outbox_.forget_handle();
    lines_.pop_front();
  }

  void cancel_handle() {
    if (lines_.empty() || !lines_.front().handle || lines_.front().written > 0) return;
    if (answers_are_first() && answers_written_ > 0) return;
    const bool has_callback = !lines_.front().reported;
    must(outbox_.cancel_handle(failed) == has_callback, "whether it has a callback");
    report(lines_.front(), failed);
    lines_.pop_front();
  }

  void set_peer(Outbox::Peer peer) {
    outbox_.set_peer(peer);
    peer_ = peer;
  }

  std::string steps_;
  Outbox outbox_{tine::ChannelOptions{}};
  std::vector<Call> called_;

  std::deque<Line> lines_;
  std::string answers_;
  std::size_t answers_written_ = 0;
  Outbox::Peer peer_ = Outbox::Peer::unknown;
  std::vector<Call> due_;
  int next_ = 0;    // number of the next callback
  int serial_ = 0;  // number of the next line
};

}  // namespace

TEST_CASE("outbox: every sequence of four steps does what the model does", "[channel]") {
  constexpr int length = 4;
  std::size_t all = 1;
  for (int i = 0; i < length; ++i) all *= all_steps.size();
  for (std::size_t number = 0; number < all; ++number) {
    OutboxAndModel both;
    std::size_t rest = number;
    for (int i = 0; i < length; ++i, rest /= all_steps.size()) {
      both.step(all_steps[rest % all_steps.size()]);
      both.check();
    }
    both.finish();
  }
  SUCCEED();
}

TEST_CASE("outbox: long random sequences of steps do what the model does", "[channel]") {
  const bool finished = GENERATE(true, false);
  // About half of the steps write; otherwise everything would wait behind the first handle.
  const std::string steps = std::string(all_steps) + "1112222wwwwww+++++--";
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    OutboxAndModel both;
    for (int i = 0; i < 100; ++i) {
      both.step(steps[random() % steps.size()]);
      both.check();
    }
    finished ? both.finish() : both.cancel();
  }
  SUCCEED();
}
