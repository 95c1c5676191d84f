#include "rpc/error_details.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tine {

namespace rpc {

namespace {

struct CodePair {
  int number;
  Errc code;
};
constexpr std::array code_pairs{
    CodePair{invalid_request, Errc::invalid_request},
    CodePair{method_not_found, Errc::method_not_found},
    CodePair{invalid_params, Errc::invalid_params},
    CodePair{internal_error, Errc::internal_error},
    CodePair{request_cancelled, Errc::aborted},
};

Errc code_of(int number) {
  const auto pair = std::find_if(code_pairs.begin(), code_pairs.end(),
                                 [&](const CodePair& one) { return one.number == number; });
  return pair == code_pairs.end() ? Errc::remote_error : pair->code;
}

int number_of(std::error_code code) {
  const auto pair = std::find_if(code_pairs.begin(), code_pairs.end(),
                                 [&](const CodePair& one) { return code == one.code; });
  return pair == code_pairs.end() ? internal_error : pair->number;
}

}  // namespace

RpcError ErrorDetails::from_peer(Failure failure) {
  const Errc code = code_of(failure.code);
  const std::string text = failure.message;
  return {code, text, std::make_shared<const ErrorDetails>(ErrorDetails{std::move(failure)})};
}

RpcError ErrorDetails::from_refusal(const Error& refusal) {
  ErrorDetails details{.failure = {.message = refusal.what()}};
  return {refusal.code(), "", std::make_shared<const ErrorDetails>(std::move(details))};
}

RpcError ErrorDetails::channel_closed(std::optional<ExitStatus> exit_status) {
  std::string text = "a request was not answered";
  if (exit_status) text += "; the child has ended: " + to_string(*exit_status);
  ErrorDetails details{.exit_status = std::move(exit_status)};
  return {Errc::channel_closed, text, std::make_shared<const ErrorDetails>(std::move(details))};
}

Failure failure_of(const RpcError& error) {
  const int number = error.remote_code() != 0 ? error.remote_code() : number_of(error.code());
  return {number, error.what(), error.data()};
}

}  // namespace rpc

RpcError::RpcError(std::error_code code, const std::string& text,
                   std::shared_ptr<const rpc::ErrorDetails> details)
    : Error(text.empty() ? Error(code) : Error(code, text)), details_(std::move(details)) {}

RpcError::RpcError(int remote_code, std::string message)
    : RpcError(rpc::ErrorDetails::from_peer({remote_code, std::move(message)})) {}

RpcError::RpcError(int remote_code, std::string message, const nlohmann::json& data)
    : RpcError(rpc::ErrorDetails::from_peer({remote_code, std::move(message), data})) {}

int RpcError::remote_code() const { return details_ ? details_->failure.code : 0; }

const nlohmann::json& RpcError::data() const {
  static const nlohmann::json nothing;
  return details_ ? details_->failure.data : nothing;
}

std::optional<ExitStatus> RpcError::exit_status() const {
  return details_ ? details_->exit_status : std::nullopt;
}

const char* RpcError::what() const noexcept {
  const bool has_text = details_ && !details_->failure.message.empty();
  return has_text ? details_->failure.message.c_str() : Error::what();
}

void RpcError::raise() const { throw *this; }

}  // namespace tine
