// What is a request, an answer, and so on, and what each of them looks like.
#include "rpc/json_rpc.hpp"

#include <chrono>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using tine::rpc::Failure;
using tine::rpc::JsonRpc;
using tine::rpc::Letter;
using Kind = tine::rpc::Letter::Kind;

namespace {

// Opens a message, and checks that it stays as it is.
struct Opened {
  explicit Opened(const std::string& text, bool strict = false)
      : message(json::parse(text)), letter(JsonRpc(strict).open(message)) {
    INFO(text);
    CHECK(message == json::parse(text));
  }

  json message;
  Letter letter;
};

Kind kind_of(const std::string& text, bool strict = false) {
  return Opened(text, strict).letter.kind;
}

std::string content(const json* value) { return value == nullptr ? "none" : value->dump(); }

}  // namespace

TEST_CASE("JSON-RPC: a string method and an id are a request", "[rpc]") {
  for (const std::string id : {"7", "-7", "1.5", "\"x\"", "\"\"", "18446744073709551615"}) {
    const Opened opened(R"({"method":"add","id":)" + id + R"(,"params":[1]})");
    CHECK(opened.letter.kind == Kind::request);
    CHECK(content(opened.letter.id) == id);
    CHECK(opened.letter.method == "add");
    CHECK(content(opened.letter.params) == "[1]");
    CHECK_FALSE(opened.letter.timeout);
  }
  CHECK(content(Opened(R"({"method":"add","id":1})").letter.params) == "none");
  CHECK(content(Opened(R"({"method":"add","id":1,"params":null})").letter.params) == "null");
}

TEST_CASE("JSON-RPC: a number that is not finite is neither an id nor a timeout", "[rpc]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double number : {nan, infinity, -infinity}) {
    json request{{"method", "add"}, {"id", number}};
    CHECK(JsonRpc(false).open(request).kind == Kind::none);
    request["id"] = 1;
    request["timeout"] = number;
    CHECK(JsonRpc(false).open(request).kind == Kind::request);
    CHECK_FALSE(JsonRpc(false).open(request).timeout);
  }
}

TEST_CASE("JSON-RPC: a string method without an id is a notification", "[rpc]") {
  const Opened opened(R"({"method":"log","params":"x"})");
  CHECK(opened.letter.kind == Kind::notification);
  CHECK(opened.letter.method == "log");
  CHECK(content(opened.letter.params) == "\"x\"");
}

TEST_CASE("JSON-RPC: an id and a result or an error are an answer", "[rpc]") {
  const Opened result(R"({"id":7,"result":3})");
  CHECK(result.letter.kind == Kind::answer);
  CHECK(content(result.letter.id) == "7");
  CHECK(content(result.letter.value) == "3");
  CHECK_FALSE(result.letter.failure);

  const Opened failure(R"({"id":7,"error":{"code":-32601,"message":"no","data":[1]}})");
  CHECK(failure.letter.kind == Kind::answer);
  CHECK(failure.letter.value == nullptr);
  REQUIRE(failure.letter.failure);
  CHECK(failure.letter.failure->code == -32601);
  CHECK(failure.letter.failure->message == "no");
  CHECK(failure.letter.failure->data == json{1});

  CHECK(content(Opened(R"({"id":7,"result":null})").letter.value) == "null");
}

TEST_CASE("JSON-RPC: answers as workerpool writes them", "[rpc]") {
  CHECK(content(Opened(R"({"id":7,"result":3,"error":null})").letter.value) == "3");
  CHECK(content(Opened(R"({"id":7,"error":null})").letter.value) == "null");  // undefined
  const Opened opened(R"({"id":7,"result":null,"error":{"message":"no","stack":"at x"}})");
  REQUIRE(opened.letter.failure);
  CHECK(opened.letter.failure->code == 0);
  CHECK(opened.letter.failure->message == "no");
  CHECK(opened.letter.failure->data == json{{"message", "no"}, {"stack", "at x"}});
}

