// A web server in as many processes as there are CPUs, on one port: 8000, unless an argument names
// another one.
#include <csignal>
#include <iostream>
#include <string>
#include <thread>

#include <tine/tine.hpp>

#include "http.hpp"

int main(int argc, char** argv) {
  std::cout << "I am always called" << std::endl;

  tine::Loop loop;
  tine::Cluster cluster(loop);

  if (cluster.is_primary()) {
    std::cout << "I am the master, launching workers!" << std::endl;
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) cluster.fork();
  } else {
    std::cout << "I am a fork!" << std::endl;

    const auto port = static_cast<std::uint16_t>(argc > 1 ? std::stoi(argv[1]) : 8000);
    const std::string hello = "Hello from worker " + std::to_string(cluster.worker().id()) + "\n";
    http::serve(loop, {.port = port}, [hello](std::string_view) { return hello; });
  }

  std::cout << "I am always called as well" << std::endl;

  // Ctrl-C reaches the workers too. They ignore it, and end when the primary disconnects them.
  for (const int signal : {SIGINT, SIGTERM}) {
    tine::once_signal(loop, signal, [&] {
      if (cluster.is_primary()) cluster.disconnect();
    });
  }
  loop.run();
}
