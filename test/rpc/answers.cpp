// What a child that handles requests writes to a parent that may send anything.
#include <string>
#include <vector>

#include <unistd.h>

#include "rpc/rpc_test.hpp"
#include "support/raw_peer.hpp"

namespace {

const std::vector<std::string> silent{"silent"};

// A parent of test/programs/requests that writes and reads lines.
class Parent {
 public:
  explicit Parent(const std::vector<std::string>& args) : child_("requests", args) {}

  void write(const std::string& line) { child_.channel().write(line + "\n"); }
  RawPeer& channel() { return child_.channel(); }
  json read() {
    while (lines_.find('\n') == lines_.npos) {
      const std::string more = child_.channel().read_until("\n");
      REQUIRE_FALSE(more.empty());
      lines_ += more;
    }
    const auto end = lines_.find('\n');
    const json line = json::parse(lines_.substr(0, end));
    lines_.erase(0, end + 1);
    return line;
  }
  json ask(const std::string& line) {
    write(line);
    return read();
  }
  int code_of(const std::string& line) { return ask(line).at("error").at("code"); }

  // Ends the child, which must have written nothing else.
  void end() {
    CHECK(ask(R"({"id":"end","method":"nothing"})")["id"] == "end");
    child_.channel().close();
    CHECK(child_.wait() == 0);
  }

 private:
  RawParent child_;
  std::string lines_;
};

}  // namespace

TEST_CASE("answer: it bears the id as it came", "[rpc]") {
  Parent parent(silent);
  for (const std::string id : {"1", "-1", "0", "1.5", "\"\"", "\"x\"", "18446744073709551615"}) {
    const json answer = parent.ask(R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"nothing"})");
    CHECK(answer == json{{"jsonrpc", "2.0"}, {"id", json::parse(id)}, {"result", nullptr}});
  }
  parent.end();
}

TEST_CASE("answer: failures have the codes of JSON-RPC", "[rpc]") {
  Parent parent(silent);
  CHECK(parent.code_of(R"({"id":1,"method":"no such method"})") == -32601);
  CHECK(parent.code_of(R"({"id":1,"method":"add"})") == -32602);
  CHECK(parent.code_of(R"({"id":1,"method":"throw"})") == -32603);
  CHECK(parent.code_of(R"({"id":1,"method":"drop"})") == -32603);
  CHECK(parent.code_of(
            R"({"id":1,"method":"fail","params":{"code":5,"message":"m","data":null}})") == 5);
  CHECK(parent.ask(R"({"id":1,"method":"fail","params":{"code":5,"message":"m","data":[1]}})") ==
        json{{"jsonrpc", "2.0"},
             {"id", 1},
             {"error", {{"code", 5}, {"message", "m"}, {"data", {1}}}}});
  parent.end();
}

TEST_CASE("answer: an id that is in use is refused, and the first request goes on", "[rpc]") {
  Parent parent(silent);
  parent.write(R"({"id":"a","method":"keep","params":7})");
  CHECK(parent.code_of(R"({"id":"a","method":"echo"})") == -32600);
  CHECK(parent.ask(R"({"id":"b","method":"release"})") ==
        json{{"jsonrpc", "2.0"}, {"id", "a"}, {"result", 7}});
  CHECK(parent.read()["id"] == "b");
  CHECK(parent.ask(R"({"id":"a","method":"echo","params":8})")["result"] == 8);
  parent.end();
}

TEST_CASE("answer: requests above incoming_limit are refused", "[rpc]") {
  Parent parent(std::vector<std::string>{"silent", "2"});
  parent.write(R"({"id":1,"method":"keep"})");
  parent.write(R"({"id":2,"method":"wait"})");
  CHECK(parent.code_of(R"({"id":3,"method":"echo"})") == -32000);
  CHECK(parent.ask(R"({"method":"$/cancelRequest","params":{"id":2}})")["id"] == 2);
  CHECK(parent.ask(R"({"id":3,"method":"echo","params":3})")["result"] == 3);
  parent.end();
}

