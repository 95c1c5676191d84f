// Tests the web server of demo/cluster with handwritten requests.
#include "http.hpp"

#include <chrono>
#include <functional>
#include <regex>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

namespace {

// A web server, and clients that collect its answers.
struct Web {
  explicit Web(http::Handler handler =
                   [](std::string_view target) { return "at " + std::string(target); })
      : server(http::serve(loop, {.host = "127.0.0.1"}, std::move(handler))) {}

  tine::Socket connect() {
    tine::Socket client(loop);
    const tine::Address address = server.address().value();
    client.connect({.host = address.host, .port = address.port});
    return client;
  }

  // Collects the answers. Expects the connection to close, and then closes the server.
  void expect_close(tine::Socket client) {
    client.on<"data">([this](std::string_view bytes) { answers += bytes; });
    client.on<"close">([this] {
      closed();
      server.close();
    });
  }

  // Sends the bytes. Returns the answers that come until the connection is closed, without dates.
  std::string exchange(std::string_view bytes) {
    tine::Socket client = connect();
    expect_close(client);
    client.write(bytes);
    loop.run();
    return without_date();
  }

  std::string without_date() const {
    return std::regex_replace(answers, std::regex("Date: [^\r]*\r\n"), "");
  }

  TestLoop loop;
  tine::Server server;
  std::string answers;
  ExpectCalls closed{1};
};

std::string answer(const std::string& status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Type: text/plain; charset=utf-8\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

const std::string kept = "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n";
const std::string ended = "Connection: close\r\n";
const std::string last_request = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const std::string last_answer = answer("200 OK", ended, "at /last");

}  // namespace

TEST_CASE("http: requests on one connection are answered in order, by their targets", "[demo]") {
  Web web;
  CHECK(
      web.exchange("GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two?x=1 HTTP/1.1\r\nHost: a\r\n\r\n" +
                   last_request) ==
      answer("200 OK", kept, "at /one") + answer("200 OK", kept, "at /two?x=1") + last_answer);
}

TEST_CASE("http: an answer has the date", "[demo]") {
  Web web;
  web.exchange(last_request);
  CHECK(std::regex_search(web.answers,
                          std::regex("\r\nDate: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \\d\\d "
                                     "[A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT\r\n")));
}

TEST_CASE("http: a request may come byte by byte", "[demo]") {
  Web web;
  tine::Socket client = web.connect();
  web.expect_close(client);
  client.no_delay();
  const std::string requests = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + last_request;
  std::size_t sent = 0;
  std::function<void()> send = [&] {
    if (sent == requests.size()) return;
    client.write(std::string_view(requests).substr(sent++, 1), [&](std::error_code) { send(); });
  };
  send();
  web.loop.run();
  CHECK(web.without_date() == answer("200 OK", kept, "at /slow") + last_answer);
}

TEST_CASE("http: HEAD is answered like GET, without the body", "[demo]") {
  Web web;
  const std::string full = answer("200 OK", kept, "at /one");
  CHECK(web.exchange("HEAD /one HTTP/1.1\r\nHost: a\r\n\r\n" + last_request) ==
        full.substr(0, full.find("at /one")) + last_answer);
}

TEST_CASE("http: requests after the last one of a connection are not answered", "[demo]") {
  Web web;
  CHECK(web.exchange(last_request + "GET /more HTTP/1.1\r\nHost: a\r\n\r\n") == last_answer);
}

TEST_CASE("http: a connection of HTTP/1.0 stays open if the client asks for it", "[demo]") {
  Web web;
  CHECK(web.exchange(
            "GET /one HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /last HTTP/1.0\r\n\r\n") ==
        answer("200 OK", kept, "at /one") + last_answer);
}

TEST_CASE("http: other methods are not allowed, and their bodies are dropped", "[demo]") {
  Web web;
  const std::string refused = answer("405 Method Not Allowed", "Allow: GET, HEAD\r\n" + kept, "");
  CHECK(web.exchange(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n"
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" +
            last_request) == refused + refused + last_answer);
}

TEST_CASE("http: a client that asks for another protocol gets its answer in HTTP", "[demo]") {
  Web web;
  const std::string upgrade = "Connection: Upgrade\r\nUpgrade: other\r\n\r\n";
  CHECK(web.exchange("GET /one HTTP/1.1\r\nHost: a\r\n" + upgrade +
                     "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n" + last_request) ==
        answer("200 OK", kept, "at /one") +
            answer("405 Method Not Allowed", "Allow: GET, HEAD\r\n" + kept, "") + last_answer);
}

TEST_CASE("http: invalid HTTP is answered as a bad request, and ends the connection", "[demo]") {
  Web web;
  const std::string bad =
      GENERATE(std::string("Hello\r\n\r\n"), std::string("GET / HTTP/1.1\r\nHost\r\n\r\n"),
               std::string("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
               "GET /" + std::string(8192, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(web.exchange("GET /one HTTP/1.1\r\nHost: a\r\n\r\n" + bad + last_request) ==
        answer("200 OK", kept, "at /one") + answer("400 Bad Request", ended, ""));
}

TEST_CASE("http: a client that has ended its side gets the answers", "[demo]") {
  Web web;
  tine::Socket client = web.connect();
  web.expect_close(client);
  client.end("GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /not-whole HT");
  web.loop.run();
  CHECK(web.without_date() == answer("200 OK", kept, "at /one"));
}

TEST_CASE("http: a closed server answers one more request on each connection", "[demo]") {
  Web web;
  tine::Socket client = web.connect();
  client.once<"data">([&] {
    web.server.close();
    client.write("GET /late HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  });
  web.expect_close(client);
  client.write("GET /one HTTP/1.1\r\nHost: a\r\n\r\n");
  web.loop.run();
  CHECK(web.without_date() ==
        answer("200 OK", kept, "at /one") + answer("200 OK", ended, "at /late"));
}

TEST_CASE("http: a connection without requests is closed after five seconds", "[demo]") {
  Web web;
  const auto start = std::chrono::steady_clock::now();
  CHECK(web.exchange("GET /one HTTP/1.1\r\nHost: a\r\n\r\n") == answer("200 OK", kept, "at /one"));
  CHECK(std::chrono::steady_clock::now() - start > std::chrono::milliseconds(4990));
}

TEST_CASE("http: the server stops reading requests if the client does not read the answers",
          "[demo]") {
  constexpr int requests = 10'000;
  const std::string body(16 << 10, 'x');
  int made = 0;
  Web web([&](std::string_view) {
    ++made;
    return body;
  });
  tine::Socket client = web.connect();
  client.pause();
  web.expect_close(client);
  std::string bytes;
  for (int i = 1; i < requests; ++i) bytes += "GET / HTTP/1.1\r\n\r\n";
  client.write(bytes + last_request);

  // Other clients are served meanwhile. After 100 of them, the server has stopped reading from the
  // first one.
  int others = 0;
  std::function<void()> ask = [&] {
    tine::Socket other = web.connect();
    other.on<"data">([] {});
    other.on<"close">([&] {
      if (++others < 100) return ask();
      CHECK(made - others < requests);
      client.resume();
    });
    other.write(last_request);
  };
  ask();
  web.loop.run();
  CHECK(made == requests + others);
  CHECK(web.answers.size() > requests * body.size());
  CHECK(std::string_view(web.answers).ends_with(body));
}