// As Node and vscode-jsonrpc write them with advanced serialization.
TEST_CASE("JSON-RPC: a member that is undefined is as good as none", "[rpc]") {
  const std::string undefined = R"({"$undefined":true})";
  const Opened answer(R"({"id":1,"method":)" + undefined + R"(,"result":3,"error":)" + undefined +
                      "}");
  CHECK(answer.letter.kind == Kind::answer);
  CHECK(content(answer.letter.value) == "3");
  CHECK_FALSE(answer.letter.failure);
  CHECK(content(Opened(R"({"id":1,"result":)" + undefined + "}").letter.value) == undefined);

  const Opened request(R"({"id":1,"method":"a","params":)" + undefined + "}");
  CHECK(request.letter.kind == Kind::request);
  CHECK(request.letter.params == nullptr);
  CHECK(kind_of(R"({"id":)" + undefined + R"(,"method":"a"})") == Kind::notification);

  for (const std::string params :
       {R"({"$undefined":1})", R"({"$undefined":true,"x":1})", R"({"x":true})"}) {
    CHECK(content(Opened(R"({"method":"a","params":)" + params + "}").letter.params) == params);
  }
}

TEST_CASE("JSON-RPC: errors of any form", "[rpc]") {
  const auto read = [](const std::string& error) {
    const Opened opened(R"({"id":1,"error":)" + error + "}");
    REQUIRE(opened.letter.failure);
    return *opened.letter.failure;
  };
  CHECK(read("\"text\"").message == "text");
  CHECK(read("\"text\"").data == nullptr);
  CHECK(read("false").data == false);
  CHECK(read("[1]").data == json{1});
  CHECK(read("{}").message.empty());
  CHECK(read(R"({"code":"x","message":1})").code == 0);
  CHECK(read(R"({"code":"x","message":1})").message.empty());
  CHECK(read(R"({"code":2147483648})").code == 0);
  CHECK(read(R"({"code":-2147483649})").code == 0);
  CHECK(read(R"({"code":18446744073709551615})").code == 0);
  CHECK(read(R"({"code":-2147483648})").code == std::numeric_limits<int>::min());
  CHECK(read(R"({"code":1.5})").code == 0);
}

TEST_CASE("JSON-RPC: all else is no letter", "[rpc]") {
  for (const std::string text :
       {"null", "true", "1", "\"method\"", "[]", R"([{"method":"a","id":1}])", "{}", R"({"id":1})",
        R"({"result":1})", R"({"error":{}})", R"({"error":null})", R"({"id":null,"error":null})",
        R"({"id":null,"result":1})", R"({"id":[1],"result":1})", R"({"id":true,"error":{}})",
        R"({"method":1})", R"({"method":null,"id":1,"result":1})",
        R"({"method":1,"id":1,"result":1})", R"({"method":"a","id":null})",
        R"({"method":"a","id":{}})"}) {
    INFO(text);
    CHECK(kind_of(text) == Kind::none);
  }
}

TEST_CASE("JSON-RPC: what has a method is never an answer", "[rpc]") {
  CHECK(kind_of(R"({"method":"a","id":1,"result":1})") == Kind::request);
  CHECK(kind_of(R"({"method":"a","result":1})") == Kind::notification);
}

TEST_CASE("JSON-RPC: cancellation and progress", "[rpc]") {
  const Opened cancel(R"({"method":"$/cancelRequest","params":{"id":"x"}})");
  CHECK(cancel.letter.kind == Kind::cancel);
  CHECK(content(cancel.letter.id) == "\"x\"");
  const Opened progress(R"({"method":"$/progress","params":{"token":8,"value":null}})");
  CHECK(progress.letter.kind == Kind::progress);
  CHECK(content(progress.letter.id) == "8");
  CHECK(content(progress.letter.value) == "null");
  CHECK(content(progress.letter.params) == R"({"token":8,"value":null})");
  for (const std::string params : {"null", "[]", "{}", R"({"id":null})", R"({"token":1})",
                                   R"({"value":1})", R"({"token":[],"value":1})"}) {
    INFO(params);
    CHECK(kind_of(R"({"method":"$/cancelRequest","params":)" + params + "}") == Kind::notification);
    CHECK(kind_of(R"({"method":"$/progress","params":)" + params + "}") == Kind::notification);
  }
  CHECK(kind_of(R"({"method":"$/cancelRequest"})") == Kind::notification);
  CHECK(kind_of(R"({"method":"$/cancelRequest","id":1,"params":{"id":2}})") == Kind::request);
}

