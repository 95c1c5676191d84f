// Shared by the targets with a live end of a channel. All inputs use one loop. Each input has its
// own socket pair and session, and must leave nothing behind.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <fcntl.h>
#include <sys/socket.h>
#include <uv.h>

#include <tine/tine.hpp>

#include "channel/inbox.hpp"
#include "fuzz/fuzz.hpp"

// Returns what to listen for. Setting 0 means values.
inline tine::channel::Wanted wanted_of(std::size_t setting) {
  using tine::channel::Wanted;
  constexpr std::array all{Wanted::value, Wanted::text, Wanted::nothing};
  return all[setting % all.size()];
}

// Makes the buffer of a socket so small that few bytes fill it.
inline void make_small(int socket) {
  const int smallest = 1;
  setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof smallest);
}

// Remembers the descriptors that are open when it is made. check() expects that the same ones are
// open.
class OpenDescriptors {
 public:
  OpenDescriptors() : before_(open()) {}
  void check() const { must(open() == before_, "no descriptor is left"); }

 private:
  using Open = std::array<bool, 64>;

  static Open open() {
    Open open{};
    for (std::size_t i = 0; i < open.size(); ++i) {
      open[i] = fcntl(static_cast<int>(i), F_GETFD) != -1;
    }
    return open;
  }

  Open before_;
};

inline void check_handles(const tine::Loop& loop) {
  constexpr int handles_of_a_loop = 4;
  int open = 0;
  const auto count = [](uv_handle_t* handle, void* counter) {
    if (!uv_is_closing(handle)) ++*static_cast<int*>(counter);
  };
  uv_walk(loop.native(), count, &open);
  must(open == handles_of_a_loop, "no handle is left on the loop");
}

template <class Session>
void run_session(tine::Loop& loop, Input input) {
  std::array<int, 2> ends{};
  must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "there is a socket");
  const auto session = std::make_shared<Session>(loop, ends, input);
  session->run();
  must(session.use_count() == 1, "nothing of the channel is left on the loop");
}

// Runs a session on an input. Before, the loop runs an empty session, so that the descriptors that
// the loop opens for itself do not count.
template <class Session>
int fuzz_session(const std::uint8_t* data, std::size_t size) {
  static const auto loop = [] {
    auto used = std::make_unique<tine::Loop>();
    run_session<Session>(*used, Input(nullptr, 0));
    return used;
  }();
  const OpenDescriptors descriptors;
  run_session<Session>(*loop, Input(data, size));
  check_handles(*loop);
  descriptors.check();
  return 0;
}
