// Sends long messages until they queue, and sends back each message. In the first EVENT of its
// Process, or in the first send callback ("sent"), it sends "acting" to its parent and does ACTION.
// If ACTION throws, run() must throw the exception once; then the loop runs on. The exit code is 0
// if ACTION was done and each callback was called once, and 7 if ACTION was "exit".
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <tine/tine.hpp>

namespace {

class Meddler {
 public:
  Meddler(std::string event, std::string action)
      : action_(std::move(action)), process_(std::in_place, loop_, options()) {
    process_->on<"message">([this](const nlohmann::json& message) { send(message); });
    process_->on<"error">([](const tine::Error&) {});
    const auto act = [this] { do_action(); };
    if (event == "connected") remember(process_->once<"connected">(act));
    if (event == "message") remember(process_->once<"message">(act));
    if (event == "error") remember(process_->once<"error">(act));
    if (event == "drain") remember(process_->once<"drain">(act));
    if (event == "disconnect") remember(process_->once<"disconnect">(act));
    in_sent_ = event == "sent";
    // Fills the queue, so that there is a "drain". One message may not be enough, because the
    // kernel may take all of it if the parent reads meanwhile.
    while (send(std::string(500'000, 'x'))) continue;
  }

  void run() {
    for (;;) {
      try {
        return loop_.run();
      } catch (const std::runtime_error&) {
        ++thrown_;
      }
    }
  }

  bool good() const {
    bool all_called_once = true;
    for (const auto& calls : calls_) all_called_once = all_called_once && *calls == 1;
    return acted_ == 1 && all_called_once && thrown_ == (action_ == "throw" ? 1 : 0);
  }

 private:
  static tine::ChannelOptions options() { return {.send_mark = 1000}; }

  void remember(tine::Subscription subscription) {
    remove_ = [this, subscription] {
      if (process_) process_->off(subscription);
    };
  }

  bool send(const nlohmann::json& message) {
    if (!process_) return false;
    const auto calls = calls_.emplace_back(std::make_shared<int>(0));
    return process_->send(message, [this, calls](std::error_code) {
      ++*calls;
      if (std::exchange(in_sent_, false)) do_action();
    });
  }

  void do_action() {
    ++acted_;
    send("acting");
    if (action_ == "throw") throw std::runtime_error("thrown");
    if (action_ == "destroy") process_.reset();
    if (action_ == "fork") tine::fork(loop_, tine::executable_dir() / "raw");
    if (action_ == "remove" && remove_) remove_();
    if (!process_) return;
    if (action_ == "disconnect") process_->disconnect();
    if (action_ == "exit") process_->exit(7);
    if (action_ == "pause") process_->channel().pause();
    if (action_ == "send") send("more");
  }

  std::string action_;
  tine::Loop loop_;
  std::optional<tine::Process> process_;
  std::function<void()> remove_;
  std::vector<std::shared_ptr<int>> calls_;
  bool in_sent_ = false;
  int acted_ = 0;
  int thrown_ = 0;
};

}  // namespace

int main(int, char** argv) {
  Meddler meddler(argv[1], argv[2]);
  meddler.run();
  return meddler.good() ? 0 : 1;
}
