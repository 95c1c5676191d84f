// The parent on nng and nlohmann/json: see sockets/parent.hpp.
#include "sockets/parent.hpp"

#include "nng/socket.hpp"

int main(int argc, char** argv) {
  bench::SocketParent<bench::NngSocket>(bench::Job::from_arguments(argc, argv)).run();
}
