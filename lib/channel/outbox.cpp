#include "channel/outbox.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "wire/internal_message.hpp"
#include "wire/json_writer.hpp"

namespace tine::channel {

namespace {

// An empty buffer larger than this is released, however much of it was needed lately.
constexpr std::size_t most_kept = std::size_t{8} << 20;

// How often a handle that does not arrive is written: once, and three more times, as in Node.
constexpr int most_times = 4;

std::string line_of(std::string_view message, const PassedHandle& handle) {
  std::string line = R"({"cmd":"NODE_HANDLE","type":")" + handle.type + R"(","msg":)";
  line.append(message);
  for (const auto& [name, value] : handle.members.items()) {
    line.append(",\"").append(name).append("\":").append(value.dump());
  }
  return line.append("}\n");
}

// Trims the queue after an addition that leaves it empty: the message was refused, or moved to a
// place of its own.
class TrimUnlessItStays {
 public:
  explicit TrimUnlessItStays(uv::WriteQueue& queue) : queue_(queue) {}
  TrimUnlessItStays(const TrimUnlessItStays&) = delete;
  TrimUnlessItStays& operator=(const TrimUnlessItStays&) = delete;
  ~TrimUnlessItStays() { queue_.trim_filling(needed_); }

  void needed(std::size_t bytes) { needed_ = bytes; }

