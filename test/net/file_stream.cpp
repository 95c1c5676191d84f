// Streams over files and devices in the place of stdin or stdout.
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "net/streams.hpp"
#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using tine::Errc;
using tine::Stream;
using tine::base::Descriptor;

namespace {

Descriptor open_file(const std::string& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  REQUIRE(file.get() >= 0);
  return file;
}

// A stream over stdin, which is a file.
struct Input {
  Input(tine::Loop& loop, const std::string& path)
      : file(open_file(path, O_RDONLY)),
        standard(STDIN_FILENO, file.get()),
        stream(tine::standard_input(loop)) {}

  Descriptor file;
  Standard standard;
  Stream stream;
};

// A stream over stderr, which is a file.
struct Output {
  Output(tine::Loop& loop, const std::string& path, int flags = O_CREAT)
      : file(open_file(path, O_WRONLY | flags)),
        standard(STDERR_FILENO, file.get()),
        stream(tine::standard_error(loop)) {}

  Descriptor file;
  Standard standard;
  Stream stream;
};

std::string content(const std::string& path) {
  const Descriptor file = open_file(path, O_RDONLY);
  return read_available(file.get());
}

}  // namespace

TEST_CASE("file stream: a file is read from its position to its end", "[net]") {
  const auto size = static_cast<std::size_t>(GENERATE(1, 65535, 65536, 65537, 1000003));
  TestLoop loop;
  const Folder folder;
  const std::string bytes = bytes_of(size);
  Input in(loop, folder.add("file", bytes, false));
  REQUIRE(::lseek(in.file.get(), 1, SEEK_SET) == 1);
  Record record(in.stream);
  record.collect(in.stream);
  CHECK(in.stream.readable());
  CHECK_FALSE(in.stream.writable());
  loop.run();
  CHECK(record.data == bytes.substr(1));
  CHECK(record.log == Log{"end", "close"});
  CHECK_FALSE(in.stream.readable());
  CHECK(::lseek(in.file.get(), 0, SEEK_CUR) == static_cast<off_t>(size));
}

TEST_CASE("file stream: an empty file and /dev/null end at once", "[net]") {
  TestLoop loop;
  const Folder folder;
  Input in(loop, GENERATE(true, false) ? folder.add("file", "", false) : "/dev/null");
  Record record(in.stream);
  record.collect(in.stream);
  loop.run();
  CHECK(record.data.empty());
  CHECK(record.log == Log{"end", "close"});
}

TEST_CASE("file stream: nothing is read until there is a data listener", "[net]") {
  TestLoop loop;
  const Folder folder;
  Input in(loop, folder.add("file", "hello", false));
  Record record(in.stream);
  loop.run();
  CHECK(record.log.empty());
  CHECK(::lseek(in.file.get(), 0, SEEK_CUR) == 0);
  in.stream.resume();
  loop.run();
  CHECK(record.log == Log{"end", "close"});
}

TEST_CASE("file stream: pause() holds back the bytes that were already read", "[net]") {
  TestLoop loop;
  const Folder folder;
  const std::string bytes = bytes_of(plenty);
  Input in(loop, folder.add("file", bytes, false));
  std::string data;
  bool paused = false;
  in.stream.on<"data">([&](std::string_view piece) {
    CHECK_FALSE(paused);
    data += piece;
    // A read has begun when the second function runs.
    loop->post([&] {
      loop->post([&] {
        if (!in.stream.readable()) return;
        in.stream.pause();
        paused = true;
        loop->after(1ms, [&] {
          paused = false;
          in.stream.resume();
        });
      });
    });
  });
  loop.run();
  CHECK(data == bytes);
}

TEST_CASE("file stream: resume() in a data listener does not change the bytes that it has",
          "[net]") {
  TestLoop loop;
  const Folder folder;
  const std::string bytes = bytes_of(plenty);
  Input in(loop, folder.add("file", bytes, false));
  std::string data;
  in.stream.on<"data">([&](std::string_view piece) {
    const std::string before(piece);
    in.stream.pause();
    in.stream.resume();
    // A thread that reads too early changes the bytes while they are compared.
    bool unchanged = true;
    for (int i = 0; i < 100; ++i) unchanged = unchanged && piece == before;
    CHECK(unchanged);
    data += piece;
  });
  loop.run();
  CHECK(data == bytes);
}

