#include <string>

#include "command/parse.hpp"
#include "support/catch.hpp"

using namespace tine::command;

namespace {

// Returns "line:column: reason", or "none".
std::string error_of(const std::string& text) {
  try {
    parse(text);
  } catch (const TranscriptError& error) {
    return std::to_string(error.position.line) + ":" + std::to_string(error.position.column) +
           ": " + error.what();
  }
  return "none";
}

// Returns the same for a statement after a fork.
std::string error_after_fork(const std::string& statement) {
  return error_of("fork ./x\n" + statement);
}

}  // namespace

TEST_CASE("transcript errors: statements", "[command]") {
  CHECK(error_of("frok ./x") == "1:1: \"frok\" is no statement");
  CHECK(error_of("?") == "1:1: expected a statement");
  CHECK(error_of(" fork ./x") == "1:1: a statement does not begin with a blank");
  CHECK(error_of("\n# x\n goes on") ==
        "3:1: this goes on with no statement: it begins with a blank");
  CHECK(error_of("fork") == "1:5: expected the program to fork");
  CHECK(error_of("fork \"./x\"y") == "1:11: expected a blank behind the string");
  CHECK(error_of("fork \"./x") == "1:6: a string without end");
  CHECK(error_of("fork ./x \x01") == "1:10: a control character");
  CHECK(error_of("fork ./x \"\\u0000\"") == "1:10: a NUL cannot be passed on");
  CHECK(error_of("fork ./x ${NONE}") == "1:10: ${NONE} is not set");
  CHECK(error_of("fork ./x ${NONE") == "1:10: \"${\" without \"}\"");
  CHECK(error_of("fork/x") == "1:5: expected a blank");
  CHECK(error_after_fork("disconnect now") == "2:12: this is too much");
  CHECK(error_after_fork("kill SIGNONE") == "2:6: this is no signal; SIGTERM is one");
}

TEST_CASE("transcript errors: serializations", "[command]") {
  CHECK(error_of("serialization") == "1:14: expected json or advanced");
  CHECK(error_of("serialization Advanced") == "1:15: expected json or advanced");
  CHECK(error_of("serialization json x") == "1:20: this is too much");
}

TEST_CASE("transcript errors: children", "[command]") {
  CHECK(error_of("> 1") == "1:1: there is no child without a name here: none was forked above");
  CHECK(error_of("a: fork ./x\nb: > 1") == "2:1: no child \"b\" was forked above");
  CHECK(error_of("a: fork ./x\na: fork ./y") == "2:9: there is a child \"a\" already");
  CHECK(error_after_fork("fork ./y") ==
        "2:6: there is a child without a name already: give this one a name");
  CHECK(error_of("a: fork ./x\nquiet 1s\n") == "none");
}

TEST_CASE("transcript errors: calls", "[command]") {
  CHECK(error_of("call add") ==
        "1:1: there is no child without a name here: none was forked above");
  CHECK(error_after_fork("call") == "2:5: expected the method to call");
  CHECK(error_after_fork("call add any") == "2:10: \"any\" is no JSON");
  CHECK(error_after_fork("call add 1 2") == "2:12: this is too much");
  CHECK(error_after_fork("call add =>") == "2:12: expected JSON or a placeholder");
  CHECK(error_after_fork("call add => error") == "2:18: expected JSON or a placeholder");
  CHECK(error_after_fork("call add progress") == "2:18: expected JSON or a placeholder");
  CHECK(error_after_fork("call add => 1 => 1") == "2:15: this is too much");
  CHECK(error_after_fork("call add => [$a=any]\ncall add $a => $a") == "none");
  const std::string none = "no call above waits for its answer";
  CHECK(error_after_fork("=> 1") == "2:1: " + none);
  CHECK(error_after_fork("progress 1") == "2:1: " + none);
  CHECK(error_after_fork("cancel") == "2:1: " + none);
  CHECK(error_after_fork("call add => 1\n=> 1") == "3:1: " + none);
  CHECK(error_after_fork("call add\na: fork ./y\na: => 1") == "4:1: " + none);
}

