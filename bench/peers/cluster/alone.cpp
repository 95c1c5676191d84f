// A web server in one process, which a cluster has to beat.
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

#include <tine/tine.hpp>

#include "http.hpp"

int main(int, char** argv) {
  tine::Loop loop;
  const auto port = static_cast<std::uint16_t>(std::stoi(argv[1]));
  auto server =
      http::serve(loop, {.port = port}, [](std::string_view) { return "Hello from worker 0\n"; });
  server.on<"listening">([] { std::cout << "listening" << std::endl; });
  loop.run();
}
