#include "channel/outbox.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "wire/json_writer.hpp"

namespace tine::channel {

namespace {

// A buffer that has grown past it is given back when it is empty, whatever is needed next.
constexpr std::size_t most_kept = std::size_t{8} << 20;

}  // namespace

Outbox::Outbox(const ChannelOptions& options)
    : max_depth_(std::min(options.max_depth, wire::JsonReader::deepest)),
      limit_(options.send_limit),
      checker_(options.max_depth) {}

std::optional<Error> Outbox::add(const nlohmann::json& message, SendCallback& sent) {
  wire::Appending appending(filling_);
  if (const auto problem = wire::write_json(message, max_depth_, filling_)) {
    return Error(Errc::invalid_value, "a message was refused, because of it " + *problem);
  }
  return accept(appending, sent);
}

// Checked where it is to stay: there the parser may read behind it.
std::optional<Error> Outbox::add(Text message, SendCallback& sent) {
  wire::Appending appending(filling_);
  filling_.append(message.json);
  const std::string_view text = appending.view();
  auto bad = checker_.check(text);
  if (const auto feed = text.find('\n'); !bad && feed != text.npos) {
    bad = wire::BadJson{feed, "a line feed, which ends a message", wire::excerpt(text, feed)};
  }
  if (bad) return Error(Errc::invalid_value, "a text was refused, " + bad->text()).at(bad->offset);
  return accept(appending, sent);
}

// A message on an empty queue always fits: else one that is too large could never be sent.
std::optional<Error> Outbox::accept(wire::Appending& appending, SendCallback& sent) {
  const std::size_t others = queued() - appending.view().size();
  last_ = filling_.size() - appending.view().size();
  filling_.push_back('\n');
  if (others > 0 && queued() > limit_) {
    return Error(Errc::queue_full, "a message was refused: " + std::to_string(others) +
                                       " bytes wait to be written; hold messages until \"drain\"");
  }
  if (sent) waiting_.push_back({written_ + queued(), std::move(sent)});
  appending.keep();
  return std::nullopt;
}

std::string_view Outbox::front() {
  if (writing_.size() == 0) std::swap(filling_, writing_);
  return writing_.view().substr(front_);
}

void Outbox::written(std::size_t n) noexcept {
  front_ += n;
  written_ += n;
  if (front_ == writing_.size()) all_written();
  while (due_ < waiting_.size() && waiting_[due_].end <= written_) ++due_;
}

void Outbox::all_written() noexcept {
  const bool too_large =
      need_.outgrown(writing_.size(), writing_.capacity()) || writing_.capacity() > most_kept;
  writing_.truncate(0);
  front_ = 0;
  if (!too_large) return;
  writing_.release();
  if (filling_.size() == 0) filling_.release();
}

std::size_t Outbox::cancel(std::error_code why) noexcept {
  const auto lines = [](std::string_view bytes) {
    return static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
  };
  const std::size_t messages = lines(writing_.view().substr(front_)) + lines(filling_.view());
  const std::size_t with_callback = waiting_.size() - due_;
  due_ = waiting_.size();
  cancelled_because_ = why;
  writing_.release();
  filling_.release();
  front_ = 0;
  return messages - with_callback;
}

void Outbox::drop_callbacks() noexcept {
  waiting_.clear();
  due_ = 0;
}

void Outbox::call_first_due() {
  const Waiting first = std::move(waiting_.front());
  waiting_.pop_front();
  --due_;
  first.sent(first.end <= written_ ? std::error_code() : cancelled_because_);
}

}  // namespace tine::channel