TEST_CASE("JSON-RPC: the time that the peer waits", "[rpc]") {
  const auto timeout = [](const std::string& value) {
    return Opened(R"({"method":"a","id":1,"timeout":)" + value + "}").letter.timeout;
  };
  CHECK(timeout("1500") == 1500ms);
  CHECK(timeout("1.9") == 1ms);
  CHECK(timeout("0") == 0ms);
  CHECK(timeout("-5") == 0ms);
  CHECK(timeout("1e300") == std::chrono::milliseconds(1'000'000'000'000'000));
  for (const std::string other : {"null", "\"1\"", "[]", "{}", "true"}) CHECK_FALSE(timeout(other));
}

TEST_CASE("JSON-RPC: strict insists on the version", "[rpc]") {
  for (const std::string rest :
       {R"("method":"a","id":1)", R"("method":"a")", R"("id":1,"result":1)"}) {
    CHECK(kind_of("{" + rest + "}", true) == Kind::none);
    CHECK(kind_of(R"({"jsonrpc":"1.0",)" + rest + "}", true) == Kind::none);
    CHECK(kind_of(R"({"jsonrpc":2.0,)" + rest + "}", true) == Kind::none);
    CHECK(kind_of(R"({"jsonrpc":"2.0",)" + rest + "}", true) != Kind::none);
  }
}

TEST_CASE("JSON-RPC: what is written", "[rpc]") {
  const JsonRpc protocol;
  const auto is = [](const json& message, const std::string& text) {
    CHECK(message == json::parse(text));
  };
  is(protocol.request(7, "add", tine::object("a", 1), {}),
     R"({"jsonrpc":"2.0","id":7,"method":"add","params":{"a":1}})");
  is(protocol.request(7, "add", nullptr, 1500ms),
     R"({"jsonrpc":"2.0","id":7,"method":"add","timeout":1500})");
  is(protocol.notification("log", "x"), R"({"jsonrpc":"2.0","method":"log","params":"x"})");
  is(protocol.notification("log", nullptr), R"({"jsonrpc":"2.0","method":"log"})");
  is(protocol.result("x", "add", nullptr), R"({"jsonrpc":"2.0","id":"x","result":null})");
  is(protocol.failure(1.5, "add", {-32601, "no"}),
     R"({"jsonrpc":"2.0","id":1.5,"error":{"code":-32601,"message":"no"}})");
  is(protocol.failure(1, "add", {7, "no", {1}}),
     R"({"jsonrpc":"2.0","id":1,"error":{"code":7,"message":"no","data":[1]}})");
  is(protocol.cancel(8), R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":8}})");
  is(protocol.progress("x", 50),
     R"({"jsonrpc":"2.0","method":"$/progress","params":{"token":"x","value":50}})");
}

TEST_CASE("JSON-RPC: what is written is read as the same", "[rpc]") {
  const JsonRpc protocol(true);
  const auto kind = [&](json message) { return protocol.open(message).kind; };
  CHECK(kind(protocol.request(1, "a", 1, 1ms)) == Kind::request);
  CHECK(kind(protocol.notification("a", 1)) == Kind::notification);
  CHECK(kind(protocol.result(1, "a", nullptr)) == Kind::answer);
  CHECK(kind(protocol.failure(1, "a", {})) == Kind::answer);
  CHECK(kind(protocol.cancel(1)) == Kind::cancel);
  CHECK(kind(protocol.progress(1, nullptr)) == Kind::progress);
}
