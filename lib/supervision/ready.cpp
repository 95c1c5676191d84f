#include "tine/ready.hpp"

#include <utility>

#include "supervision/readiness.hpp"

namespace tine {

using supervision::Readiness;

namespace {

std::shared_ptr<const Readiness> readiness(std::string method, nlohmann::json value) {
  return std::make_shared<const Readiness>(Readiness{std::move(value), std::move(method)});
}

}  // namespace

Ready::Ready(std::shared_ptr<const Readiness> how) : how_(std::move(how)) {}

Ready Ready::message(const nlohmann::json& expected) { return Ready(readiness("", expected)); }
Ready Ready::built_message(const Object& expected) { return message(nlohmann::json(expected)); }
Ready Ready::built_message(const Array& expected) { return message(nlohmann::json(expected)); }

Ready Ready::request(std::string method) { return request(std::move(method), nlohmann::json()); }
Ready Ready::request(std::string method, const nlohmann::json& params) {
  return Ready(readiness(std::move(method), params));
}
Ready Ready::built_request(std::string method, const Object& params) {
  return request(std::move(method), nlohmann::json(params));
}
Ready Ready::built_request(std::string method, const Array& params) {
  return request(std::move(method), nlohmann::json(params));
}

}  // namespace tine
