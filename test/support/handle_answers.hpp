// The lines that answer a handle: whether it has arrived.
#pragma once

#include <string>

inline const std::string ack = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
inline const std::string nack = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";