TEST_CASE("transcript errors: times and ends", "[command]") {
  const std::string time = "expected a time, as 200ms, 2s or 1m";
  CHECK(error_of("deadline") == "1:9: " + time);
  CHECK(error_of("deadline 2") == "1:10: " + time);
  CHECK(error_of("deadline 2h") == "1:10: " + time);
  CHECK(error_of("deadline all s") == "1:14: " + time);
  CHECK(error_of("deadline 999999999999s") == "1:10: " + time);
  const std::string end = "expected a code from 0 to 255, a signal or any";
  CHECK(error_after_fork("exit") == "2:5: expected a code, a signal or any");
  CHECK(error_after_fork("exit 256") == "2:6: " + end);
  CHECK(error_after_fork("exit -1") == "2:6: " + end);
  CHECK(error_after_fork("exit 0x") == "2:6: " + end);
}

TEST_CASE("transcript errors: JSON and patterns", "[command]") {
  CHECK(error_after_fork(">") == "2:2: expected JSON");
  CHECK(error_after_fork("<") == "2:2: expected JSON or a placeholder");
  CHECK(error_after_fork("> {\"a\" 1}") == "2:8: expected ':'");
  CHECK(error_after_fork("> {a: 1}") == "2:4: expected the name of a member, in quotes");
  CHECK(error_after_fork("> [1 2]") == "2:6: expected ',' or ']'");
  CHECK(error_after_fork("> [1,]") == "2:6: a comma with nothing behind it");
  CHECK(error_after_fork("> [1") == "2:5: expected ',' or ']'");
  CHECK(error_after_fork("> \"\xc3\xbc\", 1") == "2:6: this is too much");
  CHECK(error_after_fork("> 01") == "2:4: this is no JSON: 01");
  CHECK(error_after_fork("> 1e999") == "2:3: this number is too large");
  CHECK(error_after_fork("> \"\\x\"") == "2:5: this is no JSON: \"\\x\"");
  CHECK(error_after_fork("> any") == "2:3: \"any\" is no JSON");
  CHECK(error_after_fork("> /x/") == "2:3: expected JSON");
  CHECK(error_after_fork("> [...]") == "2:4: expected JSON");
  CHECK(error_after_fork("< nothing") == "2:3: \"nothing\" is neither JSON nor a placeholder");
  CHECK(error_after_fork("< [..., 1]") == "2:7: \"...\" stands last: expected ']'");
  CHECK(error_after_fork("< {\"a\": 1,\n \"a\": 2}") == "3:2: this member is there twice");
  CHECK(error_after_fork("< /x") == "2:3: a regular expression without end");
  CHECK(error_after_fork("< /(/") == "2:3: this is no regular expression of ECMAScript");
  CHECK(error_after_fork("< /" + std::string(1001, 'x') + "/") ==
        "2:3: this regular expression is too long");
  CHECK(error_after_fork("< /a{123456}/") ==
        "2:3: a number in this regular expression is too long");
  CHECK(error_after_fork("stdout 1") == "2:8: expected a string, a regular expression or any");
  CHECK(error_after_fork("> " + std::string(300, '[')).ends_with(": nested too deeply"));
}

TEST_CASE("transcript errors: captured values", "[command]") {
  CHECK(error_after_fork("> $id") == "2:3: $id was not captured above");
  CHECK(error_after_fork("< [$id=any, $id]") == "2:13: $id was not captured above");
  CHECK(error_after_fork("< [$id=any, $id=any]") == "2:13: $id is captured twice");
  CHECK(error_after_fork("< $a=$b=any") == "2:3: one value with two names");
  CHECK(error_after_fork("< $") == "2:4: expected the name of a captured value");
  CHECK(error_after_fork("<* $a=any\n<* $a") == "3:4: $a was not captured above");
  CHECK(error_after_fork("<* $a=any\n<* any\n> $a") == "none");
  CHECK(error_after_fork("< $a=any\n< $a=any\n> $a") == "none");
}
