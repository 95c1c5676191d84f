// Compares the send queue with a model of it, a list of frames, for each kind of frames.
#include "channel/outbox.hpp"

#include <array>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/cbor_codec.hpp"
#include "wire/advanced.hpp"
#include "wire/json_lines.hpp"

using nlohmann::json;
using tine::channel::Outbox;
using tine::channel::PassedHandle;
using tine::wire::AnnouncedHandle;
using tine::wire::Answer;
using tine::wire::Codec;

namespace {

std::unique_ptr<Codec> json_lines() {
  return std::make_unique<tine::wire::JsonLines>(tine::ChannelOptions().max_depth);
}
std::unique_ptr<Codec> advanced() {
  return std::make_unique<tine::wire::Advanced>(tine::ChannelOptions().max_depth);
}
std::unique_ptr<Codec> cbor() { return std::make_unique<CborCodec>(); }

using Make = std::unique_ptr<Codec> (*)();

// The steps that may be done to an Outbox, one letter each.
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
  explicit OutboxAndModel(Make make) : codec_(make()) {}

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
    must(outbox_.empty() == (frames_.empty() && answers_.empty()), "empty()");
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
    while (!frames_.empty() || !answers_.empty()) {
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
    for (Frame& frame : frames_) {
      if (frame.reported) continue;
      ++messages;
      if (frame.callback < 0) ++without_callback;
      report(frame, cancelled);
    }
    const Outbox::Lost lost = outbox_.cancel(cancelled);
    must(lost.messages == messages && lost.without_callback == without_callback, "cancel()");
    frames_.clear();
    answers_.clear();
    check();
  }

 private:
  struct Frame {
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

  std::string frame_of(const json& message, const AnnouncedHandle* handle = nullptr) {
    tine::base::ByteBuffer out;
    must(!codec_->write(message, tine::wire::From::user, handle, out), "a message is written");
    return std::string(out.view());
  }

  void add_message(bool with_callback) {
    const int number = with_callback ? next_++ : -1;
    tine::SendCallback sent = with_callback ? callback(number) : nullptr;
    const json message(serial_++);
    must(!outbox_.add(message, sent), "a message is taken");
    frames_.push_back({.bytes = frame_of(message), .callback = number});
    must(outbox_.last() == message.dump(), "last()");
  }

  void add_handle(const char* type) {
    PassedHandle handle{.type = type, .members = {{"count", 2}}};
    for (int i = 0; i < 2; ++i) handle.descriptors.emplace_back(-1);
    const int number = next_++;
    tine::SendCallback sent = callback(number);
    const json message(serial_++);
    must(!outbox_.add(message, handle, sent), "a handle is taken");
    must(handle.descriptors.empty(), "its descriptors are taken");
    const AnnouncedHandle announced{handle.type, handle.members};
    frames_.push_back({.bytes = frame_of(message, &announced),
                       .callback = number,
                       .handle = true,
                       .tine_only = handle.for_tine_only()});
    const json expected{{"cmd", "NODE_HANDLE"}, {"type", type}, {"msg", message}, {"count", 2}};
    must(json::parse(outbox_.last()) == expected, "last()");
  }

  void add_answer() {
    const Answer answer = serial_++ % 2 == 0 ? Answer::ack : Answer::nack;
    outbox_.answer(answer);
    answers_ += codec_->answer(answer);
    const char* const command = answer == Answer::ack ? "NODE_HANDLE_ACK" : "NODE_HANDLE_NACK";
    must(json::parse(outbox_.last()) == json{{"cmd", command}}, "last()");
  }

  bool answers_are_first() const {
    if (answers_.empty()) return false;
    return answers_written_ > 0 || frames_.empty() || frames_.front().written == 0 ||
           awaits_answer();
  }
  bool awaits_answer() const {
    return !frames_.empty() && frames_.front().handle &&
           frames_.front().written == frames_.front().bytes.size();
  }
  bool at_tine_only() const { return !frames_.empty() && frames_.front().tine_only; }

