// A message pipe as a user of libuv and nlohmann/json writes it in an afternoon: a write request
// and a string for each message to send, and json::parse for each received message.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include <uv.h>

#include <nlohmann/json.hpp>

namespace bench {

inline void check(int status) {
  if (status < 0) throw std::runtime_error(uv_strerror(status));
}

class JsonPipe {
 public:
  // The sender should pause when more bytes than this are queued. It is tine's send mark, so that
  // all peers queue the same amount.
  static constexpr std::size_t mark = 128 << 10;

  explicit JsonPipe(uv_loop_t* loop) {
    check(uv_pipe_init(loop, &pipe_, 0));
    pipe_.data = this;
  }
  JsonPipe(const JsonPipe&) = delete;

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&pipe_); }
  void open(int descriptor) { check(uv_pipe_open(&pipe_, descriptor)); }

  void read(std::function<void(const nlohmann::json&)> on_message) {
    on_message_ = std::move(on_message);
    check(uv_read_start(stream(), allocate, on_read));
  }

  // Sets the callback that runs after each write.
  void on_written(std::function<void()> on_written) { on_written_ = std::move(on_written); }

  // Queues a message. Returns whether there is room for another one.
  bool send(const nlohmann::json& message) {
    auto* write = new Write{{}, message.dump() + '\n'};
    write->request.data = write;
    const uv_buf_t bytes =
        uv_buf_init(write->text.data(), static_cast<unsigned>(write->text.size()));
    check(uv_write(&write->request, stream(), &bytes, 1, [](uv_write_t* request, int) {
      auto* self = static_cast<JsonPipe*>(request->handle->data);
      delete static_cast<Write*>(request->data);
      if (self->on_written_ && !uv_is_closing(reinterpret_cast<uv_handle_t*>(self->stream()))) {
        self->on_written_();
      }
    }));
    return uv_stream_get_write_queue_size(stream()) < mark;
  }

  void close() {
    auto* handle = reinterpret_cast<uv_handle_t*>(stream());
    if (!uv_is_closing(handle)) uv_close(handle, nullptr);
  }

 private:
  struct Write {
    uv_write_t request;
    std::string text;
  };

  static void allocate(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    auto* self = static_cast<JsonPipe*>(handle->data);
    *buffer = uv_buf_init(self->chunk_, sizeof self->chunk_);
  }

  static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
    auto* self = static_cast<JsonPipe*>(stream->data);
    if (count < 0) return self->close();
    self->received_.append(self->chunk_, static_cast<std::size_t>(count));
    self->deliver();
  }

  void deliver() {
    std::size_t start = 0;
    for (std::size_t end; (end = received_.find('\n', start)) != std::string::npos;
         start = end + 1) {
      on_message_(nlohmann::json::parse(received_.data() + start, received_.data() + end));
    }
    received_.erase(0, start);
  }

  uv_pipe_t pipe_;
  char chunk_[64 << 10];
  std::string received_;
  std::function<void(const nlohmann::json&)> on_message_;
  std::function<void()> on_written_;
};

}  // namespace bench
