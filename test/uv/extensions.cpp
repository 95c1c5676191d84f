// Extensions are found by their type, the newest one first.
#include "uv/extensions.hpp"

#include <memory>

#include "support/catch.hpp"

using tine::uv::Extensions;

namespace {

struct Source : tine::uv::Extension {};
struct Special final : Source {};
struct Other final : tine::uv::Extension {};

// An extension that looks for another one when it is destroyed.
struct Looking final : tine::uv::Extension {
  Looking(const Extensions& all, bool& to_set) : extensions(all), found(to_set) {}
  ~Looking() override { found = extensions.find<Other>() != nullptr; }

  const Extensions& extensions;
  bool& found;
};

}  // namespace

TEST_CASE("extensions: the newest of a type is found, until it is removed", "[uv]") {
  Extensions extensions;
  CHECK(extensions.find<Source>() == nullptr);
  const auto first = std::make_shared<Source>();
  const auto second = std::make_shared<Special>();
  const auto other = std::make_shared<Other>();
  extensions.add(first);
  extensions.add(second);
  extensions.add(other);

  CHECK(extensions.find<Source>() == second.get());
  CHECK(extensions.find<Special>() == second.get());
  CHECK(extensions.find<Other>() == other.get());
  extensions.remove(*second);
  extensions.remove(*second);  // it is not there any more
  CHECK(extensions.find<Source>() == first.get());
  CHECK(extensions.find<Special>() == nullptr);
  CHECK(second.use_count() == 1);
}

TEST_CASE("extensions: while they are destroyed, none is found", "[uv]") {
  bool found = true;
  Extensions extensions;
  extensions.add(std::make_shared<Looking>(extensions, found));
  extensions.add(std::make_shared<Other>());
  extensions.clear();
  CHECK_FALSE(found);
}
