#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "net/listener_source.hpp"
#include "tine/address.hpp"

// What primary and worker say to each other: objects whose `cmd` is NODE_CLUSTER. What a peer sends may
// be anything.
namespace tine::cluster {

nlohmann::json message(const char* act);
nlohmann::json reply_to(const nlohmann::json& message);
bool is_cluster_message(const nlohmann::json& message);

// Members that are of the wrong type count as missing.
std::string text_member(const nlohmann::json& message, const char* name);
std::optional<std::int64_t> number_member(const nlohmann::json& message, const char* name);

// What a worker asks its primary for.
struct Query {
  net::ListenerQuery listener;
  std::string key;  // what both call it from then on
};

// A query is a message with these members; none if it cannot be one.
std::optional<Query> read_query(const nlohmann::json& message);
// The members of a query. `index` tells those apart that are alike.
nlohmann::json query_members(const net::ListenerQuery& query, std::int64_t index);

// Where a worker listens, as it says it.
Address listening_address(const nlohmann::json& message);

nlohmann::json write_address(const Address& address);
std::optional<Address> read_address(const nlohmann::json& message);

}  // namespace tine::cluster
