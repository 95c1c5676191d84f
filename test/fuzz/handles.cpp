// Tests handles on a live end of a channel, on a socket pair and a loop, with a peer that follows
// the input.
//
// Settings: the pieces in which the peer writes; limits, one bit each (see options_of()); what the
// end listens for at first, where 0 means values. Then come the bytes that the peer sends, except
// for these commands, each of which takes its own turn of the loop:
//
//   %F %S %U   add a file, a stream socket, a UDP socket to the descriptors of the peer's next byte
//   %M %m      add sealed memory of three bytes; memory that can be shortened
//   %H %D %B   the peer sends a line that announces a socket; two descriptors; a shared buffer
//   %A %N %T   the peer reports that a handle has arrived; that it has not; that it is tine
//   %C         the peer asks for a count
//   %h %k %d   send a message with a socket; with a socket that is kept open; with two descriptors
//   %u         send a message with a shared buffer
//   %s %b      send a message; one that fills a small socket
//   %v %t %n   listen for values, for texts, for nothing
//   %p %r %q   pause, resume, disconnect
//   %K %O      keep the handles that arrive; let them go
//   %e %E      the peer reads; reads and reports that the handles have arrived
//   %x %w      the peer closes for both; for writing
//   %%         a percent sign
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <tine/tine.hpp>

#include "channel/endpoint.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/live_end.hpp"
#include "fuzz/oracle.hpp"
#include "process/peer.hpp"
#include "wire/internal_message.hpp"

using nlohmann::json;
using tine::Errc;
using tine::channel::Endpoint;
using tine::channel::Wanted;

namespace {

constexpr std::string_view ack = "{\"cmd\":\"NODE_HANDLE_ACK\"}";
constexpr std::string_view nack = "{\"cmd\":\"NODE_HANDLE_NACK\"}";
constexpr std::string_view hello = "{\"cmd\":\"NODE_TINE\"}";
constexpr std::string_view socket_line =
    R"({"cmd":"NODE_HANDLE","type":"net.Socket","msg":1,"key":"k"})";
constexpr std::string_view descriptors_line =
    R"({"cmd":"NODE_HANDLE","type":"tine.Descriptors","msg":1,"count":2})";
constexpr std::string_view buffer_line =
    R"({"cmd":"NODE_HANDLE","type":"tine.SharedBuffer","msg":1,"size":3})";
constexpr std::string_view count_line = R"({"cmd":"NODE_SOCKET_GET_COUNT","key":"k"})";

constexpr int small_socket_bit = 2;

tine::ChannelOptions options_of(std::size_t setting) {
  tine::ChannelOptions options;
  if ((setting & 1) != 0) options.descriptor_limit = 2;
  if ((setting & 2) != 0) options.stored_limit = 64;
  if ((setting & 8) != 0) options.descriptor_limit = 0;
  options.flush_timeout = std::chrono::hours(24);  // timeouts are not tested here
  options.handle_timeout = std::chrono::hours(24);
  return options;
}

std::string command_of(std::string_view line) {
  const auto value = expected_value(line, tine::ChannelOptions{}.max_depth);
  return value ? std::string(tine::wire::internal_command(*value)) : "";
}

int pair_end() {
  std::array<int, 2> ends{};
  must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "there is a socket");
  ::close(ends[1]);
  return ends[0];
}

