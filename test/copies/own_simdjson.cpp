// Parent and child of an application whose simdjson differs from tine's. Both simdjsons read each
// message and must agree.
#include <cstddef>
#include <iostream>
#include <string>
#include <string_view>

#include <simdjson.h>

#include <tine/tine.hpp>

namespace {

constexpr std::size_t messages = 200;

nlohmann::json message(std::size_t n) {
  return {{"n", n},
          {"negative", -1.5 * static_cast<double>(n)},
          {"text", std::string(n, 'x') + "ä\n\""},
          {"list", {1, nullptr, true, {{"deep", {n}}}}}};
}

// Parses a text with the application's simdjson. Returns it minified.
std::string read_by_own(simdjson::dom::parser& parser, std::string_view text) {
  return simdjson::minify(parser.parse(simdjson::padded_string(text)).value());
}

bool same(simdjson::dom::parser& parser, const nlohmann::json& by_tine, std::size_t n) {
  const nlohmann::json wanted = message(n);
  return by_tine == wanted && nlohmann::json::parse(read_by_own(parser, by_tine.dump())) == wanted;
}

bool reads_a_stream(simdjson::dom::parser& parser) {
  std::string lines;
  for (std::size_t n = 0; n < messages; ++n) lines += message(n).dump() + "\n";
  const simdjson::padded_string padded(lines);
  simdjson::dom::document_stream stream;
  if (parser.parse_many(padded).get(stream)) return false;
  std::size_t n = 0;
  for (auto text : stream) {
    const std::string minified = simdjson::minify(text.value());
    if (nlohmann::json::parse(minified) != message(n++)) return false;
  }
  return n == messages;
}

int child() {
  tine::Loop loop;
  tine::Process process(loop);
  simdjson::dom::parser parser;
  std::size_t n = 0;
  bool good = reads_a_stream(parser);
  process.on<"message">([&](const nlohmann::json& value) {
    good = good && same(parser, value, n++);
    process.send(tine::Text{value.dump()});
  });
  loop.run();
  return good && n == messages ? 0 : 1;
}

int parent() {
  tine::Loop loop;
  simdjson::dom::parser parser;
  std::size_t n = 0;
  bool good = reads_a_stream(parser);
  int status = -1;
  auto child = tine::fork(loop, tine::executable_dir() / "own_simdjson", {.args = {"child"}});
  child.on<"message">([&](const nlohmann::json& value) {
    good = good && same(parser, value, n);
    if (++n == messages) child.disconnect();
  });
  child.on<"exit">([&](const tine::ExitStatus& exit) { status = exit.code.value_or(-1); });
  for (std::size_t i = 0; i < messages; ++i) child.send(message(i));
  loop.run();
  good = good && n == messages && status == 0 && reads_a_stream(parser);
  std::cout << (good ? "both read the same\n" : "they do not read the same\n");
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char**) { return argc > 1 ? child() : parent(); }
