#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "net/listener_source.hpp"
#include "tine/address.hpp"

// The messages between primary and worker: JSON objects whose `cmd` is NODE_CLUSTER. A received
// message may contain anything.
namespace tine::cluster {

nlohmann::json message(const char* act);
nlohmann::json reply_to(const nlohmann::json& message);
bool is_cluster_message(const nlohmann::json& message);

// Returns the number of the message that a reply answers; none if the message is no reply.
std::optional<std::uint64_t> answered_number(const nlohmann::json& message);
// Returns the error of a reply: 0 or an errno. The primary sends it negated.
int read_error(const nlohmann::json& reply);

// A query of a worker for a socket of its primary.
struct Query {
  net::ListenerQuery listener;
  std::string key;  // the name of the socket for both sides from then on
};

// Reads a query from a message; none if the message cannot be one.
std::optional<Query> read_query(const nlohmann::json& message);
// Returns the members of a query. `index` distinguishes queries that are otherwise alike.
nlohmann::json query_members(const net::ListenerQuery& query, std::int64_t index);

// Reads the address from a worker's "listening" message; none if its port cannot be one.
std::optional<Address> listening_address(const nlohmann::json& message);

nlohmann::json write_address(const Address& address);
std::optional<Address> read_address(const nlohmann::json& message);

}  // namespace tine::cluster
