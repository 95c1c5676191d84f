// A web server in as many processes as it has CPUs. Usage: server BALANCING PORT
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <uv.h>

#include <tine/tine.hpp>

#include "http.hpp"

namespace {

tine::Balancing balancing(std::string_view name) {
  if (name == "round_robin") return tine::Balancing::round_robin();
  if (name == "none") return tine::Balancing::none();
  if (name == "least_connections") return tine::Balancing::least_connections();
  if (name == "reuse_port") return tine::Balancing::reuse_port();
  throw std::runtime_error("there is no balancing \"" + std::string(name) + '"');
}

}  // namespace

int main(int, char** argv) {
  tine::Loop loop;
  tine::Cluster cluster(loop);
  if (cluster.is_primary()) {
    cluster.setup_primary({.balancing = balancing(argv[1])});
    unsigned starting = uv_available_parallelism();
    cluster.on<"listening">([starting]() mutable {
      if (--starting == 0) std::cout << "listening" << std::endl;
    });
    for (unsigned i = starting; i > 0; --i) cluster.fork();
    loop.run();
  } else {
    const auto port = static_cast<std::uint16_t>(std::stoi(argv[2]));
    const std::string hello = "Hello from worker " + std::to_string(cluster.worker().id()) + "\n";
    http::serve(loop, {.port = port}, [hello](std::string_view) { return hello; });
    loop.run();
  }
}
