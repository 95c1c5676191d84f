// A loop keeps its residents, and closes them when it goes away.
#include <memory>

#include "support/catch.hpp"
#include "support/test_loop.hpp"
#include "uv/loop_core.hpp"

namespace {

class Guest final : public tine::uv::Resident {
 public:
  using Resident::Resident;

  void loop_closing() noexcept override {
    ++closed;
    had_loop = has_loop();
    other.reset();
  }
  bool has_loop() const { return core() != nullptr; }

  int closed = 0;
  bool had_loop = false;
  std::shared_ptr<Guest> other;  // which ends with this
};

}  // namespace

TEST_CASE("residents: the loop keeps one alive until it is released", "[uv]") {
  TestLoop loop;
  tine::uv::LoopCore& core = tine::core_of(loop);
  auto guest = std::make_shared<Guest>(core);
  core.keep(guest);
  core.keep(guest);  // it is kept already
  CHECK(guest.use_count() == 2);
  core.release(*guest);
  CHECK(guest.use_count() == 1);
  core.release(*guest);
  CHECK(guest->closed == 0);
}

TEST_CASE("residents: all are closed with the loop, kept or not, and have none by then", "[uv]") {
  std::shared_ptr<Guest> kept;
  std::shared_ptr<Guest> guest;
  {
    TestLoop loop;
    tine::uv::LoopCore& core = tine::core_of(loop);
    kept = std::make_shared<Guest>(core);
    guest = std::make_shared<Guest>(core);
    core.keep(kept);
    CHECK(guest->has_loop());
    loop.destroy();
  }
  for (const auto& one : {kept, guest}) {
    CHECK(one->closed == 1);
    CHECK_FALSE(one->had_loop);
    CHECK_FALSE(one->has_loop());
  }
  CHECK(kept.use_count() == 1);
}

TEST_CASE("residents: one that ends while another is closed is not closed after that", "[uv]") {
  TestLoop loop;
  tine::uv::LoopCore& core = tine::core_of(loop);
  const auto guest = std::make_shared<Guest>(core);
  guest->other = std::make_shared<Guest>(core);
  loop.destroy();
  CHECK(guest->closed == 1);
  CHECK_FALSE(guest->other);
}
