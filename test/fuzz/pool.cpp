// The scheduler of a pool in a world of simulated workers, which checks each action.
//
// The bytes of an input are the choices: first the limits, then what happens. When they end, the pool is
// closed.
#include "pool/world.hpp"

#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) try {
  std::size_t next = 0;
  // After the last byte the choices differ still, so that the world comes to an end.
  const pool_world::Choose choose = [&](unsigned n) {
    const std::size_t at = next++;
    return (at < size ? data[at] : static_cast<unsigned>(at * 7 + at / 13)) % n;
  };
  pool_world::World world(pool_world::any_limits(choose), choose);
  while (next < size) world.step();
  world.finish();
  return 0;
} catch (const pool_world::Broken& broken) {
  must(false, broken.what());
  return 0;
}
