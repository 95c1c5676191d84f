// A channel over two pipes, one for each direction, as over the standard streams of a launcher.
#include <memory>
#include <string>

#include <sys/mman.h>

#include <nlohmann/json.hpp>

#include "channel/test_end.hpp"
#include "support/catch.hpp"
#include "support/pipe.hpp"

using nlohmann::json;
using tine::base::Descriptor;

namespace {

// Two channel ends, and the pipes between them.
struct Pair {
  Pair() {
    Pipe there;
    Pipe back;
    near->end_.open({std::move(back.read), std::move(there.write)});
    far->end_.open({std::move(there.read), std::move(back.write)});
  }
  ~Pair() {
    near->end_.detach();
    far->end_.detach();
  }

  TestLoop loop;
  std::shared_ptr<TestEnd> near = std::make_shared<TestEnd>(loop, tine::ChannelOptions());
  std::shared_ptr<TestEnd> far = std::make_shared<TestEnd>(loop, tine::ChannelOptions());
};

}  // namespace

TEST_CASE("pair: messages go both ways, and those sent before disconnect() arrive", "[channel]") {
  Pair pair;
  pair.far->at_message_ = [&] { pair.far->end_.send(json("answer"), {}); };
  pair.near->at_message_ = [&] { pair.near->end_.disconnect(); };
  pair.near->end_.send(json("question"), {});
  pair.loop.run();
  CHECK(pair.far->log_ == Log{R"("question")", "disconnect"});
  CHECK(pair.near->log_ == Log{R"("answer")", "disconnect"});
}

TEST_CASE("pair: both ends can send much more than a pipe holds at the same time", "[channel]") {
  const json much = std::string(3'000'000, 'x');
  Pair pair;
  Sent sent;
  int came = 0;
  for (const auto& end : {pair.near, pair.far}) {
    end->at_message_ = [&] {
      if (++came == 2) pair.near->end_.disconnect();
    };
    end->end_.send(much, sent.callback());
  }
  pair.loop.run();
  for (const auto& end : {pair.near, pair.far}) {
    std::erase(end->log_, "drain");
    CHECK((end->log_ == Log{much.dump(), "disconnect"}));  // not printed: it is long
  }
  CHECK(sent.codes == std::vector(2, std::error_code()));
}

TEST_CASE("pair: the end of the peer is noticed while nothing is read, and messages wait",
          "[channel]") {
  Pair pair;
  pair.near->listen(tine::channel::Wanted::nothing);
  pair.near->end_.set_paused(true);
  pair.far->end_.send(json(1), {});
  pair.far->end_.disconnect();
  pair.loop.run();
  CHECK_FALSE(pair.near->end_.connected());
  pair.near->end_.set_paused(false);
  pair.near->listen(tine::channel::Wanted::value);
  pair.loop.run();
  CHECK(pair.near->log_ == Log{"disconnect", "1"});
}

TEST_CASE("pair: a peer that only stops reading ends the channel", "[channel]") {
  TestLoop loop;
  const auto near = std::make_shared<TestEnd>(loop, tine::ChannelOptions());
  Pipe there;
  Pipe back;
  near->end_.open({std::move(back.read), std::move(there.write)});
  Sent sent;
  near->end_.send(json(std::string(1'000'000, 'x')), sent.callback());
  { const Descriptor closed = std::move(there.read); }
  loop.run();
  CHECK(near->end_.closed());
  CHECK(sent.codes == std::vector{std::make_error_code(std::errc::broken_pipe)});
}

TEST_CASE("pair: disconnect() gives up on a peer that reads nothing for flush_timeout",
          "[channel]") {
  TestLoop loop;
  const auto near = std::make_shared<TestEnd>(
      loop, tine::ChannelOptions{.flush_timeout = std::chrono::milliseconds(1)});
  Pipe there;
  Pipe back;
  near->end_.open({std::move(back.read), std::move(there.write)});
  Sent sent;
  near->end_.send(json(std::string(1'000'000, 'x')), sent.callback());
  near->end_.disconnect();
  loop.run();
  CHECK(sent.codes == std::vector{std::make_error_code(std::errc::operation_canceled)});
}

TEST_CASE("pair: a message with a handle is refused, because handles need a socket", "[channel]") {
  Pair pair;
  Sent sent;
  const tine::Descriptors file({memfd_create("file", MFD_CLOEXEC)});
  pair.near->end_.send(json(1), pair.near->passed(file), sent.callback());
  pair.near->end_.send(json(2), {});
  pair.near->end_.disconnect();
  pair.loop.run();
  CHECK(pair.far->log_ == Log{"2", "disconnect"});
  CHECK(sent.codes == std::vector{std::make_error_code(std::errc::not_a_socket)});
}

TEST_CASE("pair: messages that are written without the loop arrive", "[channel]") {
  Pair pair;
  pair.near->end_.send(json(std::string(50'000, 'x')), {});
  pair.near->end_.write_all_now();
  pair.near->end_.disconnect();
  pair.loop.run();
  CHECK(pair.far->log_.size() == 2);
}
