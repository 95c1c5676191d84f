// Other protocols of requests are other envelopes: tsserver's, as an example.
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "process/access.hpp"
#include "process/peer.hpp"
#include "rpc/envelope.hpp"
#include "rpc/rpc_test.hpp"
#include "rpc/state.hpp"

using tine::Object;
using tine::detail::Value;
using tine::rpc::Failure;
using tine::rpc::Id;
using tine::rpc::Letter;

namespace {

// The protocol of TypeScript's server, of which this is the part of an editor: its requests are
// {seq, type, command, arguments}. It knows neither cancellation nor progress.
class TsServer final : public tine::rpc::Envelope {
 public:
  Letter open(json& message) const override {
    const std::string type = message.is_object() ? message.value("type", "") : "";
    if (type == "response") {
      Letter letter{.kind = Letter::Kind::answer, .id = &message["request_seq"]};
      if (message["success"] == true) {
        letter.value = &message["body"];
      } else {
        letter.failure = Failure{.message = message["message"]};
      }
      return letter;
    }
    if (type != "event") return {};
    return {.kind = Letter::Kind::notification,
            .method = message["event"].get_ref<const std::string&>(),
            .params = &message["body"]};
  }

  Object request(Id id, std::string_view method, Value params,
                 std::optional<std::chrono::milliseconds>) const override {
    return tine::object("seq", id, "type", "request", "command", method, "arguments",
                        std::move(params));
  }
  Object notification(std::string_view method, Value params) const override {
    return tine::object("seq", 0, "type", "event", "event", method, "body", std::move(params));
  }
  Object result(const json& id, std::string_view method, Value result) const override {
    return tine::object("seq", 0, "type", "response", "request_seq", id, "command", method,
                        "success", true, "body", std::move(result));
  }
  Object failure(const json& id, std::string_view method, const Failure& failure) const override {
    return tine::object("seq", 0, "type", "response", "request_seq", id, "command", method,
                        "success", false, "message", failure.message);
  }
  Object progress(const json&, Value) const override { return {}; }
  Object cancel(Id) const override { return {}; }
};

}  // namespace

TEST_CASE("envelope: requests in the protocol of TypeScript's server", "[rpc]") {
  TestLoop loop;
  auto child = tine::fork(loop, RPC_SCRIPTS "/tsserver.js", {.exec_path = "node"});
  const auto& peer = tine::process::Access::peer_of(child);
  peer->attach(std::make_shared<tine::rpc::State>(tine::core_of(loop), peer, tine::RpcOptions(),
                                                  std::make_unique<TsServer>()));
  const tine::Rpc rpc(child);
  Came<> info;
  Came<> unknown;
  Came<> cancelled;
  std::vector<json> events;
  rpc.on_notification("typingsInstallerPid", [&](const json& body) { events.push_back(body); });
  rpc.request("quickinfo", {{"file", "a.ts"}, {"line", 1}}).then(info.callback());
  rpc.request("nope").then(unknown.callback([&] {
    rpc.request("never").then(cancelled.callback([&] { child.disconnect(); })).cancel();
  }));
  loop.run();
  CHECK(info.value() == json{{"kind", "const"}, {"file", "a.ts"}});
  CHECK(unknown.error().code() == Errc::remote_error);
  CHECK(unknown.error().what() == std::string("Unrecognized command nope"));
  CHECK(cancelled.error().code() == Errc::aborted);
  CHECK(events == std::vector<json>{json{{"pid", 1}}});
}
