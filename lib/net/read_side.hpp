#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "uv/stream.hpp"

namespace tine::net {

// The reading half of a byte stream: whether bytes may come, whether they are wanted, and those
// that were read and not delivered yet. It decides how the stream is to read, but reads nothing.
class ReadSide {
 public:
  using Reading = uv::Stream::Reading;

  // Bytes may come from now on. `unwanted` is how the stream reads while nobody wants bytes.
  void open(Reading unwanted) noexcept {
    open_ = true;
    unwanted_ = unwanted;
  }
  // No more bytes will come. Those that are held may still be delivered.
  void end() noexcept { open_ = false; }
  // No more bytes will come or be delivered.
  void destroy() noexcept {
    open_ = false;
    held_ = 0;
  }
  bool is_open() const { return open_; }

  // What the user asks for. Until then, bytes are delivered while somebody listens for them.
  void pause() noexcept { flow_ = Flow::paused; }
  void resume() noexcept { flow_ = Flow::resumed; }
  bool paused() const { return flow_ == Flow::paused; }
  // Returns whether bytes are to be delivered.
  bool flowing(bool somebody_listens) const {
    return flow_ == Flow::resumed || (flow_ == Flow::unset && somebody_listens);
  }
  // Returns how the stream is to read. A pause stops it even if it would only watch.
  Reading wanted_reading(bool somebody_listens) const {
    if (flowing(somebody_listens)) return Reading::on;
    return paused() ? Reading::off : unwanted_;
  }

  // Where the next bytes go. None may be held.
  std::span<char> room() {
    if (!room_) room_ = std::make_unique_for_overwrite<char[]>(room_size);
    return {room_.get(), room_size};
  }
  void free_room() noexcept { room_.reset(); }

  // Holds the first bytes of room().
  void hold(std::size_t n) noexcept { held_ = n; }
  std::size_t held() const { return held_; }
  // Returns the bytes that are held, and holds none any more. They are valid until the next read.
  std::string_view take_held() noexcept { return {room_.get(), std::exchange(held_, 0)}; }

 private:
  // unset: neither paused nor resumed yet.
  enum class Flow { unset, paused, resumed };

  // The bytes read at a time. As in Node, it is the capacity of a pipe.
  static constexpr std::size_t room_size = std::size_t{64} << 10;

  bool open_ = false;
  Reading unwanted_ = Reading::off;
  Flow flow_ = Flow::unset;
  std::unique_ptr<char[]> room_;
  std::size_t held_ = 0;
};

}  // namespace tine::net