  std::size_t queued() const {
    std::size_t bytes = 0;
    for (const Frame& frame : frames_) {
      if (frame.times == 1) bytes += frame.bytes.size() - frame.written;
    }
    return bytes;
  }

  // Returns all bytes that may be written now. The Outbox may offer fewer at a time.
  std::string writable() const {
    const bool answers = answers_are_first();
    std::string bytes = answers ? answers_.substr(answers_written_) : "";
    for (const Frame& frame : frames_) {
      const bool first = bytes.empty();
      if (frame.handle && !first) break;
      if (frame.tine_only && peer_ != Outbox::Peer::tine) break;
      bytes += frame.bytes.substr(frame.written);
      if (frame.handle || (!answers && !answers_.empty())) break;
    }
    return bytes;
  }

  void check_front() {
    const Outbox::Piece piece = outbox_.front();
    const std::string all = writable();
    must(all.starts_with(std::string(piece.bytes).append(piece.then)), "front() is what is next");
    must(piece.bytes.empty() == all.empty(), "front() is something, if there is");
    const bool at_handle = !piece.bytes.empty() && !answers_are_first() && frames_.front().handle;
    if (at_handle) must(piece.bytes == all, "front() is the whole frame of a handle");
    const bool beside = at_handle && frames_.front().written == 0;
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
      Frame& frame = frames_.front();
      const std::size_t piece = std::min(n, frame.bytes.size() - frame.written);
      frame.written += piece;
      n -= piece;
      if (frame.written < frame.bytes.size()) return;
      report(frame, {});
      if (!frame.handle) frames_.pop_front();
    }
  }

  void report(Frame& frame, std::error_code error) {
    if (frame.callback >= 0 && !frame.reported) due_.emplace_back(frame.callback, error);
    frame.reported = true;
  }

  void answered(bool arrived) {
    using Answered = Outbox::Answered;
    const Answered answer = outbox_.answered(arrived);
    if (!awaits_answer()) return must(answer == Answered::unasked, "an answer to none");
    Frame& frame = frames_.front();
    if (!arrived && frame.times < 4) {
      ++frame.times;
      frame.written = 0;
      return must(answer == Answered::again, "it is written four times");
    }
    frames_.pop_front();
    must(answer == (arrived ? Answered::arrived : Answered::lost), "the last answer");
  }

  void forget() {
    if (!awaits_answer()) return;
    outbox_.forget_handle();
    frames_.pop_front();
  }

  void cancel_handle() {
    if (frames_.empty() || !frames_.front().handle || frames_.front().written > 0) return;
    if (answers_are_first() && answers_written_ > 0) return;
    const bool has_callback = !frames_.front().reported;
    must(outbox_.cancel_handle(failed) == has_callback, "whether it has a callback");
    report(frames_.front(), failed);
    frames_.pop_front();
  }

  void set_peer(Outbox::Peer peer) {
    outbox_.set_peer(peer);
    peer_ = peer;
  }

  std::string steps_;
  std::unique_ptr<Codec> codec_;
  Outbox outbox_{*codec_, tine::ChannelOptions{}};
  std::vector<Call> called_;

  std::deque<Frame> frames_;
  std::string answers_;
  std::size_t answers_written_ = 0;
  Outbox::Peer peer_ = Outbox::Peer::unknown;
  std::vector<Call> due_;
  int next_ = 0;    // number of the next callback
  int serial_ = 0;  // number of the next message
};

}  // namespace

TEST_CASE("outbox: every sequence of four steps does what the model does", "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  constexpr int length = 4;
  std::size_t all = 1;
  for (int i = 0; i < length; ++i) all *= all_steps.size();
  for (std::size_t number = 0; number < all; ++number) {
    OutboxAndModel both(make);
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
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const bool finished = GENERATE(true, false);
  // About half of the steps write; otherwise everything would wait behind the first handle.
  const std::string steps = std::string(all_steps) + "1112222wwwwww+++++--";
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    OutboxAndModel both(make);
    for (int i = 0; i < 100; ++i) {
      both.step(steps[random() % steps.size()]);
      both.check();
    }
    finished ? both.finish() : both.cancel();
  }
  SUCCEED();
}
