// A small web server on a tine::Server, for programs that show, test or measure clusters.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <tine/tine.hpp>

namespace http {

// Returns the text that answers a GET of a target. The target is "/path?query" as it came, and
// valid for the call. A handler must not throw, because it is called through a parser in C.
using Handler = std::function<std::string(std::string_view target)>;

// Starts a web server. It is closed like any tine::Server. After that, each connection answers one
// more request and ends; without a request it ends when its five seconds are over.
//
// Connections stay open for five seconds between requests. Clients may send requests before they
// have the answers to earlier ones. Invalid HTTP is answered with 400, methods other than GET and
// HEAD with 405; the bodies of requests are dropped.
//
// Node: http.createServer((request, response) => response.end(handler(request.url)))
//           .listen(options).
tine::Server serve(tine::Loop& loop, const tine::ListenOptions& options, Handler handler);

}  // namespace http
