// Compares the reader with Node's JSON.parse on random documents.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "interop/characters.hpp"
#include "support/catch.hpp"
#include "support/scale.hpp"
#include "support/test_loop.hpp"
#include "wire/json_reader.hpp"
#include "wire/random_json.hpp"
#include "wire/read_text.hpp"

using nlohmann::json;
using tine::wire::JsonReader;

namespace {

constexpr std::uint64_t seed = 6;
constexpr int batch = 500;   // documents in a message
constexpr int batches = 10;  // messages to a child

bool is_utf8(const std::string& text) {
  try {
    const std::string unused = json(text).dump();
    return true;
  } catch (const json::type_error&) {
    return false;
  }
}

bool has_number_too_large(const std::string& text) {
  try {
    const json unused = json::parse(text);
    return false;
  } catch (const json::out_of_range&) {
    return true;
  } catch (const json::parse_error&) {
    return false;
  }
}

// Returns whether two values are the same in Node, where all numbers are doubles and zero is
// written without a sign.
bool same_in_node(const json& ours, const json& nodes) {
  if (ours.is_number() && nodes.is_number()) return ours.get<double>() == nodes.get<double>();
  if (ours.type() != nodes.type() || ours.size() != nodes.size()) return false;
  if (ours.is_array()) return std::equal(ours.begin(), ours.end(), nodes.begin(), same_in_node);
  if (!ours.is_object()) return ours == nodes;
  return std::equal(ours.items().begin(), ours.items().end(), nodes.items().begin(),
                    [](const auto& one, const auto& other) {
                      return one.key() == other.key() && same_in_node(one.value(), other.value());
                    });
}

// Returns whether the reader treats a document as Node does, except for the differences in
// FORMAT.md.
bool agrees(JsonReader& reader, const std::string& text, const json& answer) {
  json value;
  const bool good = !read_over(reader, text, value);
  // The reader refuses these texts. Node reads invalid UTF-8 as U+FFFD where a string may have it,
  // and reads the number as infinity.
  if (!is_utf8(text) || has_number_too_large(text)) return !good;
  if (answer.is_null() || !good) return answer.is_null() && !good;
  return same_in_node(value, json::parse(answer.get_ref<const std::string&>()));
}

// Compares the reader with a Node child on some documents. Returns how many of them Node accepts.
template <class Next>
int compare_some(Next next_text) {
  TestLoop loop;
  tine::ForkOptions options;
  options.exec_path = "node";
  options.kill_with_loop = true;  // so that a failed test leaves no child behind
  auto child = tine::fork(loop, std::filesystem::path(INTEROP_SCRIPTS) / "node_json.js", options);
  JsonReader reader(default_depth);
  std::vector<std::string> texts;
  int good = 0;
  ExpectCalls answered(batches);

  const auto send_batch = [&] {
    texts.clear();
    json message = json::array();
    while (texts.size() < batch) {
      texts.push_back(next_text());
      message.push_back(characters(texts.back()));
    }
    child.send(message);
  };
  child.on<"message">([&](const json& answers) {
    answered();
    REQUIRE(answers.size() == texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (!answers[i].is_null()) ++good;
      if (agrees(reader, texts[i], answers[i])) continue;
      CAPTURE(json(characters(texts[i])).dump(-1, ' ', true), answers[i]);
      FAIL_CHECK("judged otherwise");
    }
    if (answered.count() == batches) return child.disconnect();
    send_batch();
  });
  send_batch();
  loop.run();
  return good;
}

// Does the same for `count` documents, with as many children as this takes.
template <class Next>
int compare(int count, Next next_text) {
  int good = 0;
  for (int done = 0; done < count; done += batch * batches) good += compare_some(next_text);
  return good;
}

}  // namespace

TEST_CASE("json reader: it agrees with Node's on good documents") {
  RandomJson random(seed);
  const int count = scaled(5'000, 50'000);

  CHECK(compare(count, [&] { return random.next_text(); }) == count);
}

TEST_CASE("json reader: it agrees with Node's on damaged documents") {
  RandomJson random(seed, RandomJson::small);
  const int count = scaled(100'000, 1'000'000);

  const int good = compare(count, [&] { return random.mutated(random.next_text()); });

  CHECK(good > count / 100);
  CHECK(good < count / 2);
}

TEST_CASE("json reader: it agrees with Node's on lone surrogates") {
  RandomJson random(seed, RandomJson::small);
  const int count = scaled(10'000, 100'000);

  const int good = compare(count, [&] {
    std::string text = random.next_text();
    for (int i = 0; i < 3; ++i) {
      text.insert(std::min(text.size(), text.find('"') + 1),
                  random.below(2) == 0 ? R"(\ud83d)" : R"(\ude00)");
    }
    return text;
  });

  CHECK(good > count / 2);
}