TEST_CASE("file stream: after a listener has thrown, the next run() reads on", "[net]") {
  TestLoop loop;
  const Folder folder;
  const std::string bytes = bytes_of(3 * 65536);
  Input in(loop, folder.add("file", bytes, false));
  Record record(in.stream);
  record.collect(in.stream);
  in.stream.on<"data">([](std::string_view) { throw std::runtime_error("thrown"); });
  for (int pieces = 1; pieces <= 3; ++pieces) {
    CHECK_THROWS_AS(loop.run(), std::runtime_error);
    CHECK(record.data.size() == static_cast<std::size_t>(pieces) * 65536);
  }
  loop.run();
  CHECK(record.data == bytes);
  CHECK(record.log == Log{"end", "close"});
}

TEST_CASE("file stream: a file that cannot be read is an error", "[net]") {
  TestLoop loop;
  const Folder folder;
  const Descriptor file = open_file(folder.at("file"), O_WRONLY | O_CREAT);
  const Standard standard(STDIN_FILENO, file.get());
  Stream stream = tine::standard_input(loop);
  Record record(stream);
  record.collect(stream);
  loop.run();
  CHECK(record.log == Log{"error", "close"});
  CHECK(record.errors == std::vector{system_code(EBADF)});
}

TEST_CASE("file stream: a file that is open for reading cannot be written", "[net]") {
  TestLoop loop;
  const Folder folder;
  Input in(loop, folder.add("file", "hello", false));
  Record record(in.stream);
  CHECK_FALSE(in.stream.write("x", record.written("refused")));
  loop.run();
  CHECK(record.log == Log{"refused"});
  CHECK(record.results == std::vector{make_error_code(Errc::write_after_end)});
}

TEST_CASE("file stream: destroy() while a read is underway delivers nothing more", "[net]") {
  TestLoop loop;
  const Folder folder;
  Input in(loop, folder.add("file", bytes_of(plenty), false));
  Record record(in.stream);
  record.collect(in.stream);
  loop->post([&] { loop->post([&] { in.stream.destroy(); }); });
  loop.run();
  CHECK(record.log == Log{"close"});
  CHECK(record.data.size() <= 2 * 65536);
}

TEST_CASE("file stream: the loop may be destroyed while a request is underway", "[net]") {
  TestLoop loop;
  const Folder folder;
  Input in(loop, folder.add("file", bytes_of(plenty), false));
  Output out(loop, folder.at("written"));
  in.stream.on<"data">([](std::string_view) {});
  in.stream.on<"close">([] { FAIL("nothing is called any more"); });
  out.stream.write(bytes_of(plenty), [] { FAIL("nothing is called any more"); });
  loop->post([&] { loop->stop(); });
  loop.run();
  loop.destroy();
  CHECK_FALSE(in.stream.readable());
  CHECK_FALSE(out.stream.write("x"));
}

TEST_CASE("file stream: written bytes are in the file in order, even without end()", "[net]") {
  TestLoop loop;
  const Folder folder;
  const std::string path = folder.at("file");
  const std::string bytes = bytes_of(plenty);
  Output out(loop, path);
  Record record(out.stream);
  CHECK_FALSE(out.stream.readable());
  CHECK(out.stream.writable());
  CHECK(out.stream.write("first ", record.written("first")));
  CHECK(out.stream.write({}, record.written("nothing")));
  CHECK_FALSE(out.stream.write(bytes, record.written("bytes")));
  CHECK(record.log.empty());  // no callback runs inside a call
  loop.run();
  CHECK(out.stream.queued_bytes() == 0);
  CHECK(std::erase(record.log, "drain") == 1);
  CHECK(record.log == Log{"first", "nothing", "bytes"});
  CHECK(record.results == std::vector<std::error_code>(3));
  CHECK(content(path) == "first " + bytes);
}

