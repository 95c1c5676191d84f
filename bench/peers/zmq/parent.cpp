// The parent on ZeroMQ and nlohmann/json: see sockets/parent.hpp.
#include "sockets/parent.hpp"

#include "zmq/socket.hpp"

int main(int argc, char** argv) {
  bench::SocketParent<bench::ZmqSocket>(bench::Job::from_arguments(argc, argv)).run();
}
