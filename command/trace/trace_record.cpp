#include "command/trace/trace_record.hpp"

#include <nlohmann/json.hpp>

namespace tine::command {

using OrderedJson = nlohmann::ordered_json;

std::optional<TraceRecord> read_trace_record(std::string_view line) {
  try {
    const OrderedJson json = OrderedJson::parse(line);
    TraceRecord record;
    json.at("time").get_to(record.time);
    json.at("pid").get_to(record.pid);
    if (json.contains("peer")) record.peer = json.at("peer").get<int>();
    json.at("channel").get_to(record.channel);
    record.out = json.at("direction") == "out";
    json.at("size").get_to(record.size);
    json.at("queued").get_to(record.queued);
    record.internal = json.value("internal", false);
    record.bad = json.contains("bad");
    if (record.bad) {
      json.at("bad").get_to(record.message);
    } else if (json.contains("text")) {
      json.at("text").get_to(record.message);
    } else {
      record.message =
          json.at("message").dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
    }
    return record;
  } catch (const OrderedJson::exception&) {
    return std::nullopt;
  }
}

}  // namespace tine::command
