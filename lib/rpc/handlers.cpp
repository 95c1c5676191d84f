#include "rpc/handlers.hpp"

#include <utility>

namespace tine::rpc {

namespace {

// The old handler is destroyed last, because its captures may use the table.
template <class Table, class F>
void put(Table& table, const std::string& method, F handler) {
  auto added = std::make_shared<const F>(std::move(handler));
  const auto old = std::exchange(table[method], std::move(added));
}

template <class Table>
auto find(const Table& table, std::string_view method) {
  const auto found = table.find(method);
  return found == table.end() ? nullptr : found->second;
}

template <class Table>
auto take(Table& table, std::string_view method) {
  const auto found = table.find(method);
  return found == table.end() ? typename Table::node_type() : table.extract(found);
}

}  // namespace

void Handlers::set(const std::string& method, Handler handler) {
  put(requests_, method, std::move(handler));
}

void Handlers::set(const std::string& method, NotificationListener listener) {
  put(notifications_, method, std::move(listener));
}

void Handlers::set_fallback(Fallback handler) {
  auto added = handler ? std::make_shared<const Fallback>(std::move(handler)) : nullptr;
  const auto old = std::exchange(fallback_, std::move(added));
}

bool Handlers::remove(std::string_view method) {
  const auto request = take(requests_, method);
  const auto notification = take(notifications_, method);
  return request || notification;
}

void Handlers::clear() noexcept {
  const auto requests = std::exchange(requests_, {});
  const auto notifications = std::exchange(notifications_, {});
  const auto fallback = std::exchange(fallback_, nullptr);
}

std::shared_ptr<const Handler> Handlers::of_request(std::string_view method) const {
  return find(requests_, method);
}

std::shared_ptr<const NotificationListener> Handlers::of_notification(
    std::string_view method) const {
  return find(notifications_, method);
}

}  // namespace tine::rpc
