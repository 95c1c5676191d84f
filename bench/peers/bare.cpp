// A child that shows what tine's libraries cost when nothing uses them. It waits on a libuv loop
// and answers the raw parent's greeting, no more.
#include <simdjson.h>
#include <uv.h>

#include <nlohmann/json.hpp>

namespace {

char bytes[1024];

void allocate(uv_handle_t*, std::size_t, uv_buf_t* buffer) {
  *buffer = uv_buf_init(bytes, sizeof bytes);
}

void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
  if (count < 0) return uv_stop(stream->loop);
  uv_buf_t answer = uv_buf_init(bytes, static_cast<unsigned>(count));
  uv_try_write(stream, &answer, 1);
}

// Uses the parsers, so that they are linked and their static data is there.
bool parsers_agree() {
  simdjson::dom::parser parser;
  const simdjson::padded_string text(std::string_view("[1]"));
  return simdjson::minify(parser.parse(text).value()) == nlohmann::json::parse("[1]").dump();
}

}  // namespace

int main() {
  if (!parsers_agree()) return 1;
  uv_pipe_t channel;
  uv_pipe_init(uv_default_loop(), &channel, 0);
  uv_pipe_open(&channel, 3);
  uv_read_start(reinterpret_cast<uv_stream_t*>(&channel), allocate, on_read);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
