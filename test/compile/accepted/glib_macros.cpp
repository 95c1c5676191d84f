// The headers compile with GLib's macros.
#include <nlohmann/json.hpp>

#define TRUE (!FALSE)
#define FALSE (0)
#define MIN(a, b) (((a) < (b)) ? (a) : (b))
#define MAX(a, b) (((a) > (b)) ? (a) : (b))
#define ABS(a) (((a) < 0) ? -(a) : (a))
#define CLAMP(x, low, high) (((x) > (high)) ? (high) : (((x) < (low)) ? (low) : (x)))

#include <tine/tine.hpp>

void f(tine::ChildProcess& child, tine::Socket& socket) {
  child.on<"message">([child](int n) { child.send({{"n", MIN(n, 7)}}); });
  socket.on<"data">(
      [](std::string_view bytes) { return MAX(bytes.size(), 7) == 7 ? TRUE : FALSE; });
}