TEST_CASE("file stream: end() closes a file when all is written, and leaves stderr open", "[net]") {
  TestLoop loop;
  const Folder folder;
  const std::string path = folder.at("file");
  Output out(loop, path);
  Record record(out.stream);
  out.stream.write("one ");
  out.stream.end("two");
  CHECK_FALSE(out.stream.writable());
  CHECK(content(path) != "one two");
  loop.run();
  CHECK(record.log == Log{"close"});
  REQUIRE(::write(STDERR_FILENO, " three", 6) == 6);
  CHECK(content(path) == "one two three");
}

TEST_CASE("file stream: a file that is open for appending keeps what it has", "[net]") {
  TestLoop loop;
  const Folder folder;
  const std::string path = folder.add("file", "before ", false);
  Output out(loop, path, O_APPEND);
  out.stream.write("one ");
  loop.run();
  const Descriptor other = open_file(path, O_WRONLY | O_APPEND);
  REQUIRE(::write(other.get(), "other ", 6) == 6);
  out.stream.end("two");
  loop.run();
  CHECK(content(path) == "before one other two");
}

TEST_CASE("file stream: writes beyond the mark wait for drain", "[net]") {
  TestLoop loop;
  const Folder folder;
  const std::string path = folder.at("file");
  const std::string bytes = bytes_of(plenty + 1);
  Output out(loop, path);
  std::size_t at = 0;
  int refusals = 0;
  const auto fill = [&] {
    bool more = true;
    while (more && at < bytes.size()) {
      const std::string_view piece = std::string_view(bytes).substr(at, 10007);
      more = out.stream.write(piece);
      at += piece.size();
    }
    if (more) return out.stream.end();
    ++refusals;
    CHECK(out.stream.queued_bytes() >= 64 * kibibyte);
  };
  out.stream.on<"drain">([&] {
    CHECK(out.stream.queued_bytes() <= 32 * kibibyte);
    fill();
  });
  fill();
  loop.run();
  CHECK(refusals > 1);
  CHECK(content(path) == bytes);
}

TEST_CASE("file stream: bytes written after end() are an error", "[net]") {
  TestLoop loop;
  const Folder folder;
  Output out(loop, folder.at("file"));
  Record record(out.stream);
  out.stream.end("last");
  CHECK_FALSE(out.stream.write("more"));
  out.stream.write("more", record.written("refused"));
  loop.run();
  CHECK(std::erase(record.log, "close") == 1);
  CHECK(record.log == Log{"error", "refused"});
  CHECK(record.errors == std::vector{make_error_code(Errc::write_after_end)});
  CHECK(record.results == record.errors);
}

TEST_CASE("file stream: destroy() cancels queued writes", "[net]") {
  TestLoop loop;
  const Folder folder;
  Output out(loop, folder.at("file"));
  Record record(out.stream);
  out.stream.write(bytes_of(plenty), record.written("cancelled"));
  out.stream.destroy();
  CHECK_FALSE(out.stream.write("late", record.written("late")));
  loop.run();
  CHECK(std::erase(record.log, "close") == 1);
  CHECK(record.log == Log{"cancelled", "late"});
  CHECK(record.results ==
        std::vector{system_code(ECANCELED), make_error_code(Errc::stream_destroyed)});
}

#ifdef __linux__
TEST_CASE("file stream: a full device is an error, and closes the stream", "[net]") {
  TestLoop loop;
  Output out(loop, "/dev/full");
  Record record(out.stream);
  SECTION("event") {
    out.stream.write("x");
    loop.run();
    CHECK(record.log == Log{"error", "close"});
    CHECK(record.errors == std::vector{system_code(ENOSPC)});
  }
  SECTION("callback") {
    out.stream.write("x", record.written("written"));
    out.stream.write(bytes_of(plenty), record.written("queued"));
    loop.run();
    CHECK(record.log == Log{"written", "queued", "close"});
    CHECK(record.results == std::vector<std::error_code>(2, system_code(ENOSPC)));
  }
  CHECK_FALSE(out.stream.writable());
  CHECK_FALSE(out.stream.write("more"));
  loop.run();
}

TEST_CASE("file stream: run() throws the error of a full device without a listener", "[net]") {
  TestLoop loop;
  Output out(loop, "/dev/full");
  out.stream.write("x");
  CHECK_THROWS_AS(loop.run(), tine::Error);
  loop.run();
}
#endif