 private:
  uv::WriteQueue& queue_;
  std::size_t needed_ = 0;
};

std::size_t lines_in(std::string_view bytes) {
  return static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
}

}  // namespace

Outbox::Outbox(const ChannelOptions& options)
    : max_depth_(std::min(options.max_depth, wire::JsonReader::deepest)),
      limit_(options.send_limit),
      checker_(options.max_depth),
      queue_(most_kept) {}

// --- adding

std::optional<Error> Outbox::append(const nlohmann::json& message) {
  if (const auto problem = wire::write_json(message, max_depth_, queue_.filling())) {
    return Error(Errc::invalid_value, "a message was refused, because of it " + *problem);
  }
  return std::nullopt;
}

// The text is checked after it is copied to its place: there the parser may read past its end.
std::optional<Error> Outbox::append(Text message) {
  const std::size_t begin = queue_.filling().size();
  queue_.filling().append(message.json);
  const std::string_view text = queue_.filling().view().substr(begin);
  auto bad = checker_.check(text);
  if (const auto feed = text.find('\n'); !bad && feed != text.npos) {
    bad = wire::bad_message(text, feed, "a line feed, which ends a message");
  }
  if (!bad) return std::nullopt;
  return Error(Errc::invalid_value, "a text was refused, " + bad->text()).at(bad->offset);
}

// A message on an empty queue always fits; otherwise one above the limit could never be sent.
std::optional<Error> Outbox::refusal(std::size_t others, std::size_t size) const {
  if (others == 0 || others + size <= limit_) return std::nullopt;
  return Error(Errc::queue_full, "a message was refused: " + std::to_string(others) +
                                     " bytes wait to be written; hold messages until \"drain\"");
}

template <class Message>
std::optional<Error> Outbox::add_message(const Message& message, SendCallback& sent, From from) {
  const std::size_t others = queued();
  const TrimUnlessItStays trim(queue_);
  base::Appending appending(queue_.filling());
  if (from == From::channel && marks_own_lines_) queue_.filling().push_back(wire::bun_mark);
  if (auto refused = append(message)) return refused;
  queue_.filling().push_back('\n');
  if (auto refused = refusal(others, appending.view().size())) return refused;
  if (sent || from == From::channel) queue_.add_record(queue_.end(), sent);
  appending.keep();
  last_ = appending.view().substr(0, appending.view().size() - 1);
  return std::nullopt;
}

// The message is first written behind the queued ones, and then moved into a line of its own.
template <class Message>
std::optional<Error> Outbox::add_with_handle(const Message& message, PassedHandle& handle,
                                             SendCallback& sent, From from) {
  const std::size_t others = queued();
  Passing passing{.begin = queue_.end()};
  {
    TrimUnlessItStays trim(queue_);
    const base::Appending appending(queue_.filling());
    if (auto refused = append(message)) return refused;
    trim.needed(appending.view().size());
    passing.line = line_of(appending.view(), handle);
  }
  if (auto refused = refusal(others, passing.line.size())) return refused;
  passing.for_tine_only = handle.for_tine_only();
  handles_.push_back(std::move(passing));
  try {
    if (sent || from == From::channel) queue_.add_record(handles_.back().end(), sent);
  } catch (...) {
    handles_.pop_back();
    throw;
  }
  handles_.back().descriptors = std::move(handle.descriptors);
  handles_.back().refused = std::move(handle.refused);
  queue_.reserve(handles_.back().line.size());
  last_ = std::string_view(handles_.back().line);
  last_.remove_suffix(1);
  return std::nullopt;
}

std::optional<Error> Outbox::add(const nlohmann::json& message, SendCallback& sent, From from) {
  return add_message(message, sent, from);
}
std::optional<Error> Outbox::add(Text message, SendCallback& sent, From from) {
  return add_message(message, sent, from);
}
std::optional<Error> Outbox::add(const nlohmann::json& message, PassedHandle& handle,
                                 SendCallback& sent, From from) {
  return add_with_handle(message, handle, sent, from);
}
std::optional<Error> Outbox::add(Text message, PassedHandle& handle, SendCallback& sent,
                                 From from) {
  return add_with_handle(message, handle, sent, from);
}

// --- writing

bool Outbox::at_line_begin() const {
  if (at_handle()) return handles_.front().written == 0 || handles_.front().all_written();
  return queue_.at_line_begin();
}

Outbox::Source Outbox::source() const {
  if (!answers_.empty() && (answers_written_ > 0 || at_line_begin())) return Source::answers;
  return at_handle() ? Source::handle : Source::messages;
}

Outbox::Piece Outbox::front() {
  switch (source()) {
    case Source::answers: {
      const std::string_view rest = std::string_view(answers_).substr(answers_written_);
      return {rest, at_handle() ? std::string_view() : next_messages()};
    }
    case Source::messages: {
      const std::string_view next = next_messages();
      return {answers_.empty() ? next : next.substr(0, next.find('\n') + 1)};
    }
    case Source::handle: break;
  }
  const Passing& first = handles_.front();
  if (first.for_tine_only && peer_ != Peer::tine) return {};
  const std::string_view rest = std::string_view(first.line).substr(first.written);
  return {
      rest, {}, first.written == 0 ? std::span(first.descriptors) : std::span<base::Descriptor>()};
}

// Returns the messages up to the next handle.
std::string_view Outbox::next_messages() {
  const std::string_view bytes = queue_.front();
  return handles_.empty() ? bytes : bytes.substr(0, handles_.front().begin - queue_.count());
}

void Outbox::written(std::size_t n) noexcept {
  switch (source()) {
    case Source::answers: {
      const std::size_t of_answers = std::min(n, answers_.size() - answers_written_);
      answers_written_ += of_answers;
      if (answers_written_ < answers_.size()) return;
      answers_.clear();
      answers_written_ = 0;
      if (n > of_answers) written(n - of_answers);
      return;
    }
    case Source::handle: {
      Passing& first = handles_.front();
      first.written += n;
      if (first.times == 1) queue_.written_elsewhere(n);
      return;
    }
    case Source::messages: return queue_.written(n);
  }
}

// --- handles

bool Outbox::awaits_answer() const { return at_handle() && handles_.front().all_written(); }

Outbox::Answered Outbox::answered(bool arrived) noexcept {
  if (!awaits_answer()) return Answered::unasked;
  Passing& first = handles_.front();
  if (!arrived && first.times < most_times) {
    ++first.times;
    first.written = 0;
    return Answered::again;
  }
  if (!arrived) handle_refused();
  handles_.pop_front();
  return arrived ? Answered::arrived : Answered::lost;
}

// If memory runs out, the callback is dropped.
void Outbox::handle_refused() noexcept try {
  if (handles_.front().refused) refused_.push_back(std::move(handles_.front().refused));
} catch (const std::bad_alloc&) {
}

bool Outbox::cancel_handle(std::error_code why) noexcept {
  const Passing& first = handles_.front();
  const bool has_record = queue_.fail(first.end(), why);
  const std::size_t left = first.times > 1 ? 0 : first.line.size() - first.written;
  handle_refused();
  handles_.pop_front();
  queue_.written_elsewhere(left);
  return has_record;
}

// --- ending

Outbox::Lost Outbox::cancel(std::error_code why) noexcept {
  const auto [first, second] = queue_.unwritten();
  std::size_t messages = lines_in(first) + lines_in(second);
  for (const Passing& handle : handles_) messages += handle.end() > queue_.count();
  const uv::WriteQueue::Cancelled records = queue_.cancel(why);
  messages -= records.without_callback;
  handles_.clear();
  answers_.clear();
  return {.messages = messages, .without_callback = messages - records.callbacks};
}

}  // namespace tine::channel
