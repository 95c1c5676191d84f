#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/descriptor.hpp"
#include "channel/endpoint.hpp"
#include "channel/passed_handle.hpp"
#include "net/peer_connections.hpp"
#include "net/server_state.hpp"
#include "tine/handle.hpp"
#include "uv/loop_core.hpp"

namespace tine::process {

class ReceivedHandle;

// The handles of one channel: converts them to descriptors with a line beside them, and back. Also
// counts a server's connections that are at the other end.
class HandlePassing {
 public:
  explicit HandlePassing(channel::Endpoint& end);
  HandlePassing(const HandlePassing&) = delete;
  HandlePassing& operator=(const HandlePassing&) = delete;
  ~HandlePassing();

  // Convert a handle to the descriptors that are sent, and received descriptors to a handle. Both
  // throw Error.
  channel::PassedHandle pass(const Handle& handle, bool keep_open);
  Handle receive(uv::LoopCore& core, const nlohmann::json& line,
                 std::vector<base::Descriptor> descriptors);

  // Handles a message about counting. Returns false if the message is about something else.
  bool take(const nlohmann::json& message);

  // Ends the counting: the peer will not answer any more.
  void channel_ended();

 private:
  class PassedConnections;
  class ReceivedConnections;

  channel::PassedHandle pass_on(const Handle& handle, ReceivedHandle& came, bool keep_open);
  channel::PassedHandle pass_server(const Server& server);
  channel::PassedHandle pass_socket(const Socket& socket, bool keep_open);
  channel::PassedHandle pass_datagram(const Datagram& socket);
  channel::PassedHandle pass_shared_buffer(const SharedBuffer& buffer);
  channel::PassedHandle pass_descriptors(const Descriptors& descriptors);
  void passed(const std::shared_ptr<net::ServerState>& server);
  std::shared_ptr<ReceivedConnections> connections_of(const std::string& key);

  channel::Endpoint& end_;
  // Connections at the other end, of servers here.
  std::vector<std::shared_ptr<PassedConnections>> passed_;
  // Connections here, of servers at the other end, by the server's key.
  std::map<std::string, std::shared_ptr<ReceivedConnections>, std::less<>> received_;
};

}  // namespace tine::process
