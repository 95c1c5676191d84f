#include "http.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <memory>
#include <utility>

#include <llhttp.h>

namespace http {

namespace {

constexpr std::chrono::seconds idle{5};
constexpr std::size_t longest_target = 8192;

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

// One connection. The listeners of its socket own it, so it lives until "close".
class Connection {
 public:
  Connection(tine::Socket socket, tine::Server server, Handler handler)
      : socket_(std::move(socket)), server_(std::move(server)), handler_(std::move(handler)) {
    llhttp_init(&parser_, HTTP_REQUEST, &settings());
    parser_.data = this;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Answers all requests in these bytes together.
  void read(std::string_view bytes) {
    if (ended_) return;
    answers_.clear();
    if (!parse(bytes) && !ended_) answer("400 Bad Request", "", false);
    if (ended_) {
      socket_.end(answers_);
    } else if (!answers_.empty() && !socket_.write(answers_)) {
      // The client does not read its answers, so the server stops reading its requests.
      socket_.pause();
    }
  }

 private:
  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t callbacks = [] {
      llhttp_settings_t made;
      llhttp_settings_init(&made);
      made.on_message_begin = [](llhttp_t* parser) { return of(parser).begin(); };
      made.on_url = [](llhttp_t* parser, const char* at, std::size_t length) {
        return of(parser).add_to_target({at, length});
      };
      made.on_message_complete = [](llhttp_t* parser) { return of(parser).complete(); };
      return made;
    }();
    return callbacks;
  }
  static Connection& of(llhttp_t* parser) { return *static_cast<Connection*>(parser->data); }

  // Returns false if this is not HTTP, or if it is the last request of the connection.
  bool parse(std::string_view bytes) {
    llhttp_errno_t result = llhttp_execute(&parser_, bytes.data(), bytes.size());
    while (result == HPE_PAUSED_UPGRADE) {
      // The client asks for another protocol. A server need not switch to it: HTTP goes on.
      bytes.remove_prefix(static_cast<std::size_t>(llhttp_get_error_pos(&parser_) - bytes.data()));
      llhttp_resume_after_upgrade(&parser_);
      result = llhttp_execute(&parser_, bytes.data(), bytes.size());
    }
    return result == HPE_OK;
  }

  int begin() {
    target_.clear();
    return HPE_OK;
  }

  int add_to_target(std::string_view piece) {
    target_ += piece;
    return target_.size() <= longest_target ? HPE_OK : HPE_USER;
  }

  int complete() {
    const bool keep = llhttp_should_keep_alive(&parser_) != 0 && server_.listening();
    switch (llhttp_get_method(&parser_)) {
      case HTTP_GET:
      case HTTP_HEAD: answer("200 OK", handler_(target_), keep); break;
      default: answer("405 Method Not Allowed", "", keep);
    }
    return keep ? HPE_OK : HPE_PAUSED;
  }

  void answer(std::string_view status, const std::string& body, bool keep) {
    answers_.append("HTTP/1.1 ").append(status).append("\r\n");
    if (status.starts_with("405")) answers_ += "Allow: GET, HEAD\r\n";
    answers_.append("Date: ").append(date()).append("\r\n");
    answers_.append(keep ? "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"
                         : "Connection: close\r\n");
    answers_ += "Content-Type: text/plain; charset=utf-8\r\n";
    answers_.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
    if (llhttp_get_method(&parser_) != HTTP_HEAD) answers_ += body;
    ended_ = !keep;
  }

  tine::Socket socket_;
  tine::Server server_;
  Handler handler_;
  llhttp_t parser_{};
  std::string target_;
  std::string answers_;
  bool ended_ = false;
};

void serve(tine::Socket socket, const tine::Server& server, const Handler& handler) {
  const auto connection = std::make_shared<Connection>(socket, server, handler);
  socket.on<"data">([connection](std::string_view bytes) { connection->read(bytes); });
  socket.on<"drain">([socket] { socket.resume(); });
  socket.on<"timeout">([socket] { socket.destroy(); });
  // The client is gone, so nobody is left who could get an answer.
  socket.on<"error">([socket](const tine::Error&) { socket.destroy(); });
  socket.no_delay();
  socket.timeout(idle);
}

}  // namespace

tine::Server serve(tine::Loop& loop, const tine::ListenOptions& options, Handler handler) {
  tine::Server server(loop);
  server.on<"connection">([server, handler = std::move(handler)](const tine::Socket& socket) {
    serve(socket, server, handler);
  });
  server.listen(options);
  return server;
}

}  // namespace http
