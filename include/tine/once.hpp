// The next event of an emitter, in a tine::Task.
#pragma once

#include <chrono>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tine/detail/event.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/listening.hpp"
#include "tine/detail/wait.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"

namespace tine {

class Message;

namespace task {

// An argument of an event, to keep: what refers to bytes that are valid during the call is copied.
template <class Argument>
using Kept = std::conditional_t<std::is_same_v<Argument, std::string_view>, std::string, Argument>;

template <class E>
struct ArgumentsOf;
template <EventName Name, class... Args>
struct ArgumentsOf<Event<Name, Args...>> {
  static constexpr bool have_message = (std::is_same_v<Args, Message> || ...);
  using type = std::tuple<Kept<Args>...>;

  // Makes a listener that passes on all arguments.
  template <class F>
  static auto listener(F function) {
    return [function](const Args&... args) { function(type(Kept<Args>(args)...)); };
  }
};

template <EventName Name, class View>
struct EventOf;
template <EventName Name, class... Events>
struct EventOf<Name, Emitter<Events...>> {
  static constexpr std::size_t index = detail::event_index<Name, Events...>();
  static constexpr bool exists = index < sizeof...(Events);
  using Arguments = ArgumentsOf<std::tuple_element_t<index, std::tuple<Events..., Event<Name>>>>;
  static constexpr bool may_fail =
      Name.view() != "error" && (std::is_same_v<Events, Event<"error", Error>> || ...);
};

// A source that knows whether an event that comes only once has come: past<Name>() returns its
// arguments then.
template <class Source, EventName Name>
concept Remembers = requires(const Source& source) {
  source.template past<Name>();
};

[[noreturn]] TINE_EXPORT void throw_error(const Error& error);

}  // namespace task

// The next event of that name, by co_await. See once().
template <EventName Name, class Source>
class [[nodiscard]] Once {
 public:
  explicit Once(Source source) : source_(std::move(source)) {}

  // The longest time to wait. After that co_await throws Errc::timed_out.
  Once&& within(std::chrono::milliseconds time) && {
    time_ = time;
    return std::move(*this);
  }

  class Awaiter;
  Awaiter operator co_await() && { return Awaiter(std::move(source_), time_); }

 private:
  Source source_;
  task::Wait::Time time_;
};

template <EventName Name, class Source>
class Once<Name, Source>::Awaiter final : public task::Wait {
  using View = task::ViewOf<Source>;
  using Awaited = task::EventOf<Name, View>;
  using Arguments = typename Awaited::Arguments::type;

 public:
  Awaiter(Source source, Time time)
      : Wait(time), source_(std::move(source)), event_(source_), error_event_(source_) {}

  auto await_resume() {
    check();
    if (error_) task::throw_error(*error_);
    if constexpr (std::tuple_size_v<Arguments> == 1) {
      return std::get<0>(std::move(*arguments_));
    } else if constexpr (std::tuple_size_v<Arguments> > 1) {
      return std::move(*arguments_);
    }
  }

 private:
  void begin() override {
    if constexpr (task::Remembers<Source, Name>) arguments_ = source_.template past<Name>();
    if (arguments_) return settle();
    event_.template once<Name>(Awaited::Arguments::listener([this](Arguments arguments) {
      arguments_.emplace(std::move(arguments));
      end();
      settle();
    }));
    if constexpr (Awaited::may_fail) {
      error_event_.template once<"error">([this](const Error& error) {
        error_ = error;
        end();
        settle();
      });
    }
  }

  // Whichever event comes first, the other one is not this object's any more.
  void end() noexcept override {
    event_.off();
    error_event_.off();
  }

  Source source_;
  task::Listening<View> event_;
  task::Listening<View> error_event_;
  std::optional<Arguments> arguments_;
  std::optional<Error> error_;
};

// Awaits the next event of that name: `co_await tine::once<"listening">(server)`. Returns nothing,
// or the argument of the event, or a std::tuple of its arguments.
//
// An "error" that comes before is thrown, and is not an exception out of Loop::run() then.
//
// Of a ChildProcess, "disconnect", "exit" and "close" may have come already: then this returns on a
// later turn. For any other event that has come and comes only once, this waits for ever, unless
// within() or a stop ends it.
//
// Node: events.once(), which waits for ever in these cases too.
template <EventName Name, class Source>
auto once(const Source& source) {
  using Awaited = task::EventOf<Name, task::ViewOf<Source>>;
  static_assert(Awaited::exists,
                "tine: this emitter has no event of that name; its class lists its events");
  static_assert(!Awaited::Arguments::have_message,
                "tine: a message is awaited with tine::receive(), which knows in which form");
  if constexpr (!Awaited::exists || Awaited::Arguments::have_message) {
    return std::suspend_never();  // so that the compiler reports nothing else
  } else {
    using Held = std::conditional_t<std::copy_constructible<Source>, Source, task::ViewOf<Source>>;
    return Once<Name, Held>(Held(source));
  }
}

}  // namespace tine