TEST_CASE("answer: a cancelled request is answered all the same", "[rpc]") {
  Parent parent(silent);
  parent.write(R"({"id":1,"method":"wait"})");
  parent.write(R"({"id":2,"method":"drop when stopped"})");
  parent.write(R"({"id":3,"method":"keep","params":3})");
  CHECK(parent.ask(R"({"method":"$/cancelRequest","params":{"id":1}})") ==
        json{{"jsonrpc", "2.0"},
             {"id", 1},
             {"error",
              {{"code", -32800}, {"message", tine::RpcError(Errc::aborted, "stopped").what()}}}});
  CHECK(parent.code_of(R"({"method":"$/cancelRequest","params":{"id":2}})") == -32800);
  parent.write(R"({"method":"$/cancelRequest","params":{"id":3}})");
  CHECK(parent.ask(R"({"id":4,"method":"release"})")["result"] == 3);
  CHECK(parent.read()["id"] == 4);
  parent.write(R"({"method":"$/cancelRequest","params":{"id":3}})");  // answered
  parent.write(R"({"method":"$/cancelRequest","params":{"id":"unknown"}})");
  parent.end();
}

TEST_CASE("answer: the peer's deadline stops the handler", "[rpc]") {
  Parent parent(silent);
  CHECK(parent.code_of(R"({"id":1,"method":"wait","timeout":20})") == -32800);
  CHECK(parent.ask(R"({"id":1,"method":"remaining","timeout":-5})")["result"] == 0);
  CHECK(parent.ask(R"({"id":1,"method":"remaining","timeout":1e9})")["result"] > 999'000'000);
  // Longer than the clock reaches: no limit.
  CHECK(parent.ask(R"({"id":1,"method":"remaining","timeout":1e300})")["result"] == nullptr);
  parent.end();
}

TEST_CASE("answer: progress bears the id as it came", "[rpc]") {
  Parent parent(silent);
  CHECK(parent.ask(R"({"id":"x","method":"work","params":1})") ==
        json{{"jsonrpc", "2.0"},
             {"method", "$/progress"},
             {"params", {{"token", "x"}, {"value", 1}}}});
  CHECK(parent.read()["result"] == 1);
  parent.end();
}

TEST_CASE(
    "answer: one that comes is taken in other protocols' forms, once, and not if it is foreign",
    "[rpc]") {
  Parent parent(std::vector<std::string>{});
  CHECK(parent.ask(R"({"method":"request","params":"a"})") ==
        json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "a"}});
  // Nobody waits for these: they are messages, which the child sends back.
  for (const std::string line : {R"({"id":2,"result":0})", R"({"id":"1","result":0})",
                                 R"({"id":1})", R"({"id":0,"error":"no"})"}) {
    CHECK(parent.ask(line) == json::parse(line));
  }
  CHECK(parent.ask(R"({"id":1,"result":3,"error":null})") == json{{"result", 3}});
  parent.write(R"({"id":1,"result":4,"error":null})");  // is late
  CHECK(parent.ask(R"({"method":"request","params":"b"})")["id"] == 2);
  CHECK(parent.ask(R"({"id":2,"result":null,"error":{"message":"no"}})") == json{{"error", "no"}});
  parent.end();
}

TEST_CASE("answer: a request beside which something invalid comes is refused", "[rpc]") {
  Parent parent(std::vector<std::string>{});
  parent.channel().write_with_descriptor(
      R"({"cmd":"NODE_HANDLE","type":"tine.SharedBuffer","size":5,"msg":{"id":1,"method":"echo"}})"
      "\n",
      STDIN_FILENO);
  CHECK(parent.read() == json{{"cmd", "NODE_HANDLE_ACK"}});
  CHECK(parent.read() == json{{"error", make_error_code(Errc::invalid_handle_type).message()}});
  CHECK(parent.read()["error"]["code"] == -32600);
  parent.end();
}

TEST_CASE("answer: one beside which something invalid comes is a failure", "[rpc]") {
  Parent parent(std::vector<std::string>{});
  parent.ask(R"({"method":"request","params":"a"})");
  parent.channel().write_with_descriptor(
      R"({"cmd":"NODE_HANDLE","type":"tine.SharedBuffer","size":5,"msg":{"id":1,"result":1}})"
      "\n",
      STDIN_FILENO);
  CHECK(parent.read() == json{{"cmd", "NODE_HANDLE_ACK"}});
  CHECK(parent.read() == json{{"error", make_error_code(Errc::invalid_handle_type).message()}});
  CHECK_THAT(parent.read()["error"].get<std::string>(), StartsWith("what came beside an answer"));
  parent.end();
}

TEST_CASE("answer: invalid requests stay messages", "[rpc]") {
  Parent parent(std::vector<std::string>{});
  for (const std::string line :
       {R"([{"id":1,"method":"echo"}])", R"({"id":null,"method":"echo"})", R"({"id":1,"method":7})",
        R"({"method":"$/cancelRequest","params":[]})", "7", "[]"}) {
    CHECK(parent.ask(line) == json::parse(line));
  }
  parent.end();
}
