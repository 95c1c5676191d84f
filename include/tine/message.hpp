// The argument of "message" listeners, and the forms that a listener may take it in.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/detail/message_listener.hpp"
#include "tine/handle.hpp"
#include "tine/text.hpp"

namespace tine {

// The argument of "message". Listeners do not see this class: the declared type of a listener's
// first parameter chooses the form.
//
//   const nlohmann::json&   the parsed value, valid during the call. A generic lambda, or a functor
//                           with several operator(), gets this form too
//   nlohmann::json          the value itself, to keep: moved into the last listener, copied for
//                           those before it
//   T, const T&             any type that nlohmann::json converts to with get<T>(). If a message
//                           does not convert, that is an "error" and this listener is not called.
//                           Compiled with -fno-exceptions, nlohmann::json ends the program instead
//   tine::Text              the text as it was received. If no listener needs more, nothing is
//                           parsed
//
// A second parameter, a tine::Handle, is the handle sent with the message: see handle.hpp. It may
// be a tine::SharedBuffer instead, which is empty if something else or nothing was sent.
//
// Node: the `message` argument, followed by `sendHandle`.
class TINE_EXPORT Message {
 public:
  // A message for one delivery: `value` may be moved from. `value` is null if it was not parsed. If
  // the text is null, it is written from the value when a listener takes it.
  Message(std::string_view text, nlohmann::json* value, Handle handle = {})
      : text_(text), value_(value), handle_(std::move(handle)) {}

  Text text() const {
    if (text_.data() == nullptr) write_text();
    return {text_};
  }
  const nlohmann::json& value() const { return *value_; }

  // The handle sent with the message; empty if there is none.
  const Handle& handle() const { return handle_; }

  // Returns the same message, for an object that passes it on to listeners of its own.
  Message again() const { return {text_, value_, handle_}; }

  // Returns the value to keep: moved out for the last listener, copied for the others.
  nlohmann::json take();

  void before_last_listener() { last_listener_ = true; }

  // Records that a listener could not be called, and why.
  void does_not_convert(std::string reason) { failures_.push_back(std::move(reason)); }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  void write_text() const;

  mutable std::string_view text_;
  mutable std::shared_ptr<const std::string> written_;  // the text, unless it was received
  nlohmann::json* value_;
  Handle handle_;
  bool last_listener_ = false;
  std::vector<std::string> failures_;
};

}  // namespace tine
