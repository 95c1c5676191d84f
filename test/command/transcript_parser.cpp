#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "command/parse.hpp"
#include "command/script/transcript_update.hpp"
#include "support/catch.hpp"

using namespace tine::command;
using namespace std::chrono_literals;
using Kind = Step::Kind;
using Words = std::vector<std::string>;

TEST_CASE("transcript: each statement is read", "[command]") {
  const auto transcript = parse(R"(# a comment
fork ./child one "two three" ${HOME_OF_TEST}/x

> {"n":
   1}
< any
<* 1
<*2
< disconnect
stdout "line"
quiet 20ms
kill
kill SIGUSR1
disconnect
exit 3
exit SIGKILL
exit any)");
  const auto& steps = transcript.steps;
  std::vector<Kind> kinds;
  for (const Step& step : steps) kinds.push_back(step.kind);
  CHECK(kinds == std::vector<Kind>{Kind::fork, Kind::send, Kind::receive, Kind::receive_any_order,
                                   Kind::receive_any_order, Kind::expect_disconnect,
                                   Kind::expect_stdout, Kind::quiet, Kind::kill, Kind::kill,
                                   Kind::disconnect, Kind::exit, Kind::exit, Kind::exit});
  CHECK(steps[0].options.child == "./child");
  CHECK(steps[0].options.args == Words{"one", "two three", "/home/test/x"});
  CHECK(steps[1].line == 4);
  CHECK(steps[1].source == "> {\"n\":\n   1}");
  CHECK(steps[2].line == 6);
  CHECK(steps[4].pattern.value == 2);
  CHECK(steps[7].quiet == 20ms);
  CHECK(steps[8].signal == SIGTERM);
  CHECK(steps[9].signal == SIGUSR1);
  CHECK(steps[11].status == tine::ExitStatus{.code = 3});
  CHECK(steps[12].status == tine::ExitStatus{.signal = SIGKILL});
  CHECK_FALSE(steps[13].status);
}

TEST_CASE("transcript: a call and what is expected of it may share a statement", "[command]") {
  const auto transcript = parse(R"(a: fork ./x
a: call add {"n": 1} => 2
a: call "a method"
   progress 1
   => error any
a: call progress 1
a: cancel
a: progress 2 => 3
a: call plain => null)");
  const auto& steps = transcript.steps;
  std::vector<Kind> kinds;
  std::string joined;
  std::vector<std::size_t> lines;
  for (const Step& step : steps) {
    kinds.push_back(step.kind);
    joined += step.joined ? '+' : '.';
    lines.push_back(step.line);
    CHECK(step.child == "a");
  }
  CHECK(kinds == std::vector<Kind>{Kind::fork, Kind::call, Kind::expect_result, Kind::call,
                                   Kind::expect_progress, Kind::expect_error, Kind::call,
                                   Kind::cancel, Kind::expect_progress, Kind::expect_result,
                                   Kind::call, Kind::expect_result});
  CHECK(joined == "..+.++...+.+");
  CHECK(lines == std::vector<std::size_t>{1, 2, 2, 3, 4, 5, 6, 7, 8, 8, 9, 9});
  const auto text_of = [&](const Step& step) {
    return transcript.text.substr(step.begin, step.end - step.begin);
  };
  CHECK(steps[1].method == "add");
  CHECK(steps[1].source == "a: call add {\"n\": 1} => 2");
  CHECK(text_of(steps[1]) == "a: call add {\"n\": 1}");
  CHECK(text_of(steps[2]) == "=> 2");
  CHECK(steps[3].method == "a method");
  CHECK(steps[3].pattern.kind == Pattern::Kind::any);
  CHECK(text_of(steps[3]) == "a: call \"a method\"");
  CHECK(steps[6].method == "progress");
  CHECK(steps[6].pattern.value == 1);
}

TEST_CASE("transcript: the written name of each signal can be read", "[command]") {
  CHECK(signal_name(SIGTERM) == "SIGTERM");
  for (int signal = 1; signal < NSIG; ++signal) {
    const std::string name = signal_name(signal);
    CAPTURE(name);
    CHECK(signal_number(name) == signal);
    CHECK(parse("fork ./x\nexit " + name).steps[1].status == tine::ExitStatus{.signal = signal});
  }
  for (const std::string name :
       {"SIG", "SIG0", "SIG-1", "SIG1000", "SIG9x", "SIG 9", "9", "TERM"}) {
    CAPTURE(name);
    CHECK_FALSE(signal_number(name));
  }
}

