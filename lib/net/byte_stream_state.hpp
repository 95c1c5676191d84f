#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "base/error_events.hpp"
#include "net/byte_stream.hpp"
#include "tine/error.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

// The state behind a handle to a byte stream. It emits what the stream reports, and the loop keeps
// it until "close". Listeners must include those of tine::Stream.
template <class Listeners>
class ByteStreamState : public Listeners, public ByteStream::Owner, public uv::Resident {
 public:
  explicit ByteStreamState(uv::LoopCore& core) : Resident(core), bytes_(core, *this) {}

  ByteStream& bytes() { return bytes_; }
  const ByteStream& bytes() const { return bytes_; }

  // Calls `observer` once after "close" was emitted, or at once if it already was. The observer
  // must not run user code. If the loop goes away first, the observer is dropped without a call.
  void when_closed(std::function<void()> observer) {
    if (closed_) return observer();
    observer_ = std::move(observer);
  }

  bool wants_data() const override { return this->template list<"data">().count() > 0; }
  void on_data(std::string_view bytes) override { this->template notify<"data">(bytes); }
  void on_end() override { this->template notify<"end">(); }
  void on_drain() override { this->template notify<"drain">(); }
  void on_close() override { this->template notify<"close">(); }

  void on_error(Error error) override { error_events_.emit(*this, std::move(error)); }

  void on_loss(Error error) override {
    if (error_events_.heard(*this)) on_error(std::move(error));
  }

  void on_closed() override {
    const auto keep = shared_from_this();
    closed_ = true;
    error_events_.remove_listeners(*this);
    core()->release(*this);
    if (const auto observer = std::exchange(observer_, nullptr)) observer();
  }

  void listeners_changed() override {
    check_thread();
    bytes_.listeners_changed();
  }

  void loop_closing() noexcept override {
    const auto keep = shared_from_this();
    bytes_.detach();
    closed_ = true;
    this->clear();
    const auto dropped = std::exchange(observer_, nullptr);
  }

 protected:
  bool closed() const { return closed_; }
  // From now on, drops errors that have no listener, because they are reported elsewhere.
  void drop_errors() { error_events_.drop_unheard(); }

 private:
  ByteStream bytes_;
  std::function<void()> observer_;
  bool closed_ = false;
  base::ErrorEvents error_events_;
};

}  // namespace tine::net
