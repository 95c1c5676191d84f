// Does what the messages from its parent ask for:
//
//   {"give": KIND, "message": M}  sends M with a handle: "socket", or a number of descriptors
//   {"send": M}                   sends M
//   {"free": N}                   allows only N further descriptors to be opened; null: lifts this
//                                 limit
//   {"user": N}                   switches to that user, which gives up its privileges
//   "survive"                     forks `echo`, exchanges a thousand messages with it, and sends
//                                 {"left": N}: how many more descriptors are open than at its start
//   "fill"                        has as many descriptors in flight as the kernel allows
//   "empty"                       closes the socket pair of "fill"
//   "deaf"                        removes its "message" listener
//   "disconnect", {"exit": CODE}
//
// It answers all other messages with {"got": M, "kind": KIND}. It sends {"error": TEXT} for each
// error, also for those of callbacks. Its argument is an object with options of the channel, with
// times in milliseconds. The exit code is 1 if a callback was not called exactly once, else 0.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <tine/tine.hpp>

namespace {

using nlohmann::json;

tine::ChannelOptions options_of(const json& given) {
  const tine::ChannelOptions usual;
  const auto time = [&](const char* name, std::chrono::milliseconds otherwise) {
    return std::chrono::milliseconds(given.value(name, otherwise.count()));
  };
  return {.descriptor_limit = given.value("descriptor_limit", usual.descriptor_limit),
          .handle_timeout = time("handle_timeout", usual.handle_timeout),
          .flush_timeout = time("flush_timeout", usual.flush_timeout)};
}

std::ptrdiff_t open_descriptors() {
  namespace fs = std::filesystem;
  return std::distance(fs::directory_iterator("/proc/self/fd"), {});
}

class Handover {
 public:
  explicit Handover(const json& options) : process_(loop_, options_of(options)) {
    listening_ = process_.on<"message">(
        [this](const json& message, const tine::Handle& handle) { obey(message, handle); });
    process_.on<"error">([this](const tine::Error& error) {
      send({{"error", error.code().message()}});
    });
  }

  int run() {
    loop_.run();
    return std::all_of(calls_.begin(), calls_.end(), [](const auto& calls) { return *calls == 1; })
               ? 0
               : 1;
  }

 private:
  void obey(const json& message, const tine::Handle& handle) {
    if (message == "disconnect") return process_.disconnect();
    if (message == "deaf") return static_cast<void>(process_.off(listening_));
    if (message == "survive") return survive();
    if (message == "fill") return fill();
    if (message == "empty") return empty();
    if (message.contains("exit")) process_.exit(message["exit"]);
    if (message.contains("free")) return leave_free(message["free"]);
    if (message.contains("user")) return become(message["user"]);
    if (message.contains("send")) return send(message["send"]);
    if (message.contains("give")) return give(message["message"], message["give"]);
    send({{"got", message}, {"kind", kind_of(handle)}});
  }

  static json kind_of(const tine::Handle& handle) {
    if (tine::Socket socket = handle.socket()) {
      socket.destroy();
      return "socket";
    }
    if (const tine::Descriptors open = handle.descriptors()) return open.size();
    return nullptr;
  }

  tine::Handle make(const json& kind) {
    if (kind == "socket") {
      std::array<int, 2> ends{};
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data());
      close(ends[1]);
      return tine::Socket::adopt(loop_, ends[0]);
    }
    std::vector<int> open(kind.get<std::size_t>());
    for (int& fd : open) fd = memfd_create("file", MFD_CLOEXEC);
    return tine::Descriptors(open);
  }

  tine::SendCallback counted() {
    const auto calls = calls_.emplace_back(std::make_shared<int>(0));
    return [this, calls](std::error_code error) {
      ++*calls;
      if (error && process_.connected()) send({{"error", error.message()}});
    };
  }

  void send(const json& message) { process_.send(message, counted()); }

  void give(const json& message, const json& kind) {
    process_.send(message, make(kind), counted());
  }

  void leave_free(const json& count) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = count.is_null() ? limit.rlim_max : lowest_free(count);
    setrlimit(RLIMIT_NOFILE, &limit);
    send({{"free", count}});
  }

  // Makes the process dumpable again. A process that has changed its user is not dumpable, and
  // LeakSanitizer could not inspect it at the end.
  void become(uid_t user) {
    const bool changed =
        setresuid(user, user, user) == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
    send({{changed ? "user" : "error", user}});
  }

  // Returns the limit at which `count` more descriptors can be opened.
  static rlim_t lowest_free(int count) {
    int number = 0;
    for (; count >= 0; ++number) count -= fcntl(number, F_GETFD) == -1;
    return static_cast<rlim_t>(number - 1);
  }

  void survive() {
    auto echo = tine::fork(loop_, tine::executable_dir() / "echo");
    echo.on<"message">([echo](int number) {
      if (number == 1000) return echo.disconnect();
      echo.send(number + 1);
    });
    echo.on<"close">([this] { send({{"left", open_descriptors() - open_at_start_}}); });
    echo.send(1);
  }

  void fill() {
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, under_way_.data());
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    char byte = 0;
    iovec part{&byte, 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int any = STDERR_FILENO;
    std::memcpy(CMSG_DATA(header), &any, sizeof any);
    while (sendmsg(under_way_[0], &message, MSG_DONTWAIT) == 1) {
    }
    send({{"filled", std::generic_category().message(errno)}});
  }

  void empty() {
    for (const int fd : under_way_) close(fd);
    send("emptied");
  }

  tine::Loop loop_;
  tine::Process process_;
  tine::Subscription listening_;
  std::ptrdiff_t open_at_start_ = open_descriptors();
  std::vector<std::shared_ptr<int>> calls_;
  std::array<int, 2> under_way_{-1, -1};
};

}  // namespace

int main(int argc, char** argv) {
  Handover handover(argc > 1 ? json::parse(argv[1]) : json::object());
  return handover.run();
}
