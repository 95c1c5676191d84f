// The other end of a channel, by hand: bytes on a socket, nothing of the library's.
#pragma once

#include <string>
#include <string_view>

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
  // With a descriptor beside it.
  void write_with_descriptor(std::string_view bytes, int descriptor);

  // What is there now; empty if nothing is.
  std::string read_available();
  // No more than that.
  std::string read_some(std::size_t most);
  // Up to the end of the stream.
  std::string read_to_end();
  // Whether the other end is closed, and nothing is left to read.
  bool at_end();

  void half_close();
  void refuse_reading();
  void close();

 private:
  int fd_ = -1;
};
