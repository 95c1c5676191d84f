// The other end of a channel, without the library: bytes on a socket.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

// One end of a socket pair. Calls block, but not beyond a deadline, which fails the test.
class RawPeer {
 public:
  // Makes the pair; the caller owns `other`.
  explicit RawPeer(int& other);
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { close(); }

  // Writes all bytes. The test fails if the socket does not take them at once.
  void write(std::string_view bytes);
  // Writes as many bytes as the socket takes at once, and returns their number.
  std::size_t write_some(std::string_view bytes);
  // Writes all bytes, even if the other end takes long to read them.
  void write_all(std::string_view bytes);
  // Writes all bytes at once. The descriptors go with the first byte.
  void write_with_descriptors(std::string_view bytes, const std::vector<int>& descriptors);
  void write_with_descriptor(std::string_view bytes, int descriptor) {
    write_with_descriptors(bytes, {descriptor});
  }

  // Returns all bytes that can be read now, which may be none.
  std::string read_available();
  // Returns at most `most` of the bytes that can be read now.
  std::string read_some(std::size_t most);
  // Reads as many bytes as `bytes` has. The test fails if they differ from `bytes`.
  void expect(std::string_view bytes);
  // Reads until `text` has come, or until EOF.
  std::string read_until(std::string_view text);
  // Reads up to EOF.
  std::string read_to_end();
  // Returns whether the other end is closed and nothing is left to read.
  bool at_end();

  // The descriptors that came with the bytes that were read. close() closes them too.
  const std::vector<int>& descriptors() const { return came_; }
  void close_descriptors();

  // Waits until the other end has read all bytes that were written.
  void await_taken();
  bool all_taken();

  void half_close();
  void refuse_reading();
  void close();

 private:
  ssize_t receive(char* to, std::size_t most, int flags);

  int fd_ = -1;
  std::vector<int> came_;
};

// Waits until poll() reports one of these events.
void await_event(int fd, short events);

// Waits for a child of this process to end. Returns its exit code, or the signal as a negative
// number.
int await_exit(int pid);

// A program of test/programs whose parent is a RawPeer. The destructor kills and reaps it.
class RawParent {
 public:
  // In the environment, `before` comes before the channel's variable and `after` comes after it.
  explicit RawParent(const std::string& program, const std::vector<std::string>& args = {},
                     const std::vector<std::string>& before = {},
                     const std::vector<std::string>& after = {});
  RawParent(const RawParent&) = delete;
  RawParent& operator=(const RawParent&) = delete;
  ~RawParent();

  RawPeer& channel() { return channel_; }
  int pid() const { return pid_; }
  void kill(int signal);
  // Stops the program (SIGSTOP), and returns when it is stopped.
  void stop();

  // Waits for the program's end, as await_exit() does.
  int wait();

 private:
  int other_ = -1;
  RawPeer channel_;
  int pid_ = -1;
};
