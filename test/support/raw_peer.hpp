// The other end of a channel, by hand: bytes on a socket, nothing of the library's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

// One end of a socket pair. Blocking, with a deadline that fails the test.
class RawPeer {
 public:
  // Makes the pair; the caller owns `other`.
  explicit RawPeer(int& other);
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { close(); }

  // What the socket takes at once must be all.
  void write(std::string_view bytes);
  // As much as the socket takes at once.
  std::size_t write_some(std::string_view bytes);
  // All, however long the other end takes.
  void write_all(std::string_view bytes);
  // With descriptors beside the first byte, at once.
  void write_with_descriptors(std::string_view bytes, const std::vector<int>& descriptors);
  void write_with_descriptor(std::string_view bytes, int descriptor) {
    write_with_descriptors(bytes, {descriptor});
  }

  // What is there now; empty if nothing is.
  std::string read_available();
  // No more than that.
  std::string read_some(std::size_t most);
  // Reads as many bytes as these are, which they must be.
  void expect(std::string_view bytes);
  // Until `text` has come, or the end of the stream.
  std::string read_until(std::string_view text);
  // Up to the end of the stream.
  std::string read_to_end();
  // Whether the other end is closed, and nothing is left to read.
  bool at_end();

  // Those that came beside what was read, which are closed in the end.
  const std::vector<int>& descriptors() const { return came_; }
  void close_descriptors();

  // Until the other end has read all that was written.
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

// Waits for a child of this process to end: its exit code, or the signal as a negative number.
int await_exit(int pid);

// A program of test/programs that has a RawPeer for its parent. Killed and waited for when this goes.
class RawParent {
 public:
  // Of the environment, `before` comes before the channel's variable, `after` behind it.
  explicit RawParent(const std::string& program, const std::vector<std::string>& args = {},
                     const std::vector<std::string>& before = {},
                     const std::vector<std::string>& after = {});
  RawParent(const RawParent&) = delete;
  RawParent& operator=(const RawParent&) = delete;
  ~RawParent();

  RawPeer& channel() { return channel_; }
  int pid() const { return pid_; }
  void kill(int signal);
  // Stops it (SIGSTOP), and returns when it is stopped.
  void stop();

  // For the program's end, as await_exit().
  int wait();

 private:
  int other_ = -1;
  RawPeer channel_;
  int pid_ = -1;
};
