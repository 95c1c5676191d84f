// A C++ editor, whose language servers are those of vscode-langservers-extracted.
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../package.hpp"

namespace {

// A document with an error, and what the server of its language says about that.
struct Document {
  std::string language;
  std::string text;
  std::string error;
};

// A server that is started, told of a document, and ended when it has said what is wrong there.
class Session {
 public:
  Session(TestLoop& loop, Document document)
      : server_(loop, program(document.language), {"--node-ipc"}), document_(std::move(document)) {
    // What a server asks the editor.
    server_.rpc.on_request("workspace/configuration", [this](const json& params) {
      asked_.insert("workspace/configuration");
      return json(params.at("items").size(), json::object());
    });
    server_.rpc.on_request("client/registerCapability",
                           [this](const json&) { asked_.insert("client/registerCapability"); });
    server_.rpc.on_notification("textDocument/publishDiagnostics", [this](const json& params) {
      published_.push_back(params);
      shut_down();
    });
    const json capabilities{{"workspace", {{"configuration", true}, {"workspaceFolders", true}}}};
    server_.rpc
        .request("initialize",
                 {{"processId", nullptr}, {"rootUri", nullptr}, {"capabilities", capabilities}})
        .then([this](const tine::Result<>& result) { open(result.value()); });
  }

  void check() {
    INFO(document_.language);
    CHECK(server_.wait() == tine::ExitStatus{.code = 0});
    REQUIRE(published_.size() == 1);
    CHECK(published_[0]["uri"] == uri());
    REQUIRE_FALSE(published_[0]["diagnostics"].empty());
    CHECK(published_[0]["diagnostics"][0]["message"] == document_.error);
    CHECK(server_.error("shutdown").code() == Errc::channel_closed);
  }

  // Returns the methods that the server has asked for.
  const std::set<std::string>& asked() const { return asked_; }

 private:
  static std::string program(const std::string& language) {
    return installed("vscode-langservers-extracted/bin/vscode-" + language + "-language-server");
  }

  std::string uri() const { return "file:///document." + document_.language; }

  void open(const json& result) {
    CHECK(result["capabilities"]["hoverProvider"] == true);
    server_.rpc.notify("initialized", json::object());
    server_.rpc.notify("textDocument/didOpen", {{"textDocument",
                                                 {{"uri", uri()},
                                                  {"languageId", document_.language},
                                                  {"version", 1},
                                                  {"text", document_.text}}}});
  }

  void shut_down() {
    server_.rpc.request("shutdown").then([this](const tine::Result<>& result) {
      CHECK(result.value() == nullptr);
      server_.rpc.notify("exit");
    });
  }

  Package server_;
  Document document_;
  std::vector<json> published_;
  std::set<std::string> asked_;
};

}  // namespace

// All at the same time, because each waits half a second before it looks at a document.
TEST_CASE("language servers: a C++ editor hears what is wrong in a document", "[peers]") {
  TestLoop loop;
  Session of_json(loop, {"json", R"({"a": 1,})", "Trailing comma"});
  Session of_css(loop, {"css", "a { color: red", "semi-colon expected"});
  Session of_html(loop, {"html", "<style>a { color: red</style>", "semi-colon expected"});
  loop.run();
  of_json.check();
  of_css.check();
  of_html.check();
  CHECK(of_css.asked() == std::set<std::string>{"workspace/configuration"});
  CHECK(of_html.asked() ==
        std::set<std::string>{"client/registerCapability", "workspace/configuration"});
}
