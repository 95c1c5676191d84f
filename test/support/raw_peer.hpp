// The other end of a channel, by hand: bytes on a socket, without the library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

// One end of a socket pair. Calls block, up to a deadline that fails the test.
class RawPeer {
 public:
  // Makes the pair; the caller owns `other`.
  explicit RawPeer(int& other);
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { close(); }

  // Writes all bytes. The test fails if the socket does not take them at once.
  void write(std::string_view bytes);
  // Writes as much as the socket takes at once; returns how much that is.
  std::size_t write_some(std::string_view bytes);
  // Writes all bytes, however long the other end takes.
  void write_all(std::string_view bytes);
  // Writes all bytes at once, with descriptors beside the first byte.
  void write_with_descriptors(std::string_view bytes, const std::vector<int>& descriptors);
  void write_with_descriptor(std::string_view bytes, int descriptor) {
    write_with_descriptors(bytes, {descriptor});
  }

  // Returns all that can be read now; empty if there is nothing.
  std::string read_available();
  // Returns at most `most` bytes of what can be read now.
  std::string read_some(std::size_t most);
  // Reads as many bytes as `bytes` has. The test fails if they differ from `bytes`.
  void expect(std::string_view bytes);
  // Reads until `text` has come, or EOF.
  std::string read_until(std::string_view text);
  // Reads up to EOF.
  std::string read_to_end();
  // Whether the other end is closed, and nothing is left to read.
  bool at_end();

  // The descriptors that came beside the bytes that were read. close() closes them too.
  const std::vector<int>& descriptors() const { return came_; }
  void close_descriptors();

  // Waits until the other end has read all that was written.
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

// Waits for a child of this process to end. Returns its exit code, or the signal as a negative
// number.
int await_exit(int pid);

// A program of test/programs whose parent is a RawPeer. The destructor kills and reaps it.
class RawParent {
 public:
  // In the environment, `before` stands before the channel's variable, and `after` behind it.
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
