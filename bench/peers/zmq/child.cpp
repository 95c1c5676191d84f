// The child on ZeroMQ and nlohmann/json: see sockets/child.hpp.
#include "sockets/child.hpp"

#include "zmq/socket.hpp"

int main(int argc, char** argv) { bench::run_socket_child<bench::ZmqSocket>(argc, argv); }
