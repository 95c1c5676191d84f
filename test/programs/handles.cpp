// Does with handles what the "do" of each message names, like test/interop/handles_child.js. The
// commands are listed at the end of this file. Addresses are {"host", "port"} or {"path"}.
//
//   handles [PORT]
//
// With PORT, it begins to listen for messages only after a byte has come from that port of
// 127.0.0.1.
#include <cstdlib>
#include <deque>
#include <map>
#include <string>

#include <sys/resource.h>

#include <tine/tine.hpp>

namespace {

using nlohmann::json;

json to_json(const tine::Address& address) {
  if (address.family == tine::Family::unix_path) return {{"path", address.host}};
  return {{"host", address.host}, {"port", address.port}};
}

tine::ListenOptions listen_options(const json& address) {
  return {.host = address.value("host", ""), .path = address.value("path", "")};
}

class Child {
 public:
  explicit Child(tine::Loop& loop) : loop_(loop), process_(loop) {
    process_.on<"disconnect">([&] { loop.stop(); });
  }

  void obey() {
    process_.on<"message">([this](const json& message, const tine::Handle& handle) {
      (this->*commands.at(message.at("do")))(message, handle);
    });
  }

  void obey_after_a_byte_from(std::uint16_t port) {
    tine::Socket socket(loop_);
    socket.once<"data">([this, socket] {
      socket.destroy();
      obey();
    });
    socket.connect({.host = "127.0.0.1", .port = port});
  }

 private:
  using Command = void (Child::*)(const json& message, const tine::Handle& handle);
  static const std::map<std::string, Command> commands;

  void answer_clients() {
    server_.on<"connection">([](tine::Socket socket) { socket.end("child"); });
  }

  void report(const json& message, const tine::Handle& handle) {
    json answer{{"number", message.value("number", 0)}, {"with", nullptr}};
    if (tine::Server server = handle.server()) {
      answer["with"] = "server";
      server.close();
    } else if (tine::Socket socket = handle.socket()) {
      answer["with"] = "socket";
      socket.destroy();
    } else if (tine::Datagram datagram = handle.datagram()) {
      answer["with"] = "datagram";
      datagram.close();
    }
    process_.send(answer);
  }

  void send_back(const json& message, const tine::Handle& handle) {
    process_.send(message, handle);
  }

  void send_back_alone(const json& message, const tine::Handle&) { process_.send(message); }

  void serve(const json&, const tine::Handle& handle) {
    server_ = handle.server();
    answer_clients();
    server_.on<"listening">([this] { process_.send("serving"); });
  }

  void stop_serving(const json&, const tine::Handle&) {
    server_.close([this] { process_.send("stopped"); });
  }

  void receive_datagrams() {
    datagram_.on<"message">([this](std::string_view bytes, const tine::Address& from) {
      datagram_.send("child got " + std::string(bytes), from);
    });
  }

  void receive(const json&, const tine::Handle& handle) {
    datagram_ = handle.datagram();
    receive_datagrams();
    process_.send("receiving");
  }

  void stop_receiving(const json&, const tine::Handle&) {
    datagram_.on<"close">([this] { process_.send("stopped"); });
    datagram_.close();
  }

  void answer(const json&, const tine::Handle& handle) { handle.socket().end("child"); }

  void write(const json&, const tine::Handle& handle) {
    tine::Socket socket = handle.socket();
    socket.write("child", [this, socket](std::error_code) {
      socket.destroy();
      process_.send("written");
    });
  }

  void hold(const json&, const tine::Handle& handle) {
    held_.push_back(handle.socket());
    process_.send("held");
  }

  void release(const json&, const tine::Handle&) {
    tine::Socket socket = held_.front();
    held_.pop_front();
    socket.on<"close">([this] { process_.send("released"); });
    socket.destroy();
  }

  void send_held(const json& message, const tine::Handle&) {
    process_.send(message, held_.front());
    held_.pop_front();
  }

  void send_server(const json& message, const tine::Handle&) {
    server_ = tine::Server(loop_);
    answer_clients();
    server_.on<"listening">([this] { process_.send(to_json(*server_.address()), server_); });
    server_.listen(listen_options(message["address"]));
  }

  void send_datagram(const json&, const tine::Handle&) {
    datagram_ = tine::Datagram(loop_, tine::Family::ipv4);
    receive_datagrams();
    datagram_.on<"listening">([this] { process_.send(to_json(*datagram_.address()), datagram_); });
    datagram_.bind({.host = "127.0.0.1"});
  }

  void send_connections(const json& message, const tine::Handle&) {
    const bool keep_open = message.value("keepOpen", false);
    server_ = tine::Server(loop_);
    server_.on<"connection">([this, keep_open](tine::Socket socket) {
      process_.send("connection", socket, tine::SendOptions{.keep_open = keep_open});
      if (keep_open) held_.push_back(socket);
    });
    server_.on<"listening">([this] { process_.send(to_json(*server_.address())); });
    server_.listen(listen_options(message["address"]));
  }

  void end_held(const json&, const tine::Handle&) { held_.front().end("child"); }

  void count(const json&, const tine::Handle&) {
    server_.connections([this](std::error_code error, std::size_t count) {
      process_.send({{"count", count}, {"error", error ? error.message() : ""}});
    });
  }

  void send_servers(const json& message, const tine::Handle&) {
    server_ = tine::Server(loop_);
    server_.on<"listening">([this, count = message["count"].get<int>()] {
      for (int number = 0; number < count; ++number) process_.send({{"number", number}}, server_);
    });
    server_.listen({.host = "127.0.0.1"});
  }

  // Raises the descriptor limit of another process to its hard limit.
  void feed(const json& message, const tine::Handle&) {
    const int pid = message["pid"];
    rlimit limit;
    prlimit(pid, RLIMIT_NOFILE, nullptr, &limit);
    limit.rlim_cur = limit.rlim_max;
    prlimit(pid, RLIMIT_NOFILE, &limit, nullptr);
  }

  void exit(const json&, const tine::Handle&) { process_.exit(0); }

  tine::Loop& loop_;
  tine::Process process_;
  tine::Server server_;
  tine::Datagram datagram_;
  std::deque<tine::Socket> held_;
};

const std::map<std::string, Child::Command> Child::commands{
    {"report", &Child::report},
    {"send back", &Child::send_back},
    {"send held", &Child::send_held},
    {"send back alone", &Child::send_back_alone},
    {"serve", &Child::serve},
    {"stop serving", &Child::stop_serving},
    {"receive", &Child::receive},
    {"stop receiving", &Child::stop_receiving},
    {"answer", &Child::answer},
    {"write", &Child::write},
    {"hold", &Child::hold},
    {"release", &Child::release},
    {"send server", &Child::send_server},
    {"send datagram", &Child::send_datagram},
    {"send connections", &Child::send_connections},
    {"end held", &Child::end_held},
    {"count", &Child::count},
    {"send servers", &Child::send_servers},
    {"feed", &Child::feed},
    {"exit", &Child::exit},
};

}  // namespace

int main(int argc, char** argv) {
  tine::Loop loop;
  Child child(loop);
  if (argc > 1) {
    child.obey_after_a_byte_from(static_cast<std::uint16_t>(std::atoi(argv[1])));
  } else {
    child.obey();
  }
  loop.run();
}