TEST_CASE("transcript: settings apply from the line where they stand", "[command]") {
  const auto transcript = parse(R"(a: fork ./x
env A=1 B="2 3"
env C
cwd sub
exec node --flag
deadline 200ms
deadline all 2m
serialization advanced
b: fork ./x
exec
cwd
deadline 3s
serialization json
c: fork ./x)");
  const auto& steps = transcript.steps;
  CHECK(transcript.deadline == 2min);
  CHECK(steps[0].child == "a");
  CHECK(steps[0].options.env.empty());
  CHECK(steps[0].options.serialization == tine::Serialization::json);
  CHECK(steps[1].options.env == Words{"A=1", "B=\"2", "3\"", "C"});
  CHECK(steps[1].options.cwd == "sub");
  CHECK(steps[1].options.exec_path == "node");
  CHECK(steps[1].options.exec_args == Words{"--flag"});
  CHECK(steps[1].deadline == 200ms);
  CHECK(steps[1].options.serialization == tine::Serialization::advanced);
  CHECK(steps[2].options.exec_path.empty());
  CHECK(steps[2].options.cwd.empty());
  CHECK(steps[2].deadline == 3s);
  CHECK(steps[2].options.serialization == tine::Serialization::json);
}

TEST_CASE("transcript: a child may have the name of a statement", "[command]") {
  const auto transcript = parse("env: fork ./x\nenv: > 1\nexit: fork ./y\nexit: exit 0\n");
  CHECK(transcript.steps[1].child == "env");
  CHECK(transcript.steps[3].child == "exit");
  CHECK(transcript.steps[3].kind == Kind::exit);
}

TEST_CASE("transcript: variables are replaced", "[command]") {
  const auto args = [](const std::string& text) {
    return parse("fork ./x " + text).steps[0].options.args;
  };
  CHECK(args("${NONE:-other}") == Words{"other"});
  CHECK(args("${HOME_OF_TEST:-other}y") == Words{"/home/testy"});
  CHECK(args("${NONE:-} a") == Words{"a"});
  CHECK(args("\"${NONE:-}\" a") == Words{"", "a"});
  CHECK(args("$x $ {") == Words{"$x", "$", "{"});
}

TEST_CASE("transcript: line ends, byte order marks and blanks of other editors are accepted",
          "[command]") {
  const auto transcript = parse(
      "\xef\xbb\xbf"
      "fork ./x\r\n> [1,\r\n\t2]\r\n< any  \r\n\r\n   \nexit 0");
  REQUIRE(transcript.steps.size() == 4);
  CHECK(transcript.steps[0].options.child == "./x");
  CHECK(transcript.steps[2].line == 4);
  CHECK(transcript.steps[3].line == 7);
}

TEST_CASE("transcript: an update keeps byte order marks and line ends", "[command]") {
  const auto transcript = parse(
      "\xef\xbb\xbf"
      "fork ./x\r\n> 1\r\n< 2\r\n# end");
  TranscriptUpdate update;
  update.replace(0, "fork ./y");
  update.remove(1);
  update.replace(2, "< 3");
  CHECK(update.applied(transcript) ==
        "\xef\xbb\xbf"
        "fork ./y\r\n< 3\r\n# end");
}

TEST_CASE("transcript: an update puts steps on lines of their own only if it must", "[command]") {
  const auto transcript = parse("a: fork ./x\r\na: call f 1 progress 2\r\n  => 3\r\n# end");
  TranscriptUpdate in_place;
  in_place.replace(2, "progress 4");
  CHECK(in_place.applied(transcript) == "a: fork ./x\r\na: call f 1 progress 4\r\n  => 3\r\n# end");
  TranscriptUpdate removal = in_place;
  removal.remove(3);
  CHECK(removal.applied(transcript) == "a: fork ./x\r\na: call f 1\r\na: progress 4\r\n# end");
  TranscriptUpdate insertion;
  insertion.insert_before(3, "a: < 5");
  CHECK(insertion.applied(transcript) ==
        "a: fork ./x\r\na: call f 1\r\na: progress 2\r\na: < 5\na: => 3\r\n# end");
}

TEST_CASE("transcript: an empty text is a transcript", "[command]") {
  CHECK(parse("").steps.empty());
  CHECK(parse("\n# x\n").steps.empty());
}

TEST_CASE("transcript: a text that is cut anywhere is read, or its error is within it",
          "[command]") {
  const std::string text = R"(env A=1
a: fork ./x "q" ${HOME_OF_TEST}
a: > {"n": [1, "x\n"], "m": {}}
a: < {"id": $id=number, "r": /a\/b/i, ...}
a: <* [$id, ...]
a: stdout any
deadline 2s
a: kill SIGTERM
a: exit any
)";
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  std::size_t refused = 0;
  for (std::size_t size = 0; size <= text.size(); ++size) {
    try {
      parse(text.substr(0, size));
    } catch (const TranscriptError& error) {
      ++refused;
      CHECK(error.position.line <= lines);
      CHECK(error.position.column <= 50);
    }
  }
  CHECK(refused > 50);
}
