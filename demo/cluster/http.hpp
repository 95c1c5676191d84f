// A web server on a tine::Server: small, for programs that show, test or measure clusters.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <tine/tine.hpp>

namespace http {

// Makes the text that answers a GET of a target, "/path?query" as it came, which is valid for the call. It
// does not throw: the parser that calls it is C.
using Handler = std::function<std::string(std::string_view target)>;

// Starts a web server. It is closed as any server; then requests that still come over its connections are
// answered as the last ones of these, and a connection without any ends after its five seconds.
//
// Connections are kept between requests, for five seconds; requests may come ahead of the answers. What is
// not HTTP is answered with 400, another method than GET and HEAD with 405, and what a body has in it is
// dropped.
//
// Node: http.createServer((request, response) => response.end(handler(request.url))).listen(options).
tine::Server serve(tine::Loop& loop, const tine::ListenOptions& options, Handler handler);

}  // namespace http
