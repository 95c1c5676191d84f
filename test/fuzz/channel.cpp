// Tests a live end of a channel, on a socket pair and a loop, with a peer that follows the input.
//
// Settings: the pieces in which the peer writes; limits, one bit each (see options_of()); what the
// end listens for at first, where 0 means values. Then come the bytes that the peer sends, except
// for these commands, each of which takes its own turn of the loop:
//
//   %v %t %n   listen for values, for texts, for nothing
//   %p %r      pause, resume
//   %s %b %B   send a value: with a callback, without one, of a size that fills a small socket
//   %x %i      send the peer's last line as text; send a value that cannot be written
//   %f %d %k   flush; disconnect; learn that the peer's process is dead
//   %u %U      stop keeping the loop running; keep it running
//   %o         stop the loop, and run it again
//   %T         throw from the next listener
//   %@         the next listener executes the command after this
//   %e         the peer reads
//   %E %m      the peer reads, and sends the bytes back: unchanged, damaged
//   %D         a descriptor goes with the peer's next byte
//   %h %q %c   the peer closes for writing, for reading, for both
//   %%         a percent sign
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <tine/tine.hpp>

#include "channel/endpoint.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/live_end.hpp"
#include "fuzz/oracle.hpp"
#include "wire/internal_message.hpp"
#include "wire/json_lines.hpp"

using nlohmann::json;
using tine::Errc;
using tine::channel::Endpoint;
using tine::channel::Wanted;

