// The next message of a channel, in a tine::Task.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <chrono>
#include <concepts>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "tine/channel.hpp"
#include "tine/channel_end.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/detail/listening.hpp"
#include "tine/detail/wait.hpp"
#include "tine/message.hpp"
#include "tine/text.hpp"

namespace tine {

namespace task {

[[noreturn]] TINE_EXPORT void throw_message_type(const char* reason);

}  // namespace task

// The next message, by co_await. See receive().
template <class T, class View>
class [[nodiscard]] Receive {
 public:
  Receive(View emitter, Channel channel)
      : emitter_(std::move(emitter)), channel_(std::move(channel)) {}

  // The longest time to wait. After that co_await throws Errc::timed_out, and the next message is
  // left for whoever receives next.
  Receive&& within(std::chrono::milliseconds time) && {
    time_ = time;
    return std::move(*this);
  }

  template <class Json>
  class AwaiterOf;
  auto operator co_await() && {
    return AwaiterOf<nlohmann::json>(std::move(emitter_), std::move(channel_), time_);
  }

 private:
  View emitter_;
  Channel channel_;
  task::Wait::Time time_;
};

// Json is nlohmann::json, which need not be complete where this header is included.
template <class T, class View>
template <class Json>
class Receive<T, View>::AwaiterOf final : public task::Wait {
 public:
  AwaiterOf(View emitter, Channel channel, Time time)
      : Wait(time), channel_(std::move(channel)), message_event_(emitter), end_event_(emitter) {}

  std::optional<T> await_resume() {
    check();
    if (!message_) return std::nullopt;
    if constexpr (std::is_same_v<T, Json>) {
      return std::move(message_);
    } else {
      return converted();
    }
  }

 private:
  // The messages that a channel has stored when it ends are delivered in tasks of the loop, possibly
  // over several turns.
  void begin() override {
    message_event_.template once<"message">([this](Json message) {
      message_ = std::move(message);
      settle();
    });
    if (!channel_.open()) return settle();
    end_event_.template once<"disconnect">([this] { settle(); });
  }

  bool may_get_more() override { return !message_ && task::message_follows(channel_); }

  void end() noexcept override {
    message_event_.off();
    end_event_.off();
  }

  std::optional<T> converted() const {
#ifdef __cpp_exceptions
    try {
      return message_->template get<T>();
    } catch (const std::exception& error) {
      task::throw_message_type(error.what());
    }
#else
    return message_->template get<T>();
#endif
  }

  Channel channel_;
  task::Listening<View> message_event_;
  task::Listening<View> end_event_;
  std::optional<Json> message_;
};

// Awaits the next message of a ChildProcess, of the Process or of a Worker:
//
//   while (auto message = co_await tine::receive(child)) std::cout << *message << std::endl;
//
// Returns a std::optional<T>: a nlohmann::json, or any type that one converts to with get<T>(). It is
// nullopt when the channel has ended and all of its messages have been received, or when it has ended
// and is paused. Throws Errc::message_type if the message does not convert; that message is dropped.
//
// Each receive() is one more "message" listener, for one message. So between two of them the messages
// wait, unless there are other listeners. A handle that comes with a message is closed; a program
// that takes handles listens for "message".
//
// Node: none; `for await` over events.on(process, 'message').
template <class T = nlohmann::json, std::derived_from<ChannelEnd> Source>
auto receive(const Source& source) {
  static_assert(!std::is_same_v<T, Text>,
                "tine: the text of a message is valid only in a listener; receive a value");
  return Receive<T, task::ViewOf<Source>>(source, source.channel());
}

}  // namespace tine
