#include "process/environment.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel/trace.hpp"
#include "tine/error.hpp"

extern char** environ;

namespace tine::process {

namespace {

constexpr const char* fd_name = "NODE_CHANNEL_FD";
constexpr const char* mode_name = "NODE_CHANNEL_SERIALIZATION_MODE";
constexpr const char* json_mode = "json";
constexpr const char* advanced_mode = "advanced";
// Names the channel of a parent that is tine. A program in between may pass the variable on to a
// child with a channel of its own, where it means nothing.
constexpr const char* tine_name = "TINE_CHANNEL";
constexpr const char* worker_name = "NODE_UNIQUE_ID";
constexpr std::array<std::string_view, 4> channel_names{fd_name, mode_name, worker_name, tine_name};

bool names_channel(std::string_view name) {
  return std::find(channel_names.begin(), channel_names.end(), name) != channel_names.end();
}

// Returns the value of a variable, and removes the variable.
std::optional<std::string> take(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  std::string taken = value;
  unsetenv(name);
  return taken;
}

// Returns a number that no other socket of the system has.
std::string name_of(int socket) {
  struct stat status {};
  fstat(socket, &status);
  return std::to_string(status.st_ino);
}

[[noreturn]] void refuse(const std::string& value, const char* why) {
  throw Error(Errc::bad_channel, std::string(fd_name) + "=" + value + " " + why +
                                     "; unset it, or start this program with fork()");
}

// Accepts digits only: Node takes "3junk" for 3.
int parse_descriptor(const std::string& value) {
  int fd = -1;
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, fd);
  if (error != std::errc() || stop != end || fd < 0) refuse(value, "is not a descriptor number");
  return fd;
}

void verify_connected_stream(int fd, const std::string& value) {
  if (fcntl(fd, F_GETFD) < 0) refuse(value, "names a descriptor that is not open");
  int type = 0;
  socklen_t type_size = sizeof(type);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) < 0 || type != SOCK_STREAM) {
    refuse(value, "names a descriptor that is not a stream socket");
  }
  sockaddr_storage peer{};
  socklen_t peer_size = sizeof(peer);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) < 0) {
    refuse(value, "names a socket that is not connected");
  }
}

}  // namespace

std::vector<std::string> child_environment(
    const std::map<std::string, std::optional<std::string>>& changes, bool inherit, int channel_fd,
    std::optional<int> worker, Serialization serialization) {
  std::vector<std::string> environment;
  for (char** variable = inherit ? environ : nullptr; variable != nullptr && *variable != nullptr;
       ++variable) {
    const std::string_view entry = *variable;
    const std::string name(entry.substr(0, entry.find('=')));
    const bool ours = names_channel(name) || name == channel::Trace::variable;
    if (!ours && !changes.contains(name)) environment.emplace_back(entry);
  }
  if (inherit && !changes.contains(channel::Trace::variable)) {
    if (const auto file = channel::Trace::file()) {
      environment.push_back(std::string(channel::Trace::variable) + "=" + *file);
    }
  }
  for (const auto& [name, value] : changes) {
    if (value && !names_channel(name)) environment.push_back(name + "=" + *value);
  }
  environment.push_back(std::string(fd_name) + "=" + std::to_string(channel_fd));
  const char* const mode = serialization == Serialization::advanced ? advanced_mode : json_mode;
  environment.push_back(std::string(mode_name) + "=" + mode);
  if (worker) environment.push_back(std::string(worker_name) + "=" + std::to_string(*worker));
  return environment;
}

std::string tine_variable(int channel) { return std::string(tine_name) + "=" + name_of(channel); }

// The id is looked up once, before the variables are removed.
std::optional<int> worker_id() {
  static const std::optional<int> id = [] {
    const char* const value = std::getenv(fd_name) == nullptr ? nullptr : std::getenv(worker_name);
    const std::string_view text = value == nullptr ? "" : value;
    int number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool valid = !text.empty() && error == std::errc() && stop == text.data() + text.size();
    return valid ? std::optional(number) : std::nullopt;
  }();
  return id;
}

Serialization wanted_serialization() {
  const char* const mode = std::getenv(fd_name) == nullptr ? nullptr : std::getenv(mode_name);
  const bool is_advanced = mode != nullptr && std::string_view(mode) == advanced_mode;
  return is_advanced ? Serialization::advanced : Serialization::json;
}

std::optional<AdoptedChannel> adopt_channel() {
  worker_id();
  unsetenv(worker_name);
  const auto value = take(fd_name);
  const auto mode = take(mode_name);
  const auto tine = take(tine_name);
  if (!value) return std::nullopt;

  const int fd = parse_descriptor(*value);
  verify_connected_stream(fd, *value);
  base::Descriptor channel(fd);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  AdoptedChannel adopted{std::move(channel), tine == name_of(fd)};
  if (mode && !mode->empty() && *mode != json_mode && *mode != advanced_mode) {
    adopted.refusal.emplace(Errc::unsupported_serialization,
                            "the parent asks for serialization \"" + *mode +
                                "\"; fork with serialization \"json\" or \"advanced\"");
  }
  return adopted;
}

}  // namespace tine::process