namespace {

constexpr std::string_view nack = R"({"cmd":"NODE_HANDLE_NACK"})";

tine::ChannelOptions options_of(std::size_t setting) {
  const auto small = [setting](int bit, std::size_t value, std::size_t usual) {
    return (setting >> bit & 1) != 0 ? value : usual;
  };
  const tine::ChannelOptions usual;
  tine::ChannelOptions options;
  options.max_line = small(0, 100, usual.max_line);
  options.max_depth = small(1, 3, usual.max_depth);
  options.stored_limit = small(2, 64, usual.stored_limit);
  options.send_mark = small(3, 64, usual.send_mark);
  options.send_limit = small(4, 200, usual.send_limit);
  options.flush_timeout = std::chrono::hours(24);  // timeouts are not tested here
  options.descriptor_limit = 0;                    // nor are handles, which have their own target
  return options;
}

constexpr std::size_t small_socket_bit = 5;

// The peer: a socket, and the bytes that were sent and received over it.
class Peer {
 public:
  Peer(int fd, bool small_buffer) : fd_(fd) {
    if (small_buffer) make_small(fd_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { close(); }

  // Writes the bytes as soon as the socket takes them.
  void write(std::string_view bytes) {
    unsent_ += bytes;
    write_unsent();
  }

  void write_unsent() {
    if (unsent_.empty()) return;
    const ssize_t n = fd_ < 0 ? -1 : send_some();
    if (n > 0) {
      sent_.append(unsent_, 0, static_cast<std::size_t>(n));
      unsent_.erase(0, static_cast<std::size_t>(n));
    } else if (fd_ < 0 || errno != EAGAIN) {
      unsent_.clear();  // the other end is gone
    }
  }

  std::string_view read() {
    const std::size_t before = received_.size();
    std::array<char, 4096> piece;
    for (ssize_t n = 1; fd_ >= 0 && n > 0;) {
      n = recv(fd_, piece.data(), piece.size(), MSG_DONTWAIT);
      if (n > 0) received_.append(piece.data(), static_cast<std::size_t>(n));
    }
    return std::string_view(received_).substr(before);
  }

  void add_descriptor() { descriptor_due_ = true; }
  void half_close() { shutdown(fd_, SHUT_WR); }
  void refuse_reading() {
    read();
    deaf_ = true;
    shutdown(fd_, SHUT_RD);
  }
  void close() {
    if (fd_ < 0) return;
    ::close(fd_);
    fd_ = -1;
    deaf_ = true;
    unsent_.clear();
  }

  bool all_sent() const { return unsent_.empty(); }
  const std::string& sent() const { return sent_; }
  const std::string& received() const { return received_; }
  bool deaf() const { return deaf_; }

 private:
  ssize_t send_some() {
    if (!std::exchange(descriptor_due_, false)) {
      return ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    const int descriptor = STDERR_FILENO;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec part{unsent_.data(), 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    return sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  int fd_;
  std::string unsent_;
  std::string sent_;
  std::string received_;
  bool descriptor_due_ = false;
  bool deaf_ = false;  // it reads no more, so the bytes in the socket are lost
};

struct Thrown {};

// A message that was sent, and its outcome.
struct Sent {
  std::string line = {};
  bool has_callback = true;
  bool bad = false;  // the message must be refused
  std::vector<std::error_code> calls = {};

  bool refused() const {
    return has_callback && (calls.at(0) == Errc::channel_closed ||
                            calls.at(0) == Errc::invalid_value || calls.at(0) == Errc::queue_full);
  }
};

// An event that was emitted: a value, a text, or an error about bad lines.
struct Delivered {
  std::optional<json> value = {};
  std::optional<std::string> text = {};
  std::size_t bad_lines = 0;
};

class Session final : public Endpoint::Owner {
 public:
  Session(tine::Loop& loop, std::array<int, 2> ends, Input& input)
      : loop_(loop),
        core_(tine::core_of(loop)),
        pieces_(input.setting()),
        limits_(input.setting()),
        options_(options_of(limits_)),
        wanted_(wanted_of(input.setting())),
        script_(input.bytes()),
        peer_(ends[0], small_sockets()),
        end_(core_, *this, options_) {
    if (small_sockets()) make_small(ends[1]);
    end_.open(tine::base::Descriptor(ends[1]));
  }
  ~Session() override { end_.detach(); }

  void run() {
    later();
    do {
      interrupted_ = false;
      try {
        loop_.run();
      } catch (const Thrown&) {
      }
    } while (interrupted_);
    check();
  }

 private:
  bool small_sockets() const { return (limits_ >> small_socket_bit & 1) != 0; }

  // --- calls from the endpoint

  Wanted wanted() const override { return wanted_; }
  bool keeps_loop() const override { return true; }

  void on_message(const tine::channel::ReceivedMessage& message) override {
    must(message.beside == nullptr, "no handle is taken");
    must(wanted_ != Wanted::nothing && !paused_, "a message is delivered only to a listener");
    if (wanted_ == Wanted::text) {
      delivered_.push_back({.text = std::string(message.text)});
    } else {
      delivered_.push_back({.value = message.value});
    }
    in_listener();
  }

  void on_error(tine::Error error) override {
    if (error.code() == Errc::bad_message) {
      delivered_.push_back({.bad_lines = bad_lines_of(error)});
    } else if (error.code() == Errc::handle_refused) {
      ++handles_refused_;
    } else {
      must(error.code() == Errc::message_too_long, "no other error is reported");
      ++overflows_;
    }
    in_listener();
  }

  void on_loss(tine::Error error) override {
    if (error.code() == Errc::channel_closed) {
      ++closed_errors_;
    } else {
      must(error.code().category() == std::generic_category(), "no other loss is reported");
      ++lost_errors_;
    }
    in_listener();
  }

  void on_drain() override {
    must(++drains_ <= held_, "drain follows a send() that was false");
    in_listener();
  }

  void on_disconnect() override {
    ++disconnects_;
    must(!end_.connected(), "the end is not connected when its disconnect is reported");
    in_listener();
  }

  // Counts the bad lines of an error such as "…, near `x` (and 2 more after it): …".
  static std::size_t bad_lines_of(const tine::Error& error) {
    std::string_view what = error.what();
    what.remove_suffix((": " + error.code().message()).size());
    if (what.ends_with('`')) return 1;
    what.remove_prefix(what.rfind("` (and ") + std::string_view("` (and ").size());
    return 1 + std::stoul(std::string(what));
  }

  void in_listener() {
    if (const char action = std::exchange(action_in_listener_, '\0')) act(action);
    if (!std::exchange(throw_next_, false)) return;
    interrupted_ = true;
    throw Thrown();
  }

  // --- the script

  void later() {
    core_.defer([this] { step(); });
  }

  void step() {
    peer_.write_unsent();
    if (script_.empty()) return wind_up();
    if (script_.starts_with('%') && script_.size() >= 2) {
      const char action = script_[1];
      script_.remove_prefix(2);
      if (action == '@' && !script_.empty()) {
        action_in_listener_ = script_.front();
        script_.remove_prefix(1);
      } else {
        act(action);
      }
    } else {
      const std::string_view piece =
          script_.substr(0, std::min(pieces_.next(), script_.find('%', 1)));
      peer_.write(piece);
      script_.remove_prefix(piece.size());
    }
    later();
  }

  void act(char action) {
    switch (action) {
      case 'v': return listen(Wanted::value);
      case 't': return listen(Wanted::text);
      case 'n': return listen(Wanted::nothing);
      case 'p': return pause(true);
      case 'r': return pause(false);
      case 's': return send_small(true);
      case 'b': return send_small(false);
      case 'B': return send_big();
      case 'x': return send_text(last_line());
      case 'i': return send_bad();
      case 'f':
        must(!end_.flush() || end_.queued() == 0, "flush() returns true only if nothing is left");
        return;
      case 'd': return disconnect();
      case 'k': return end_.peer_died();
      case 'u': return end_.set_ref(false);
      case 'U': return end_.set_ref(true);
      case 'o': return stop();
      case 'T': throw_next_ = true; return;
      case 'e': peer_.read(); return;
      case 'E': return peer_.write(std::string(peer_.read()));
      case 'm': return peer_.write(damaged(std::string(peer_.read())));
      case 'D': return peer_.add_descriptor();
      case 'h': return peer_.half_close();
      case 'q': return peer_.refuse_reading();
      case 'c': return peer_.close();
      default: return peer_.write(std::string_view(&action, 1));
    }
  }

  void listen(Wanted wanted) {
    wanted_ = wanted;
    end_.listeners_changed();
  }

  void pause(bool paused) {
    paused_ = paused;
    end_.set_paused(paused);
  }

  void stop() {
    interrupted_ = true;
    loop_.stop();
  }

  void disconnect() {
    disconnected_ = disconnected_ || end_.connected();
    end_.disconnect();
    must(!end_.connected(), "nothing is connected after disconnect()");
  }

  // Returns the last complete line that the peer sent.
  std::string last_line() const {
    const std::string_view sent = peer_.sent();
    const std::size_t end = sent.rfind('\n');
    if (end == sent.npos) return {};
    const std::size_t feed = end == 0 ? sent.npos : sent.rfind('\n', end - 1);
    const std::size_t begin = feed == sent.npos ? 0 : feed + 1;
    return std::string(sent.substr(begin, end - begin));
  }

  static std::string damaged(std::string bytes) {
    if (bytes.empty()) return bytes;
    bytes[bytes.size() / 3] = static_cast<char>(bytes[bytes.size() / 3] ^ 4);
    bytes.erase(bytes.size() / 2, 1);
    return bytes;
  }

  // A message that may be refused always gets a callback. Otherwise nothing would show which
  // message was refused.
  void send(const json& message, const std::string& line, bool with_callback) {
    const bool connected = end_.connected();
    if (options_.send_limit < big) with_callback = true;
    if (!with_callback && !connected) {
      ++expected_closed_errors_;
      must(!end_.send(message, {}), "nothing is taken after the end");
      return;
    }
    sent_.push_back({.line = line, .has_callback = with_callback, .bad = !connected});
    after_send(end_.send(message, with_callback ? next_callback() : nullptr));
  }

  void send_small(bool with_callback) {
    const json message{{"sent", sent_.size()}};
    send(message, message.dump(), with_callback);
  }

  void send_big() {
    static const json message(std::string(big, 'B'));
    static const std::string line = message.dump();
    send(message, line, true);
  }

  void send_bad() {
    sent_.push_back({.bad = true});
    after_send(end_.send(json("\xFF"), next_callback()));
  }

  void send_text(const std::string& text) {
    const bool good = expected_value(text, options_.max_depth).has_value();
    sent_.push_back({.line = text, .bad = !good || !end_.connected()});
    after_send(end_.send(tine::Text{text}, next_callback()));
  }

  // Returns the callback of the last message in sent_.
  tine::SendCallback next_callback() {
    inside_send_ = true;
    return [this, index = sent_.size() - 1](std::error_code error) {
      must(!inside_send_, "a callback runs on a later turn");
      sent_[index].calls.push_back(error);
      if (error) return;
      must(index >= written_, "callbacks run in order");
      written_ = index;
    };
  }

  void after_send(bool more) {
    inside_send_ = false;
    if (more) must(!sent_.back().bad, "a refused message is not taken");
    if (!more) ++held_;
  }

  // --- the end

  // Waits until everything that is due has happened, then ends the channel from the peer's side.
  void wind_up() {
    if (!winding_up_) {
      winding_up_ = true;
      action_in_listener_ = '\0';
      throw_next_ = false;
      listen(Wanted::value);
      pause(false);
      end_.set_ref(true);
    }
    peer_.read();
    if (end_.queued() > 0 || (!end_.closed() && !peer_.all_sent())) return later();
    peer_.half_close();
  }

  void check() {
    peer_.read();
    must(end_.closed(), "the loop runs until the channel is closed");
    must(disconnects_ == 1, "one disconnect is reported");
    must(end_.queued() == 0, "nothing is queued at the end");
    check_received_messages();
    check_sent_messages();
    must(closed_errors_ == expected_closed_errors_, "a send() after the end is one error");
  }

  void check_received_messages() {
    const Lines all = split(peer_.sent(), options_.max_line);
    std::vector<std::pair<std::string_view, std::optional<json>>> lines;  // not internal ones
    std::size_t handles = 0;
    for (const std::string_view line : all.lines) {
      const bool marked = line.starts_with(tine::wire::JsonLines::bun_mark);
      auto value = expected_value(marked ? line.substr(1) : line, options_.max_depth);
      const std::string_view command = value ? tine::wire::internal_command(*value) : "";
      const bool internal = value && (marked || !command.empty());
      if (command == "NODE_HANDLE") ++handles;
      if (!internal) lines.emplace_back(line, std::move(value));
    }

    auto line = lines.begin();
    for (const Delivered& delivered : delivered_) {
      for (std::size_t left = std::max<std::size_t>(delivered.bad_lines, 1); left > 0;
           --left, ++line) {
        must(line != lines.end(), "no message is delivered twice, or made up");
        if (delivered.bad_lines > 0) must(!line->second, "only a bad line is an error");
        if (delivered.text) must(*delivered.text == line->first, "a text is delivered as it came");
        if (delivered.value) {
          must(line->second && same(*delivered.value, *line->second),
               "a message is delivered as it came");
        }
      }
    }
    must(handles_refused_ <= handles, "a handle is refused once");
    must(overflows_ <= (all.overflown ? 1 : 0), "a line is too long when it is");
    if (disconnected_) return;  // what the peer sent after disconnect() may be lost
    must(line == lines.end(), "no message is lost");
    must(handles_refused_ == handles, "each handle is refused");
    must(overflows_ == (all.overflown ? 1 : 0), "a line that is too long is reported");
  }

  void check_sent_messages() {
    std::string expected;  // all messages that were not refused
    std::size_t written = 0;
    std::size_t nacks = handles_refused_;
    bool cut = false;
    for (const Sent& sent : sent_) {
      must(sent.calls.size() == (sent.has_callback ? 1 : 0), "a callback runs once");
      if (sent.bad) must(sent.refused(), "a message that cannot be sent is refused");
      if (sent.refused()) continue;
      if (sent.line == nack) {
        ++nacks;
      } else {
        expected += sent.line + '\n';
      }
      if (!sent.has_callback) continue;
      must(!cut || sent.calls[0], "nothing is written after a message that was not");
      if (sent.calls[0]) cut = true;
      if (!cut) written = expected.size();
    }
    const std::string received = without_nacks(peer_.received(), nacks);
    must(expected.starts_with(received), "what the peer receives is what was sent, in order");
    if (!peer_.deaf())
      must(received.size() >= written, "a message that is reported as written was written");
  }

  // Removes nacks. They stand between messages and may be missing; the last one may be incomplete.
  static std::string without_nacks(std::string_view received, std::size_t most) {
    std::string rest;
    std::size_t nacks = 0;
    while (!received.empty()) {
      const std::string_view line = received.substr(0, received.find('\n'));
      const std::string_view whole = received.substr(0, line.size() + 1);
      const bool torn = whole.size() == line.size();
      if (!torn && line == nack) {
        ++nacks;
      } else if (!torn || !nack.starts_with(line)) {
        rest += whole;
      }
      received.remove_prefix(whole.size());
    }
    must(nacks <= most, "a handle is answered once");
    return rest;
  }

  static constexpr std::size_t big = 8'000;

  tine::Loop& loop_;
  tine::uv::LoopCore& core_;
  Pieces pieces_;
  std::size_t limits_;
  tine::ChannelOptions options_;
  Wanted wanted_;
  std::string_view script_;
  Peer peer_;
  Endpoint end_;

  bool paused_ = false;
  bool interrupted_ = false;
  bool throw_next_ = false;
  bool winding_up_ = false;
  bool inside_send_ = false;
  bool disconnected_ = false;  // disconnect() was called
  char action_in_listener_ = '\0';

  std::deque<Sent> sent_;
  std::size_t written_ = 0;  // index in sent_ of the last message that was reported as written
  std::size_t held_ = 0;     // how often send() returned false
  std::size_t drains_ = 0;
  std::vector<Delivered> delivered_;
  std::size_t disconnects_ = 0;
  std::size_t handles_refused_ = 0;
  std::size_t overflows_ = 0;
  std::size_t lost_errors_ = 0;
  std::size_t closed_errors_ = 0;
  std::size_t expected_closed_errors_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz_session<Session>(data, size);
}
