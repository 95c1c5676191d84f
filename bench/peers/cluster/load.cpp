// Sends requests to a web server, as many as the job says and over as many connections at a time,
// and prints the line of figures.
//
//   load SERVER... JOB
//
// The server is started with its port as the last argument. It prints a line when all its processes
// listen, and SIGTERM ends it.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <llhttp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "spawn.hpp"

namespace {

using Clock = std::chrono::steady_clock;

int check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::uint16_t free_port() {
  const int fd = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  check(bind(fd, reinterpret_cast<sockaddr*>(&address), size), "bind");
  check(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  close(fd);
  return ntohs(address.sin_port);
}

// A server with all its processes. Their stdout is the pipe, so EOF means that all have ended.
class Server {
 public:
  Server(std::vector<std::string> command, std::uint16_t port) {
    command.push_back(std::to_string(port));
    int ends[2];
    check(pipe2(ends, O_CLOEXEC), "pipe2");
    output_ = ends[0];
    pid_ = bench::spawn(std::move(command), ends[1], STDOUT_FILENO);
    close(ends[1]);
    char line[64];
    if (read(output_, line, sizeof line) <= 0) {
      throw std::runtime_error("the server ended before it listened");
    }
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    kill(pid_, SIGTERM);
    char rest[64];
    while (read(output_, rest, sizeof rest) > 0) continue;
    close(output_);
    bench::wait_for(pid_);
  }

 private:
  int output_;
  int pid_;
};

struct Job {
  std::size_t count;        // answers, from all connections
  std::size_t connections;  // at a time
  bool keep_alive;          // false: each connection is for one answer
};

// A client that makes one request after the other on each connection, until there are enough.
class Load {
 public:
  Load(const Job& job, std::uint16_t port)
      : job_(job),
        address_(loopback(port)),
        epoll_(check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    llhttp_settings_init(&settings_);
    settings_.on_message_complete = [](llhttp_t* parser) {
      static_cast<Connection*>(parser->data)->answered = true;
      return 0;
    };
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { close(epoll_); }

  void run() {
    connections_.resize(std::min(job_.connections, job_.count));
    for (Connection& connection : connections_) open(connection);
    epoll_event events[64];
    while (answers_ < job_.count) {
      const int n = epoll_wait(epoll_, events, std::size(events), 10'000);
      if (n == 0) throw std::runtime_error("no answer for 10 s");
      for (int i = 0; i < n; ++i) read_from(*static_cast<Connection*>(events[i].data.ptr));
    }
    for (Connection& connection : connections_) {
      if (connection.fd >= 0) close(connection.fd);
    }
  }

 private:
  struct Connection {
    int fd = -1;
    llhttp_t parser;
    bool answered;
  };

  // Blocks until it is connected, which is as fast as not blocking over the loopback.
  void open(Connection& connection) {
    connection.fd = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    const int on = 1;
    setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    check(connect(connection.fd, reinterpret_cast<sockaddr*>(&address_), sizeof address_),
          "connect");
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    check(epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event), "epoll_ctl");
    llhttp_init(&connection.parser, HTTP_RESPONSE, &settings_);
    connection.parser.data = &connection;
    ask(connection);
  }

  void ask(Connection& connection) {
    const std::string_view request =
        job_.keep_alive ? "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
                        : "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    connection.answered = false;
    ++requests_;
    check(static_cast<int>(send(connection.fd, request.data(), request.size(), MSG_NOSIGNAL)),
          "send");
  }

  void read_from(Connection& connection) {
    char bytes[4096];
    const ssize_t n = check(static_cast<int>(read(connection.fd, bytes, sizeof bytes)), "read");
    if (n == 0) return closed(connection);
    const llhttp_errno_t error =
        llhttp_execute(&connection.parser, bytes, static_cast<std::size_t>(n));
    if (error != HPE_OK)
      throw std::runtime_error(std::string("not an answer: ") + llhttp_errno_name(error));
    if (!connection.answered || !job_.keep_alive) return;
    count(connection);
    if (requests_ < job_.count) ask(connection);
  }

  // The server closes first, so its end has the TIME_WAIT. On this end the ports would run out.
  void closed(Connection& connection) {
    if (job_.keep_alive || !connection.answered)
      throw std::runtime_error("the server closed a connection");
    close(std::exchange(connection.fd, -1));
    count(connection);
    if (requests_ < job_.count) open(connection);
  }

  void count(const Connection& connection) {
    if (connection.parser.status_code != 200)
      throw std::runtime_error("an answer with another status than 200");
    ++answers_;
  }

  Job job_;
  sockaddr_in address_;
  int epoll_;
  llhttp_settings_t settings_;
  std::vector<Connection> connections_;
  std::size_t requests_ = 0;
  std::size_t answers_ = 0;
};

void run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2)
    throw std::runtime_error("usage: load SERVER... JOB (bench/run writes it)");
  const auto given = nlohmann::json::parse(arguments.back());
  const Job job{.count = given.at("count"),
                .connections = given.at("connections"),
                .keep_alive = given.at("keep_alive")};
  const std::uint16_t port = free_port();
  const Server server({arguments.begin(), arguments.end() - 1}, port);
  Load load(job, port);
  const auto began = Clock::now();
  load.run();
  const std::chrono::duration<double> took = Clock::now() - began;
  std::cout << nlohmann::json{{"messages", job.count}, {"seconds", took.count()}} << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "load: " << error.what() << std::endl;
    return 1;
  }
}
