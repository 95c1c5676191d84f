#include "base/base64.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using tine::base::from_base64;
using tine::base::is_base64;
using tine::base::to_base64;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

}  // namespace

TEST_CASE("base64: the examples of RFC 4648 go both ways", "[base]") {
  const std::vector<std::pair<std::string, std::string>> examples{{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"},
                                                                  {"\xFF\xEF\xBE", "/+++"}};
  for (const auto& [bytes, text] : examples) {
    CAPTURE(text);
    CHECK(to_base64(bytes_of(bytes)) == text);
    CHECK(is_base64(text));
    CHECK(from_base64(text) == bytes_of(bytes));
  }
}

TEST_CASE("base64: any bytes come back", "[base]") {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 300; ++size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    const std::string text = to_base64(bytes);
    REQUIRE(is_base64(text));
    REQUIRE(from_base64(text) == bytes);
  }
}

TEST_CASE("base64: what no bytes become is none", "[base]") {
  for (const char* const text :
       {"Z", "Zg", "Zg=", "Zg===", "=", "==", "====", "Zg==Zg==", "Z===", "Zh==", "Zm9=", "Zm8=\n",
        "Zm-v", "Zm v", "Zm9\xFF", "Zm9v=", "A=A="}) {
    CAPTURE(text);
    CHECK_FALSE(is_base64(text));
  }
}
