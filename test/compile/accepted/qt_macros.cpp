// The headers compile with Qt's keywords, which are macros.
#include <nlohmann/json.hpp>

#define emit
#define signals public
#define slots
#define foreach(variable, container) for (variable : container)
#define forever for (;;)

#include <tine/tine.hpp>

void f(tine::ChildProcess& child, tine::Cluster& cluster) {
  child.on<"message">([child](int n) { emit child.send({{"n", n}}); });
  child.once<"exit">([](const tine::ExitStatus& status) { return status.success(); });
  cluster.on<"online">([](tine::Worker worker) { worker.send("Hello"); });
}
