// Handles beside requests and answers.
#include <string>
#include <vector>

#include <unistd.h>

#include "rpc/rpc_test.hpp"

namespace {

tine::Descriptors files(int count) {
  std::vector<int> open;
  for (int i = 0; i < count; ++i) open.push_back(::dup(0));
  return tine::Descriptors(std::move(open));
}

}  // namespace

TEST_CASE("rpc handles: they go beside a request and come beside its answer", "[rpc]") {
  TestLoop loop;
  Asked asked(loop, {"silent"});
  int came = 0;
  for (int i = 1; i <= 3; ++i) {
    asked.rpc.request("beside", {{"n", i}})
        .with(files(i))
        .then([&, i](const tine::Result<>& result) {
          CHECK(result.value() == json{{"n", i}});
          CHECK(result.handle().descriptors().size() == static_cast<std::size_t>(i));
          if (++came == 3) asked.child.disconnect();
        });
  }
  loop.run();
  CHECK(came == 3);
}

TEST_CASE("rpc handles: a shared buffer comes back", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<> came;
  asked.rpc.request("beside")
      .with(tine::SharedBuffer("bytes"))
      .then(came.callback(asked.disconnect()));
  loop.run();
  REQUIRE(came.result());
  CHECK(came.result().handle().shared_buffer().text() == "bytes");
}

TEST_CASE("rpc handles: a request whose handle is not open is refused", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<> came;
  tine::Descriptors released = files(1);
  ::close(released.release(0));
  asked.rpc.request("beside").with(released).then(came.callback(asked.disconnect()));
  loop.run();
  CHECK(came.error().code() == Errc::invalid_handle_type);
}

TEST_CASE("rpc handles: messages with handles that are no requests stay messages", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  std::vector<std::size_t> sizes;
  asked.child.on<"message">([&](const json& message, const tine::Handle& handle) {
    sizes.push_back(handle.descriptors().size());
    if (message == "last") asked.child.disconnect();
  });
  asked.child.send({{"method", "unknown"}}, files(1));
  asked.child.send({{"method", "log"}, {"params", 1}}, files(2));
  asked.child.send("last", files(3));
  loop.run();
  CHECK(sizes == std::vector<std::size_t>{1, 2, 3});
}
