#include "channel/receiver.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "channel/passed_handle.hpp"
#include "wire/internal_message.hpp"

namespace tine::channel {

namespace {

std::string bad_frames_text(const Inbox::Item& item) {
  std::string text = "what came in is no message, " + item.bad->text();
  if (item.bad_frames > 1) {
    text += " (and " + std::to_string(item.bad_frames - 1) + " more after it)";
  }
  return text;
}

bool has_type(const nlohmann::json& line, std::string_view type) {
  const auto member = line.find("type");
  const auto* const text =
      member == line.end() ? nullptr : member->get_ptr<const nlohmann::json::string_t*>();
  return text != nullptr && *text == type;
}

std::size_t announced_descriptors(const nlohmann::json& line) {
  const auto count = line.find("count");
  const bool more = count != line.end() && count->is_number_unsigned() &&
                    has_type(line, PassedHandle::descriptors_type);
  return more ? count->get<std::size_t>() : 1;
}

}  // namespace

Receiver::Receiver(Context& context, Sender& sender)
    : context_(context), sender_(sender), inbox_(context.codec(), context.options()) {}

void Receiver::take(std::span<base::Descriptor> came) noexcept {
  descriptors_dropped_ = !inbox_.take(came) || descriptors_dropped_;
}

Receiver::Delivered Receiver::deliver() {
  using Clock = std::chrono::steady_clock;
  constexpr auto long_enough = std::chrono::milliseconds(1);
  std::optional<Clock::time_point> first_bad;
  while (uv::LoopCore* const core = context_.core()) {
    core->flush_late();
    const Inbox::Item item = inbox_.next(wanted(), router_.takes_user_messages());
    if (context_.trace()) trace(item);
    if (!sender_.peer_known()) look_at_peer(item);
    switch (item.kind) {
      case Inbox::Kind::nothing: return Delivered::all;
      case Inbox::Kind::message: deliver_message(item); break;
      case Inbox::Kind::internal: handle_internal(item); break;
      case Inbox::Kind::bad:
        context_.owner().on_error(
            Error(Errc::bad_message, bad_frames_text(item)).at(item.bad->offset));
        if (!first_bad) first_bad = Clock::now();
        if (item.gave_way || Clock::now() - *first_bad > long_enough) return Delivered::some;
        break;
      case Inbox::Kind::overflow: return Delivered::overflow;
    }
  }
  return Delivered::all;
}

// A tine peer says so in its first line.
void Receiver::look_at_peer(const Inbox::Item& item) {
  if (item.kind == Inbox::Kind::nothing || item.command == wire::hello_command) return;
  sender_.set_peer(Outbox::Peer::other);
}

// A message that was stored has been offered already.
bool Receiver::offer_to_user_routes(const Inbox::Item& item, nlohmann::json& value,
                                    ReceivedDescriptors* beside) {
  if (item.stored) return false;
  try {
    return router_.offer(Router::Offers::user, value, beside);
  } catch (const Router::NotTaken&) {
    if (beside == nullptr) inbox_.put_back();
    throw;
  }
}

// Without a listener and without a route, the inbox stores messages by itself.
void Receiver::deliver_message(const Inbox::Item& item) {
  if (router_.takes_user_messages()) {
    if (offer_to_user_routes(item, inbox_.value(), nullptr)) return;
    if (wanted() == Wanted::nothing) return inbox_.store_last();
  }
  context_.owner().on_message({item.text, inbox_.value()});
}

// Unknown internal messages are ignored, as in Node.
void Receiver::handle_internal(const Inbox::Item& item) {
  if (item.command == wire::handle_command) {
    handle_came(item);
  } else if (!sender_.take(item.command)) {
    router_.offer(Router::Offers::internal, inbox_.value(), nullptr);
  }
}

// When Node sends a handle again, it wraps the line in another one. That is still one handle, with
// one answer.
void Receiver::handle_came(const Inbox::Item& item) {
  nlohmann::json* line = &inbox_.value();
  while (wire::internal_command((*line)["msg"]) == wire::handle_command) line = &(*line)["msg"];
  // A ping claims no descriptor, even if the one of the line behind it has come already.
  if (has_type(*line, wire::ping_type)) return sender_.answer(wire::Answer::nack, false);
  auto descriptors = inbox_.descriptors_of(item, announced_descriptors(*line));
  const bool internal = !wire::internal_command((*line)["msg"]).empty();
  using wire::Answer;
  if (!item.stored) sender_.answer(descriptors.empty() ? Answer::nack : Answer::ack, internal);
  if (descriptors.empty()) {
    if (context_.options().descriptor_limit > 0) return;  // the peer resends it, or reports it
    return context_.owner().on_error(
        Error(Errc::handle_refused, "a handle came beside a message; both were dropped"));
  }

  nlohmann::json value = std::move((*line)["msg"]);
  ReceivedDescriptors beside{*line, std::move(descriptors)};
  if (internal) {
    router_.offer(Router::Offers::internal, value, &beside);
    return;
  }
  if (offer_to_user_routes(item, value, &beside)) return;
  if (wanted() == Wanted::nothing) return inbox_.store_last(beside.descriptors);
  context_.owner().on_message({{}, value, &beside});
}

Error Receiver::overflow_error() const {
  if (inbox_.foreign()) {
    return Error(
        Errc::unsupported_serialization,
        "the peer does not write Node's serialization \"advanced\", which this channel has "
        "(Bun's is another one); fork with serialization \"json\". The channel is closed");
  }
  return Error(Errc::message_too_long, "a message that came in is longer than max_line, which is " +
                                           std::to_string(context_.options().max_line) +
                                           " bytes; the channel is closed");
}

void Receiver::close_stray() {
  inbox_.close_stray();
  if (!std::exchange(descriptors_dropped_, false)) return;
  const auto limit = std::to_string(context_.options().descriptor_limit);
  context_.owner().on_error(Error(
      Errc::handle_refused,
      "more descriptors came than descriptor_limit, which is " + limit + "; they were closed"));
}

void Receiver::read_answers(uv::Stream& stream) {
  stream.read_available([this](std::size_t n) { inbox_.advance(n); });
  while (true) {
    const Inbox::Item item = inbox_.next(Wanted::nothing);
    if (item.kind == Inbox::Kind::nothing) break;
    sender_.take_at_exit(item.command);
  }
  inbox_.close_stray();
  inbox_.drop_stored();
}

void Receiver::trace(const Inbox::Item& item) noexcept {
  if (item.kind == Inbox::Kind::nothing || item.kind == Inbox::Kind::overflow) return;
  context_.trace().in({.text = inbox_.text(item),
                       .internal = item.kind == Inbox::Kind::internal,
                       .queued = inbox_.stored(),
                       .bad = item.bad ? std::string_view(item.bad->reason) : std::string_view()});
}

}  // namespace tine::channel
