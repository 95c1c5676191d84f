// A cluster worker that does what the messages from its primary ask for:
//
//   {"listen": {...}}  starts a server, which answers each connection with the worker's id and ends
//                      it. Options: "host", "port", "path", "readable", "writable", "descriptor",
//                      "ipv6_only", "reuse_port", "exclusive"; "most" is its max_connections; with
//                      "hold" it does not end connections
//   {"bind": {...}}    binds a datagram socket, which answers each datagram with the worker's id.
//                      Options: "host", "port", "reuse_address", "reuse_port", "ipv6_only"
//   {"ask": PORT}      sends the worker's id to that port of 127.0.0.1 from a new datagram socket,
//                      and {"answer": TEXT} to the primary when a reply comes
//   "close"            closes its servers and datagram sockets
//   "leave", "kill"    calls disconnect() or kill() of its Worker
//   "cut"              closes the channel without leaving the cluster first
//   "abort"            ends by SIGABRT
//
// It sends back all other messages, with the shared buffer that came with them. It sends {"listening": PORT} when a server or socket listens,
// and {"error": TEXT} for each error.
//
// With the argument "without cluster" its Cluster is destroyed at once, and it sends back every
// message.
#include <cstdlib>
#include <deque>
#include <string>

#include <tine/tine.hpp>

namespace {

using nlohmann::json;

class Obedient {
 public:
  explicit Obedient(tine::Loop& loop)
      : loop_(loop),
        process_(loop),
        cluster_(loop, process_),
        worker_(cluster_.worker()),
        id_(std::to_string(worker_.id())) {
    worker_.on<"message">([this](const json& message, const tine::SharedBuffer& buffer) {
      buffer ? static_cast<void>(worker_.send(message, buffer)) : obey(message);
    });
  }

 private:
  void obey(const json& message) {
    if (message.is_object() && message.contains("listen")) {
      listen(message["listen"]);
    } else if (message.is_object() && message.contains("bind")) {
      bind(message["bind"]);
    } else if (message.is_object() && message.contains("ask")) {
      ask(message["ask"]);
    } else if (message == "close") {
      for (auto& server : servers_) server.close();
      for (auto& socket : sockets_) socket.close();
    } else if (message == "leave") {
      worker_.disconnect();
    } else if (message == "kill") {
      worker_.kill();
    } else if (message == "cut") {
      process_.disconnect();
    } else if (message == "abort") {
      std::abort();
    } else {
      worker_.send(message);
    }
  }

  void listen(const json& how) {
    tine::Server& server = servers_.emplace_back(loop_);
    if (how.contains("most")) server.max_connections(how["most"].get<std::size_t>());
    server.on<"connection">([this, hold = how.value("hold", false)](tine::Socket socket) {
      socket.on<"error">([](const tine::Error&) {});
      socket.resume();
      hold ? static_cast<void>(socket.write(id_)) : socket.end(id_);
    });
    server.on<"listening">([this, server] {
      worker_.send({{"listening", server.address()->port}});
    });
    server.on<"error">([this](const tine::Error& error) {
      worker_.send({{"error", error.code().message()}});
    });
    server.listen({.host = how.value("host", ""),
                   .port = how.value("port", std::uint16_t{0}),
                   .path = how.value("path", ""),
                   .readable_all = how.value("readable", false),
                   .writable_all = how.value("writable", false),
                   .descriptor = how.value("descriptor", -1),
                   .ipv6_only = how.value("ipv6_only", false),
                   .reuse_port = how.value("reuse_port", false),
                   .exclusive = how.value("exclusive", false)});
  }

  void bind(const json& how) {
    const bool ipv6 = how.value("host", "").find(':') != std::string::npos;
    tine::Datagram& socket =
        sockets_.emplace_back(loop_, ipv6 ? tine::Family::ipv6 : tine::Family::ipv4);
    socket.on<"message">(
        [this, socket](std::string_view, const tine::Address& from) { socket.send(id_, from); });
    socket.on<"listening">([this, socket] {
      worker_.send({{"listening", socket.address()->port}});
    });
    socket.on<"error">([this](const tine::Error& error) {
      worker_.send({{"error", error.code().message()}});
    });
    socket.bind({.host = how.value("host", ""),
                 .port = how.value("port", std::uint16_t{0}),
                 .reuse_address = how.value("reuse_address", false),
                 .reuse_port = how.value("reuse_port", false),
                 .ipv6_only = how.value("ipv6_only", false)});
  }

  void ask(std::uint16_t port) {
    tine::Datagram& socket = sockets_.emplace_back(loop_, tine::Family::ipv4);
    socket.on<"message">([this](std::string_view bytes) {
      worker_.send({{"answer", std::string(bytes)}});
    });
    socket.send(id_, {.host = "127.0.0.1", .port = port});
  }

  tine::Loop& loop_;
  tine::Process process_;
  tine::Cluster cluster_;
  tine::Worker worker_;
  std::string id_;
  std::deque<tine::Server> servers_;
  std::deque<tine::Datagram> sockets_;
};

// The Cluster is destroyed first; the Process stays.
int send_back_without_cluster(tine::Loop& loop) {
  tine::Process process(loop);
  { const tine::Cluster cluster(loop, process); }
  process.on<"message">([&](const json& message) { process.send(message); });
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  tine::Loop loop;
  if (argc > 1 && std::string(argv[1]) == "without cluster") return send_back_without_cluster(loop);
  Obedient worker(loop);
  loop.run();
}
