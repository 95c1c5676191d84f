#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tine/rpc.hpp"

namespace tine::rpc {

// The handlers of a channel end, by method. Whoever calls one holds it meanwhile: it may be replaced or
// removed by what it calls.
class Handlers {
 public:
  void set(const std::string& method, Handler handler);
  void set(const std::string& method, NotificationListener listener);
  void set_fallback(Fallback handler);
  // Returns false if the method has none.
  bool remove(std::string_view method);
  void clear() noexcept;

  bool any() const { return !requests_.empty() || !notifications_.empty() || fallback_; }

  // Return null if there is none.
  std::shared_ptr<const Handler> of_request(std::string_view method) const;
  std::shared_ptr<const NotificationListener> of_notification(std::string_view method) const;
  const std::shared_ptr<const Fallback>& fallback() const { return fallback_; }

 private:
  template <class F>
  using Table = std::map<std::string, std::shared_ptr<const F>, std::less<>>;

  Table<Handler> requests_;
  Table<NotificationListener> notifications_;
  std::shared_ptr<const Fallback> fallback_;
};

}  // namespace tine::rpc
