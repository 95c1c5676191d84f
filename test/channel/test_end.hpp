// A channel end whose owner records its events, and a raw peer at the other end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "channel/endpoint.hpp"
#include "support/catch.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"
#include "tine/handle.hpp"

using Log = std::vector<std::string>;

// The owner of a channel end. Records the events of that end.
class TestEnd final : public tine::channel::Endpoint::Owner {
 public:
  TestEnd(tine::Loop& loop, const tine::ChannelOptions& options,
          tine::Serialization serialization = tine::Serialization::json)
      : end_(tine::core_of(loop), *this, options, serialization) {
    end_.router().add(tine::channel::Router::Offers::internal,
                      [this](nlohmann::json& message, tine::channel::ReceivedDescriptors*) {
                        internal_.push_back(message.dump());
                        if (at_internal_) at_internal_();
                        return true;
                      });
  }

  tine::channel::Wanted wanted() const override { return wanted_; }
  bool keeps_loop() const override { return true; }
  void on_message(const tine::channel::ReceivedMessage& message) override {
    const bool came_as_text = message.text.data() != nullptr;
    const std::string text = came_as_text ? std::string(message.text) : message.value.dump();
    log_.push_back(wanted_ == tine::channel::Wanted::text ? "text " + text : message.value.dump());
    if (message.beside != nullptr) {
      log_.back() += " with " + std::to_string(message.beside->descriptors.size());
    }
    if (at_message_) at_message_();
  }
  void on_error(tine::Error error) override {
    log_.emplace_back("error");
    errors_.push_back(error);
    if (at_error_) at_error_();
    if (throw_errors_) throw error;
  }
  void on_loss(tine::Error error) override {
    log_.emplace_back("loss");
    errors_.push_back(error);
  }
  void on_drain() override { log_.emplace_back("drain"); }
  void on_disconnect() override { log_.emplace_back("disconnect"); }
  void on_pong() override { ++pongs_; }

  // Makes a handle to send. The channel does not look at the descriptors.
  tine::channel::PassedHandle passed(const tine::Descriptors& open) {
    tine::channel::PassedHandle passed{.type = passed_as_};
    if (passed.for_tine_only()) passed.members = {{"count", open.size()}};
    for (std::size_t i = 0; i < open.size(); ++i) passed.descriptors.emplace_back(open.release(i));
    passed.taken = [this] { ++taken_; };
    return passed;
  }

  void listen(tine::channel::Wanted wanted) {
    wanted_ = wanted;
    end_.listeners_changed();
  }

  tine::channel::Endpoint end_;
  tine::channel::Wanted wanted_ = tine::channel::Wanted::value;
  std::function<void()> at_message_;
  std::function<void()> at_internal_;
  std::function<void()> at_error_;
  std::string passed_as_ = "net.Socket";
  int taken_ = 0;  // handles that the channel has taken
  int pongs_ = 0;
  bool throw_errors_ = false;
  Log log_;
  Log internal_;
  std::vector<tine::Error> errors_;
};

// An open channel end, and a raw peer.
struct Channel {
  explicit Channel(const tine::ChannelOptions& options = {},
                   tine::Serialization serialization = tine::Serialization::json)
      : owner(std::make_shared<TestEnd>(loop, options, serialization)),
        peer(fd),
        end(owner->end_),
        log(owner->log_) {
    end.open(tine::base::Descriptor(fd));
  }
  ~Channel() {
    if (owner) end.detach();
  }

  // Destroys the end with everything that it holds.
  void drop() {
    end.detach();
    owner.reset();
  }

  tine::channel::PassedHandle passed(const tine::Descriptors& open) { return owner->passed(open); }

  // Makes the channel collect its messages, as on a loop that sends many.
  void send_densely() {
    constexpr int for_seconds = 1'000'000;
    tine::uv::Pace& pace = tine::core_of(loop).pace();
    for (int i = 0; i < for_seconds; ++i) pace.sent(tine::uv::Pace::now());
  }

  // Runs the loop until `holds` returns true.
  void run_until(const std::function<bool()>& holds) {
    const std::function<void()> look = [&] {
      holds() ? loop->stop() : static_cast<void>(loop->after(std::chrono::milliseconds(0), look));
    };
    look();
    loop.run();
  }

  // Closes the peer, and runs the loop until the end is closed and everything is delivered.
  void run_to_end() {
    peer.close();
    loop.run();
    REQUIRE(end.closed());
  }

  TestLoop loop;
  int fd = -1;
  std::shared_ptr<TestEnd> owner;
  RawPeer peer;
  tine::channel::Endpoint& end;
  Log& log;
};

// Records the error codes that send callbacks get, in order.
struct Sent {
  tine::SendCallback callback() {
    return [this](std::error_code error) { codes.push_back(error); };
  }
  std::vector<std::error_code> codes;
};
