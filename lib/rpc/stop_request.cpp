// The step of stopping a child that is a request. It is here because lib/process knows no requests.
#include <memory>
#include <utility>

#include "tine/child_process.hpp"
#include "tine/rpc.hpp"
#include "tine/stop.hpp"

namespace tine {

StopStep StopStep::request(std::string method, std::chrono::milliseconds wait) {
  const auto take = [method = std::move(method)](const ChildProcess& child) {
    if (!child.connected()) return false;
    Rpc(child).request(method).then([] {});
    return true;
  };
  return {take, wait};
}

}  // namespace tine
