// flags: -std=gnu++20
// The headers compile with the macros of C and system headers, and with those that g++ defines
// except in strict C++: linux, unix.
#include <complex.h>
#include <sys/param.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif

#include <tine/tine.hpp>

void f(tine::ChildProcess& child, tine::Datagram& datagram) {
  child.on<"message">([child](tine::Text text) { child.send(text); });
  datagram.on<"message">([](std::string_view bytes) { return MIN(bytes.size(), 7) > 0; });
}
