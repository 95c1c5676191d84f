#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

#include "channel/context.hpp"
#include "channel/outbox.hpp"
#include "channel/send_reports.hpp"
#include "uv/timer.hpp"

namespace tine::channel {

// The wait for what the peer says about the first handle of the outbox: that it has arrived, or
// that the peer is tine, for a handle that only tine takes, or the answer to a ping that was written
// before. A handle that no answer comes for is given up.
class HandleHandshake {
 public:
  // `late` is called when a handle was given up, so that what waits behind it can be written.
  HandleHandshake(const Context& context, Outbox& outbox, SendReports& reports,
                  std::function<void()> late)
      : context_(context), outbox_(outbox), reports_(reports), late_(std::move(late)) {}

  // Nothing is waited for before open() and after close().
  void open();
  void close() noexcept { timer_.reset(); }

  // Must be called after each write, and when the time limit may have changed: starts or stops the
  // timer. The loop stays alive for messages that the handle holds back.
  void look(bool closing) noexcept;
  // Makes look() start the timer again, with the time limit of now.
  void restart() noexcept { waiting_ = false; }

  void set_peer(Outbox::Peer peer) noexcept;
  bool peer_known() const { return peer_known_; }

  Outbox::Answered answered(bool arrived) noexcept;

  // Returns whether everything behind the handle waits for the peer.
  bool waits() const {
    return outbox_.awaits_answer() || outbox_.awaits_peer() || outbox_.awaits_pong();
  }
  // Gives up the handle that everything waits for. Returns false if there is none.
  bool give_up() noexcept;
  // Gives up the first handle and its message: neither is sent.
  void cancel(std::error_code why) noexcept;

  // Returns how long to wait for an answer once the channel is to close: no longer than for a write.
  std::chrono::milliseconds patience_to_close() const;

 private:
  const Context& context_;
  Outbox& outbox_;
  SendReports& reports_;
  std::function<void()> late_;
  std::optional<uv::RawTimer> timer_;
  bool waiting_ = false;
  bool peer_known_ = false;
};

}  // namespace tine::channel
