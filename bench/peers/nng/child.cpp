// The child on nng and nlohmann/json: see sockets/child.hpp.
#include "sockets/child.hpp"

#include "nng/socket.hpp"

int main(int argc, char** argv) { bench::run_socket_child<bench::NngSocket>(argc, argv); }