int memory_of_three_bytes(int seals) {
  const int fd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  must(ftruncate(fd, 3) == 0 && fcntl(fd, F_ADD_SEALS, seals) == 0, "there is memory");
  return fd;
}
int sealed_memory() {
  return memory_of_three_bytes(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
}

// The peer: a socket, and the bytes that were sent and received over it.
class RawPeer {
 public:
  RawPeer(int fd, bool small_buffer) : fd_(fd) {
    if (small_buffer) make_small(fd_);
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() {
    close();
    drop_beside();
  }

  // Writes the bytes as soon as the socket has room for them. Descriptors go with the first byte.
  void write(std::string_view bytes) {
    if (fd_ < 0) return drop_beside();
    if (!bytes.empty() && !beside_.empty()) {
      due_.push_back({unsent_.size() + sent_.size(), std::exchange(beside_, {})});
    }
    unsent_ += bytes;
    write_unsent();
  }
  void write_line(std::string_view line) { write(std::string(line) + '\n'); }

  void write_unsent() {
    while (fd_ >= 0 && !unsent_.empty()) {
      const ssize_t n = send_some();
      if (n < 0 && errno == EAGAIN) return;
      if (n < 0) return give_up();
      sent_.append(unsent_, 0, static_cast<std::size_t>(n));
      unsent_.erase(0, static_cast<std::size_t>(n));
    }
  }

  // Reads the bytes that have come. Returns how many of the lines announce a handle.
  std::size_t read() {
    const std::size_t before = handles_written_;
    std::array<char, 4096> piece;
    while (fd_ >= 0) {
      const ssize_t n = receive(piece);
      if (n <= 0) break;
      received_.append(piece.data(), static_cast<std::size_t>(n));
      check_lines();
    }
    return handles_written_ - before;
  }

  void add_beside(int fd) {
    if (beside_.size() < 8) return beside_.push_back(fd);
    ::close(fd);
  }
  void half_close() { shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ < 0) return;
    ::close(std::exchange(fd_, -1));
    give_up();
  }

  bool all_sent() const { return unsent_.empty(); }
  const std::string& sent() const { return sent_; }

  std::size_t descriptors_sent() const { return descriptors_sent_; }
  std::size_t acks() const { return acks_; }
  std::size_t nacks() const { return nacks_; }
  // The numbers of the messages that arrived.
  const std::vector<std::size_t>& numbers() const { return numbers_; }

 private:
  struct Beside {
    std::size_t at;  // zero-based offset in the stream that is sent
    std::vector<int> descriptors;
  };

  ssize_t send_some() {
    std::string_view bytes = unsent_;
    const bool with = !due_.empty() && due_.front().at == sent_.size();
    const std::size_t next = with ? 1 : 0;  // the first one for a later write
    if (due_.size() > next) bytes = bytes.substr(0, due_[next].at - sent_.size());
    if (!with) return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    const std::vector<int>& descriptors = due_.front().descriptors;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(8 * sizeof(int))> control{};
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size() * sizeof(int));
    const ssize_t n = sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      descriptors_sent_ += descriptors.size();
      drop(due_.front().descriptors);
      due_.erase(due_.begin());
    }
    return n;
  }

  ssize_t receive(std::array<char, 4096>& piece) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(8 * sizeof(int))> control{};
    iovec part{piece.data(), piece.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = recvmsg(fd_, &message, MSG_DONTWAIT);
    if (n <= 0 || message.msg_controllen == 0) return n;
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    std::vector<int> came((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(came.data(), CMSG_DATA(header), came.size() * sizeof(int));
    descriptors_came_ += came.size();
    drop(came);
    return n;
  }

  // Checks complete lines: their contents, and whether they may come now.
  void check_lines() {
    for (;;) {
      const std::size_t end = received_.find('\n', checked_);
      if (end == received_.npos) break;
      check_line(std::string_view(received_).substr(checked_, end - checked_));
      checked_ = end + 1;
    }
    must(descriptors_came_ <= descriptors_announced_ + 2, "descriptors come with their line");
    must(descriptors_came_ >= descriptors_announced_, "a line has its descriptors");
  }

  void check_line(std::string_view line) {
    if (line == ack) return static_cast<void>(++acks_);
    if (line == nack) return static_cast<void>(++nacks_);
    must(handles_written_ <= answers_sent(), "all lines after a handle wait for its answer");
    const json value = json::parse(line, nullptr, false);
    must(!value.is_discarded(), "only lines of JSON are written");
    const std::string_view command = tine::wire::internal_command(value);
    if (command.starts_with("NODE_SOCKET_")) return;
    const bool handle = command == "NODE_HANDLE";
    handles_written_ += handle;
    if (handle) descriptors_announced_ += value.value("count", std::size_t{1});
    const std::size_t number = (handle ? value["msg"] : value)["sent"];
    if (!numbers_.empty() && numbers_.back() == number) {
      must(handle && ++again_ <= 3, "only a handle is written again, three times");
      return;
    }
    again_ = 0;
    numbers_.push_back(number);
  }

  std::size_t answers_sent() const {
    std::size_t answers = 0;
    for (const std::string_view line : split(sent_, std::string_view::npos / 2).lines) {
      const std::string command = command_of(line);
      answers += command == "NODE_HANDLE_ACK" || command == "NODE_HANDLE_NACK";
    }
    return answers;
  }

  static void drop(const std::vector<int>& descriptors) {
    for (const int fd : descriptors) ::close(fd);
  }
  void drop_beside() { drop(std::exchange(beside_, {})); }
  void give_up() {
    unsent_.clear();
    for (const Beside& one : std::exchange(due_, {})) drop(one.descriptors);
  }

  int fd_;
  std::string unsent_;
  std::string sent_;
  std::vector<int> beside_;  // for the next write
  std::vector<Beside> due_;
  std::size_t descriptors_sent_ = 0;

  std::string received_;
  std::size_t checked_ = 0;
  std::size_t acks_ = 0;
  std::size_t nacks_ = 0;
  std::size_t handles_written_ = 0;
  std::size_t descriptors_announced_ = 0;
  std::size_t descriptors_came_ = 0;
  std::size_t again_ = 0;
  std::vector<std::size_t> numbers_;
};

// The settings of an input, in this order, and its script.
struct Settings {
  explicit Settings(Input& input)
      : pieces(input.setting()),
        limits(input.setting()),
        wanted(wanted_of(input.setting())),
        script(input.bytes()) {}

  Pieces pieces;
  std::size_t limits;
  Wanted wanted;
  std::string_view script;
};

class Session final : public tine::process::Peer {
 public:
  Session(tine::Loop& loop, std::array<int, 2> ends, Input& input)
      : Session(loop, ends, Settings(input)) {}
  Session(tine::Loop& loop, std::array<int, 2> ends, const Settings& settings)
      : tine::process::Peer(tine::core_of(loop), options_of(settings.limits)),
        loop_(loop),
        core_(tine::core_of(loop)),
        pieces_(settings.pieces),
        limits_(settings.limits),
        options_(options_of(limits_)),
        wanted_(settings.wanted),
        script_(settings.script),
        peer_(ends[0], small_sockets()) {
    if (small_sockets()) make_small(ends[1]);
    end_.open(tine::base::Descriptor(ends[1]));
  }
  ~Session() override { end_.detach(); }

  void run() {
    later();
    loop_.run();
    check();
  }

 private:
  bool small_sockets() const { return (limits_ >> small_socket_bit & 1) != 0; }

  // --- calls from the endpoint

  Wanted wanted() const override { return wanted_; }
  bool keeps_loop() const override { return true; }
  void loop_closing() noexcept override { end_.detach(); }

  void emit_message(tine::Message& message) override {
    must(wanted_ != Wanted::nothing && !paused_, "a message is delivered only to a listener");
    if (message.handle()) ++handles_delivered_;
    if (const tine::SharedBuffer buffer = message.handle()) {
      must(buffer.text() == std::string(3, '\0'), "a shared buffer has the bytes that were sent");
    }
    if (message.handle() && keep_) kept_.push_back(message.handle());
  }

  void on_error(tine::Error error) override {
    const std::error_code code = error.code();
    const bool known = code == Errc::bad_message || code == Errc::handle_refused ||
                       code == Errc::handle_lost || code == Errc::invalid_handle_type ||
                       code.category() == std::generic_category();
    must(known, "no other error is reported");
  }

  void on_loss(tine::Error error) override {
    must(error.code() == Errc::channel_closed || error.code().category() == std::generic_category(),
         "no other loss is reported");
  }

  void on_drain() override {}
  void on_disconnect() override { ++disconnects_; }

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
      act(action);
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
      case 'F': return peer_.add_beside(memfd_create("file", MFD_CLOEXEC));
      case 'S': return peer_.add_beside(pair_end());
      case 'U': return peer_.add_beside(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      case 'M': return peer_.add_beside(sealed_memory());
      case 'm': return peer_.add_beside(memory_of_three_bytes(F_SEAL_GROW | F_SEAL_WRITE));
      case 'H': return peer_.write_line(socket_line);
      case 'D': return peer_.write_line(descriptors_line);
      case 'B': return peer_.write_line(buffer_line);
      case 'A': return peer_.write_line(ack);
      case 'N': return peer_.write_line(nack);
      case 'T': return peer_.write_line(hello);
      case 'C': return peer_.write_line(count_line);
      case 'h': return send(tine::Socket::adopt(loop_, pair_end()), false);
      case 'k': return send_kept();
      case 'd': return send(tine::Descriptors({pair_end(), pair_end()}), false);
      case 'u': return send(tine::SharedBuffer("shared"), false);
      case 's': return send("");
      case 'b': return send(std::string(8000, 'b'));
      case 'v': return listen(Wanted::value);
      case 't': return listen(Wanted::text);
      case 'n': return listen(Wanted::nothing);
      case 'p': return pause(true);
      case 'r': return pause(false);
      case 'q': return end_.disconnect();
      case 'K': keep_ = true; return;
      case 'O': return let_go();
      case 'e': peer_.read(); return;
      case 'E': return read_and_answer();
      case 'x': return peer_.close();
      case 'w': return peer_.half_close();
      default: return peer_.write(std::string_view(&action, 1));
    }
  }

  void read_and_answer() {
    for (std::size_t came = peer_.read(); came > 0; --came) peer_.write_line(ack);
  }

  void listen(Wanted wanted) {
    wanted_ = wanted;
    end_.listeners_changed();
  }

  void pause(bool paused) {
    paused_ = paused;
    end_.set_paused(paused);
  }

  tine::SendCallback next_callback() {
    calls_.push_back(0);
    return [this, index = calls_.size() - 1](std::error_code) { ++calls_[index]; };
  }

  void send(const std::string& text) {
    const json message{{"sent", calls_.size()}, {"text", text}};
    end_.send(message, next_callback());
  }
  void send(const tine::Handle& handle, bool keep_open) {
    const json message{{"sent", calls_.size()}};
    tine::process::Peer::send(message, handle, keep_open, next_callback());
  }
  void send_kept() {
    tine::Socket socket = tine::Socket::adopt(loop_, pair_end());
    send(socket, true);
    socket.destroy();
  }

  // Takes servers and sockets out of the kept handles and closes them. Drops the other handles.
  void let_go() {
    keep_ = false;
    for (const tine::Handle& handle : std::exchange(kept_, {})) {
      try {
        if (tine::Server server = handle.server()) close(server);
        if (tine::Socket socket = handle.socket()) socket.destroy();
        if (tine::Datagram socket = handle.datagram()) close(socket);
      } catch (const tine::Error&) {
      }
    }
  }

  // Ignores errors, because not every socket is of the type that the peer has announced.
  template <class Opened>
  static void close(Opened& opened) {
    opened.template on<"error">([](const tine::Error&) {});
    opened.close();
  }

  // --- the end

  // Waits until everything that is due has happened, then ends the channel from the peer's side.
  void wind_up() {
    if (!std::exchange(winding_up_, true)) {
      listen(Wanted::value);
      pause(false);
      peer_.write_line(hello);
      peer_.write_line(ack);
    }
    read_and_answer();
    if (!end_.closed() && (end_.queued() > 0 || !peer_.all_sent()) && --patience_ > 0)
      return later();
    peer_.read();
    peer_.half_close();
    if (patience_ <= 0) peer_.close();
    let_go();
  }

  void check() {
    peer_.read();
    must(end_.closed(), "the loop runs until the channel is closed");
    must(disconnects_ == 1, "one disconnect is reported");
    must(std::all_of(calls_.begin(), calls_.end(), [](int calls) { return calls == 1; }),
         "a callback runs once");
    must(std::is_sorted(peer_.numbers().begin(), peer_.numbers().end()),
         "messages come in the order they were sent in");
    must(peer_.acks() <= peer_.descriptors_sent(), "only a handle that came is acknowledged");
    std::size_t lines = 0;
    for (const std::string_view line : split(peer_.sent(), options_.max_line).lines) {
      lines += command_of(line) == "NODE_HANDLE";
    }
    must(peer_.acks() + peer_.nacks() <= lines, "a handle is answered once");
    must(handles_delivered_ <= std::min(lines, peer_.descriptors_sent()),
         "a handle is delivered once");
  }

  tine::Loop& loop_;
  tine::uv::LoopCore& core_;
  Pieces pieces_;
  std::size_t limits_;
  tine::ChannelOptions options_;
  Wanted wanted_;
  std::string_view script_;
  RawPeer peer_;
  Endpoint& end_ = end();

  bool paused_ = false;
  bool winding_up_ = false;
  bool keep_ = false;
  int patience_ = 100;  // turns
  std::vector<tine::Handle> kept_;
  std::vector<int> calls_;  // how often each callback ran
  std::size_t handles_delivered_ = 0;
  std::size_t disconnects_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz_session<Session>(data, size);
}
