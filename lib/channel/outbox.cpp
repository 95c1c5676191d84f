#include "channel/outbox.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <nlohmann/json.hpp>

#include "wire/internal_message.hpp"

namespace tine::channel {

namespace {

// An empty buffer larger than this is released, however much of it was needed lately.
constexpr std::size_t most_kept = std::size_t{8} << 20;

// How often a handle that does not arrive is written: once, and three more times, as in Node.
constexpr int most_times = 4;

// Trims the queue after an addition that leaves it empty, because the message was refused.
class TrimUnlessItStays {
 public:
  explicit TrimUnlessItStays(uv::WriteQueue& queue) : queue_(queue) {}
  TrimUnlessItStays(const TrimUnlessItStays&) = delete;
  TrimUnlessItStays& operator=(const TrimUnlessItStays&) = delete;
  ~TrimUnlessItStays() { queue_.trim_filling(); }

 private:
  uv::WriteQueue& queue_;
};

}  // namespace

Outbox::Outbox(wire::Codec& codec, const ChannelOptions& options)
    : codec_(codec), limit_(options.send_limit), queue_(most_kept) {}

// --- adding

std::optional<Error> Outbox::write(base::ValueRef message, From from,
                                   const wire::AnnouncedHandle* handle, base::ByteBuffer& out) {
  const auto problem = codec_.write(message, from, handle, out);
  if (!problem) return std::nullopt;
  return Error(Errc::invalid_value, "a message was refused, because of it " + *problem);
}

std::optional<Error> Outbox::write(Text message, From from, const wire::AnnouncedHandle* handle,
                                   base::ByteBuffer& out) {
  const auto bad = codec_.write_text(message.json, from, handle, out);
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
  if (auto refused = write(message, from, nullptr, queue_.filling())) return refused;
  if (auto refused = refusal(others, appending.view().size())) return refused;
  if (sent || from == From::channel) queue_.add_record(queue_.end(), sent);
  appending.keep();
  last_ = appending.view();
  return std::nullopt;
}

template <class Message>
std::optional<Error> Outbox::add_with_handle(const Message& message, PassedHandle& handle,
                                             SendCallback& sent, From from) {
  Passing passing{.begin = queue_.end(), .for_tine_only = handle.for_tine_only()};
  const wire::AnnouncedHandle announced{handle.type, handle.members};
  if (auto refused = write(message, from, &announced, passing.frame)) return refused;
  if (auto refused = refusal(queued(), passing.frame.size())) return refused;
  handles_.push_back(std::move(passing));
  try {
    if (sent || from == From::channel) queue_.add_record(handles_.back().end(), sent);
  } catch (...) {
    handles_.pop_back();
    throw;
  }
  handles_.back().descriptors = std::move(handle.descriptors);
  handles_.back().memory = handle.memory;
  memory_ += handle.memory;
  handles_.back().refused = std::move(handle.refused);
  queue_.reserve(handles_.back().frame.size());
  last_ = handles_.back().frame.view();
  return std::nullopt;
}

std::optional<Error> Outbox::add(base::ValueRef message, SendCallback& sent, From from) {
  return add_message(message, sent, from);
}
std::optional<Error> Outbox::add(Text message, SendCallback& sent, From from) {
  return add_message(message, sent, from);
}
std::optional<Error> Outbox::add(base::ValueRef message, PassedHandle& handle, SendCallback& sent,
                                 From from) {
  return add_with_handle(message, handle, sent, from);
}
std::optional<Error> Outbox::add(Text message, PassedHandle& handle, SendCallback& sent,
                                 From from) {
  return add_with_handle(message, handle, sent, from);
}

void Outbox::answer(wire::Answer answer) {
  last_ = codec_.answer(answer);
  answers_ += last_;
}

std::string_view Outbox::last() noexcept try {
  const wire::Framing::Frame frame = codec_.framing().first(last_, 0);
  return codec_.text(last_.substr(frame.begin, frame.content), nullptr);
} catch (const std::bad_alloc&) {
  return {};
}

// --- writing

// Returns how many bytes are left of the frame that is being written; 0 between two frames.
std::size_t Outbox::rest_of_frame() {
  const uv::WriteQueue::Buffers buffers = queue_.buffers();
  if (frame_end_ < buffers.written) {
    const std::string_view bytes = buffers.writing.substr(frame_end_);
    frame_end_ += codec_.framing().end_of_frame(bytes, buffers.written - frame_end_);
  }
  return frame_end_ - buffers.written;
}

bool Outbox::at_frame_begin() {
  if (at_handle()) return handles_.front().written == 0 || handles_.front().all_written();
  return rest_of_frame() == 0;
}

Outbox::Source Outbox::source() {
  if (!answers_.empty() && (answers_written_ > 0 || at_frame_begin())) return Source::answers;
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
      return {answers_.empty() ? next : next.substr(0, rest_of_frame())};
    }
    case Source::handle: break;
  }
  const Passing& first = handles_.front();
  if (awaits_pong() || (first.for_tine_only && peer_ != Peer::tine)) return {};
  return {first.frame.view().substr(first.written),
          {},
          first.written == 0 ? std::span(first.descriptors) : std::span<base::Descriptor>()};
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
      if (first.all_written()) count_memory_out(first);
      return;
    }
    case Source::messages: {
      queue_.written(n);
      if (queue_.buffers().written == 0) frame_end_ = 0;
      return;
    }
  }
}

// --- handles

bool Outbox::awaits_answer() const { return at_handle() && handles_.front().all_written(); }

bool Outbox::ping() {
  SendCallback nobody;
  const nlohmann::json line{{"cmd", wire::handle_command}, {"type", wire::ping_type}};
  ping_unanswered_ = !add(line, nobody, From::channel);
  return ping_unanswered_;
}

// No handle is on its way while a ping is unanswered.
Outbox::Answered Outbox::answered(bool arrived) noexcept {
  if (!arrived && std::exchange(ping_unanswered_, false)) return Answered::pong;
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
  Passing& first = handles_.front();
  const bool has_record = queue_.fail(first.end(), why);
  count_memory_out(first);
  const std::size_t left = first.times > 1 ? 0 : first.frame.size() - first.written;
  handle_refused();
  handles_.pop_front();
  queue_.written_elsewhere(left);
  return has_record;
}

// --- ending

Outbox::Lost Outbox::cancel(std::error_code why) noexcept {
  const std::size_t rest = rest_of_frame();
  const auto [writing, written, filling] = queue_.buffers();
  const wire::Framing& framing = codec_.framing();
  std::size_t messages = (rest > 0 ? 1 : 0) + framing.count_complete(filling) +
                         framing.count_complete(writing.substr(written + rest));
  for (const Passing& handle : handles_) messages += handle.end() > queue_.count();
  const uv::WriteQueue::Cancelled records = queue_.cancel(why);
  messages -= records.without_callback;
  handles_.clear();
  memory_ = 0;
  answers_.clear();
  return {.messages = messages, .without_callback = messages - records.callbacks};
}

}  // namespace tine::channel
