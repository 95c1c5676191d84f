// The headers compile with the macros of X.h and Xlib.h that are ordinary words.
#include <nlohmann/json.hpp>

#define Above 0
#define Always 2
#define Below 1
#define Bool int
#define Complex 0
#define Convex 2
#define Expose 12
#define False 0
#define None 0L
#define Opposite 4
#define Status int
#define Success 0
#define True 1
#define Unsorted 0

#include <tine/tine.hpp>

void f(tine::ChildProcess& child, tine::Process& process) {
  child.on<"exit">(
      [](const tine::ExitStatus& status) -> Bool { return status.success() ? True : False; });
  process.on<"message">([&process](bool value) { process.send(value ? Success : None); });
}
