// Compares V8's value format with Node's own reading and writing of it, on random values.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.hpp"
#include "interop/characters.hpp"
#include "support/catch.hpp"
#include "support/scale.hpp"
#include "support/test_loop.hpp"
#include "wire/random_json.hpp"
#include "wire/random_v8.hpp"
#include "wire/v8_message.hpp"

using nlohmann::json;
using tine::base::ByteBuffer;
using tine::wire::V8Reader;
using tine::wire::V8Writer;

namespace {

constexpr int batch = 100;

std::string bytes_of(const json& characters) {
  std::string bytes;
  const auto& text = characters.get_ref<const std::string&>();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      bytes += text[i];
    } else {
      bytes += static_cast<char>((text[i] & 0x03) << 6 | (text[i + 1] & 0x3F));
      ++i;
    }
  }
  return bytes;
}

// Replaces numbers and binary as mapped_value.js does.
json comparable(const json& value) {
  if (value.is_number_integer()) return {{"#int", value.dump()}};
  if (value.is_number_float()) {
    std::uint64_t bits = 0;
    const auto number = value.get<double>();
    std::memcpy(&bits, &number, sizeof(bits));
    std::array<char, 20> text{};
    std::snprintf(text.data(), text.size(), "%llx", static_cast<unsigned long long>(bits));
    return {{"#float", text.data()}};
  }
  if (value.is_binary()) {
    const auto& binary = value.get_binary();
    const json subtype = binary.has_subtype() ? json(binary.subtype()) : json();
    return {{"#binary", characters({reinterpret_cast<const char*>(binary.data()), binary.size()})},
            {"subtype", subtype}};
  }
  json copy = value;
  if (value.is_structured()) {
    for (json& element : copy) element = comparable(element);
  }
  return copy;
}

// A Node that answers questions.
class NodeChild {
 public:
  NodeChild() {
    tine::ForkOptions options;
    options.exec_path = "node";
    options.exec_args = {"--expose-internals"};
    options.kill_with_loop = true;  // a test that fails leaves no child behind
    child_ = tine::fork(loop_, std::filesystem::path(INTEROP_SCRIPTS) / "node_v8.js", options);
    child_.on<"message">([this](const json& answer) {
      answer_ = answer;
      loop_->stop();
    });
  }

  json ask(const std::string& what, json question = json::object()) {
    question["ask"] = what;
    answer_ = json(json::value_t::discarded);
    child_.send(question);
    loop_.run();
    REQUIRE_FALSE(answer_.is_discarded());
    return answer_;
  }

  void end() {
    child_.disconnect();
    loop_.run();
  }

 private:
  TestLoop loop_;
  tine::ChildProcess child_;
  json answer_;
};

// Reads a message over the value before, and checks that it is what Node says.
void check_read(V8Reader& reader, const json& made, json& value) {
  const std::string message = bytes_of(made[0]);
  const auto bad = reader.read(message, value);
  if (bad) {
    CAPTURE(bad->text(), made[1]);
    FAIL("what Node writes is refused");
  }
  if (comparable(value) == json::parse(made[1].get_ref<const std::string&>())) return;
  CAPTURE(comparable(value), made[1]);
  FAIL("read as something else");
}

std::string written(V8Writer& writer, const json& value) {
  ByteBuffer out;
  const auto problem = writer.write(value, out);
  CAPTURE(problem.value_or(""), problem ? value : json());
  REQUIRE_FALSE(problem.has_value());
  return characters(out.view());
}

// Lets Node make values, reads and writes them, and lets Node compare them.
void compare(NodeChild& node, const json& question, bool comes_back) {
  V8Reader reader(default_depth);
  V8Writer writer(default_depth);
  json value;
  json back = json::array();
  for (const json& made : node.ask("make", question)) {
    check_read(reader, made, value);
    back.push_back(written(writer, value));
  }
  if (!comes_back) return;
  for (const json& difference : node.ask("compare", {{"messages", back}})) {
    if (!difference.is_null()) FAIL(difference.get<std::string>());
  }
}

}  // namespace

TEST_CASE("v8 format: what an issue asks for comes back to Node the same") {
  NodeChild node;
  compare(node, json::object(), true);
  node.end();
}

TEST_CASE("v8 format: random values of Node are read as docs/advanced.md says") {
  NodeChild node;
  node.ask("start", {{"seed", 11}, {"lossy", true}});
  const int values = scaled(4'000, 400'000);
  for (int n = 0; n < values; n += batch) compare(node, {{"count", batch}}, false);
  node.end();
}

TEST_CASE("v8 format: random values of Node come back to it the same") {
  NodeChild node;
  node.ask("start", {{"seed", 12}, {"lossy", false}});
  const int values = scaled(4'000, 400'000);
  for (int n = 0; n < values; n += batch) compare(node, {{"count", batch}}, true);
  node.end();
}

TEST_CASE("v8 format: random values come back from Node the same") {
  constexpr int node_with_resizable_buffers = 20;
  NodeChild node;
  RandomV8 random(13, node.ask("version") < node_with_resizable_buffers);
  V8Reader reader(default_depth);
  V8Writer writer(default_depth);
  const int values = scaled(4'000, 400'000);
  for (int n = 0; n < values; n += batch) {
    std::vector<json> sent;
    json messages = json::array();
    for (int i = 0; i < batch; ++i) {
      sent.push_back(random.next());
      messages.push_back(written(writer, sent.back()));
    }
    const json answers = node.ask("echo", {{"messages", messages}});
    json value;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const auto bad = reader.read(bytes_of(answers[i]), value);
      if (!bad && same(value, sent[i])) continue;
      CAPTURE(sent[i], bad ? bad->text() : value.dump());
      FAIL("came back as something else");
    }
  }
  node.end();
}
