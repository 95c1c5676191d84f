// Hands each connection to one of two workers: to the special one if its first byte is '!'. Both
// run the worker program beside this one, or the one given as an argument: a program, or a .js file
// for node.
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <tine/tine.hpp>

namespace {

tine::ChildProcess fork_worker(tine::Loop& loop, const std::filesystem::path& module,
                               const std::string& kind) {
  tine::ForkOptions options;
  if (module.extension() == ".js") options.exec_path = "node";
  options.args = {kind};
  return tine::fork(loop, module, options);
}

// The worker cannot read again what was read here, so these bytes travel in the message.
void hand_over(tine::Socket socket, tine::ChildProcess normal, tine::ChildProcess special) {
  socket.once<"data">([=](std::string_view bytes) {
    const tine::ChildProcess& worker = bytes.starts_with('!') ? special : normal;
    worker.send({{"request", std::string(bytes)}}, socket);
  });
}

void request(tine::Loop& loop, const tine::Address& server, const std::string& text,
             const std::function<void()>& answered) {
  tine::Socket client(loop);
  client.on<"data">([text](std::string_view answer) {
    std::cout << "[Client] " << text << " -> " << answer << std::endl;
  });
  client.on<"close">(answered);
  client.connect({.host = server.host, .port = server.port});
  client.write(text);
}

}  // namespace

int main(int argc, char** argv) {
  tine::Loop loop;
  const auto module = argc > 1 ? std::filesystem::path(argv[1]) : tine::executable_dir() / "child";
  auto normal = fork_worker(loop, module, "normal");
  auto special = fork_worker(loop, module, "special");

  tine::Server server(loop);
  server.on<"connection">([=](const tine::Socket& socket) { hand_over(socket, normal, special); });

  int open = 3;
  server.on<"listening">([&] {
    for (const char* text : {"Hello", "!Hurry", "Bonjour"}) {
      request(loop, *server.address(), text, [&] {
        if (--open > 0) return;
        server.close();
        normal.disconnect();
        special.disconnect();
      });
    }
  });
  server.listen({.host = "127.0.0.1"});

  loop.run();
}
