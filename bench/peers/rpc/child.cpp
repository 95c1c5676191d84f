// tine's child that adds two numbers on request.
#include <tine/tine.hpp>

namespace {

struct Numbers {
  int a;
  int b;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Numbers, a, b)

}  // namespace

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  tine::Rpc rpc(process);
  rpc.on_request("add", [](const Numbers& numbers) { return numbers.a + numbers.b; });
  loop.run();
}
