#include "channel/outbox.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "wire/json_writer.hpp"

namespace tine::channel {

namespace {

// A buffer that has grown past it is given back when it is empty.
constexpr std::size_t kept_capacity = std::size_t{256} << 10;

}  // namespace

Outbox::Outbox(const ChannelOptions& options)
    : max_depth_(std::min(options.max_depth, wire::JsonReader::deepest)),
      limit_(options.send_limit),
      checker_(options.max_depth) {}

std::optional<Error> Outbox::add(const nlohmann::json& message) {
  wire::Appending appending(filling_);
  if (const auto problem = wire::write_json(message, max_depth_, filling_)) {
    return Error(Errc::invalid_value, "a message was refused, because of it " + *problem);
  }
  return accept(appending);
}

// Checked where it is to stay: there the parser may read behind it.
std::optional<Error> Outbox::add(Text message) {
  wire::Appending appending(filling_);
  filling_.append(message.json);
  const std::string_view text = appending.view();
  auto bad = checker_.check(text);
  if (const auto feed = text.find('\n'); !bad && feed != text.npos) {
    bad = wire::BadJson{feed, "a line feed, which ends a message", wire::excerpt(text, feed)};
  }
  if (bad) return Error(Errc::invalid_value, "a text was refused, " + bad->text());
  return accept(appending);
}

// A message on an empty queue always fits: else one that is too large could never be sent.
std::optional<Error> Outbox::accept(wire::Appending& appending) {
  const std::size_t others = queued() - appending.view().size();
  filling_.push_back('\n');
  if (others > 0 && queued() > limit_) {
    return Error(Errc::queue_full, "a message was refused: " + std::to_string(others) +
                                       " bytes wait to be written; hold messages until \"drain\"");
  }
  appending.keep();
  return std::nullopt;
}

void Outbox::call_back(SendCallback sent) {
  waiting_.push_back({written_ + queued(), std::move(sent)});
}

std::string_view Outbox::front() {
  if (writing_.size() == 0) std::swap(filling_, writing_);
  return writing_.view().substr(front_);
}

std::vector<SendCallback> Outbox::written(std::size_t n) {
  front_ += n;
  written_ += n;
  if (front_ == writing_.size()) {
    writing_.clear(kept_capacity);
    front_ = 0;
    if (filling_.size() == 0) filling_.clear(kept_capacity);
  }
  std::vector<SendCallback> done;
  while (!waiting_.empty() && waiting_.front().end <= written_) {
    done.push_back(std::move(waiting_.front().sent));
    waiting_.pop_front();
  }
  return done;
}

Outbox::Cancelled Outbox::cancel() {
  Cancelled cancelled;
  const auto lines = [](std::string_view bytes) {
    return static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
  };
  const std::size_t messages = lines(writing_.view().substr(front_)) + lines(filling_.view());
  for (Waiting& waiting : waiting_) cancelled.callbacks.push_back(std::move(waiting.sent));
  cancelled.without_callback = messages - waiting_.size();
  waiting_.clear();
  writing_.clear(0);
  filling_.clear(0);
  front_ = 0;
  return cancelled;
}

}  // namespace tine::channel
