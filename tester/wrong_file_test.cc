// SPDX-License-Identifier: Apache-2.0
// What is wrong with a case is said with its line, what it is, and what would be right.
#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_directory.h"
#include "tester/case.h"

namespace inlay::tester {
namespace {

struct Wrong {
  size_t line;
  std::string_view text;
  std::string_view what;  // and what would be right
};

// Behind each of them stands a step, so that something happens in the case.
constexpr Wrong kWrong[] = {
    {1, "client GET", "a request has a path; the form is: client METHOD PATH"},
    {1, "client get /", "`get` is neither a method nor what a client does; there are: body, trailers,"},
    {1, "client bdy \"x\"", "did you mean `body`?"},
    {1, "client GET / nonsense", "`nonsense` is neither FIELD=VALUE nor \"a body\" nor `chunked`"},
    {1, "client GET / \"a\" \"b\"", "a request has one body; `client body` sends more of it"},
    {1, "client body", "there is nothing to send; the form is: client body \"TEXT\" [end]"},
    {1, "client body x", "`x` is neither \"text\" nor `end`"},
    {1, "client trailers", "trailers have at least one field; the form is: client trailers FIELD=VALUE..."},
    {1, "client trailers x", "`x` is no FIELD=VALUE"},
    {1, "client closes now", "`now` is more than it takes; the form is: client closes"},
    {1, "client", "what a client does is missing; there are: body"},
    {1, "client10 GET /", "`client10` begins no line; one begins with a setting"},
    {1, "wait", "`wait` takes one time: wait 250ms"},
    {1, "wait 5", "`5` is no time; one is: 250ms, 30s, 5m, 1h"},
    {1, "wait 5 s", "`wait` takes one time"},
    {1, "wait -5s", "`-5s` is no time"},
    {1, "wait 1000000h", "`1000000h` is more than a thousand days"},
    {1, "client GET / wait soon", "`soon` is no time"},
    {1, "wiat 5s", "`wiat` begins no line; did you mean `wait`?"},
    {1, "plugn a module=x", "did you mean `plugin`?"},
    {1, "plugin", "the plugin's name is missing; the form is: plugin NAME module=FILE"},
    {1, "plugin module=x", "the plugin's name is missing before `module=x`"},
    {1, "plugin a", "the plugin says nothing of its module: plugin a module=FILE"},
    {1, "plugin a modul=x", "`modul=x` is nothing of a plugin; did you mean `module=`?"},
    {1, "plugin a module=", "`module=` says nothing"},
    {1, "plugin a module=x module=y", "a second `module=`"},
    {1, "plugin a module=x guest=wat", "`module=` and `guest=` say the same"},
    {1, "plugin a guest=puppet", "`guest=` has one value, wat; a file is named with `module=`"},
    {1, "plugin a guest=wat", "`guest=wat` has no module: its text stands indented below"},
    {2, "plugin a module=x\nplugin a module=y", "a second plugin `a`; the first is at wrong.case:1"},
    {1, "plugin a module=x root_id", "did you mean `root_id=`?"},
    {1, "plugin a module=x root_id=a root_id=b", "a second `root_id=`"},
    {1, "plugin a guest=wat imports=log\n  (func)", "`log` says no number of parameters; the form is: imports="},
    {1, "upstream", "the form is: upstream NAME BEHAVIOUR; there are: answers, waits"},
    {1, "upstream auth sings", "`sings` is nothing that an upstream does; there are: answers, waits"},
    {1, "upstream auth answer 200", "did you mean `answers`?"},
    {1, "upstream auth answers", "a status is missing; the form is: upstream NAME answers STATUS"},
    {1, "upstream auth answers 20", "`20` is no status, as 200 is"},
    {1, "upstream auth answers 200 x", "`x` is neither FIELD=VALUE nor \"a body\""},
    {1, "upstream auth answers 200 \"a\" \"b\"", "an answer has one body"},
    {1, "upstream auth waits long", "`long` is more than `waits` takes"},
    {1, "upstream client answers 200", "an upstream cannot have the name `client`"},
    {1, "upstream wait answers 200", "an upstream cannot have the name `wait`"},
    {2, "client GET /\nupstream auth waits", "the upstream `auth` is new here"},
    {2, "client GET /\nupstream origin refuses", "one that answers, waits or resets can change"},
    {1, "auth answers 200", "there is no upstream `auth`; `upstream auth answers 200` makes one"},
    {2, "upstream auth waits\natuh answers 200", "there is no upstream `atuh`; did you mean `auth`?"},
    {1, "origin dances", "`dances` is nothing that an upstream does; there are: answers, head"},
    {1, "origin", "what an upstream does is missing; there are: answers, head"},
    {1, "origin head 200 \"x\"", "a head has neither body nor trailers"},
    {1, "origin answers 2000", "`2000` is no status, as 200 is; the form is: NAME answers STATUS"},
    {2, "about: a\nabout: b", "a second `about:`; a case has one"},
    {1, "about:", "`about:` says nothing"},
    {1, "only: sockets", "the reason is missing; the form is: only: sockets, REASON"},
    {1, "only: envoy, it is", "`envoy` is no way of running a case, which are: in process, sockets, HTTP/1, HTTP/2"},
    {1, "bootstrap:", "`bootstrap:` says nothing"},
    {1, "bootstrap: a b c", "`c` is more than `bootstrap:` takes: FILE [LISTENER]"},
    {1, "bootstrap: a.yaml\nhcm\n  x: 1", "`bootstrap:` is the whole configuration"},
    {2, "bootstrap: a.yaml\nbootstrap: b.yaml", "a second `bootstrap:`"},
    {1, "options", "`options` has none; there are: workers="},
    {1, "options fast", "`fast` is no option; there are: workers="},
    {1, "options workers=0", "`workers=0`: a number from 1 to 16 is expected"},
    {1, "options workers=many", "a number from 1 to 16 is expected"},
    {1, "options call_budget_ms=0", "a number from 1 to 3600000 is expected"},
    {1, "show", "`show` has nothing; there are: start, log, header:"},
    {1, "show stat", "`stat` is nothing to show; did you mean `start`?"},
    {1, "show header:", "the header's name is missing: header:NAME"},
    {1, "stats", "`stats` names no statistic; the form is: stats NAME..."},
    {1, "tcp now", "`now` is more than `tcp` takes"},
    {2, "tcp\ntcp", "a second `tcp`"},
    {1, "listener x", "`x` is more than `listener` takes, which is indented lines of YAML below it"},
    {1, "routes", "`routes` says nothing"},
    {1, "access_log:", "`access_log:` says nothing"},
    {1, "  indented", "an indented line that belongs to nothing: only plugins and YAML have such"},
    {1, " x", "a line that begins with one space; blocks are indented by two"},
    {1, "\tx", "a line that begins with a tab; blocks are indented by two spaces"},
    {1, "client GET / x=\"a", "a quotation mark that has no other"},
    {1, R"(client GET / "\q")", R"(an escape that is none of: \n \r)"},
    {1, "client GET / \"a\"*", "behind a text and `*` stands how often"},
    {1, "client GET / \"aaaaaaaa\"*9999999", "a text of more than 16 MiB"},
    {1, "expect", "what is expected is missing; there are: no, client, upstream"},
    {1, "expect no", "what is expected is missing"},
    {1, "expect nothing", "`nothing` is nothing that can be expected; there are: no, client"},
    {1, "expect clinet status 200", "did you mean `client`?"},
    {1, "expect client", "what of it is missing; there are: status"},
    {1, "expect client stauts 403", "`stauts` is nothing of a message; did you mean `status`?"},
    {1, "expect client status 4", "`4` is no status, as 403 is"},
    {1, "expect client method = GET", "`method` is of requests, and a client gets responses: `expect upstream method`"},
    {1, "expect upstream status 200", "`status` is of responses, and an upstream gets requests"},
    {1, "expect client header", "its name is missing: header NAME [VALUE]"},
    {1, "expect client header x = \"a\" b", "behind the quotation mark that ends the text there is `b`"},
    {1, "expect client body hello", "`hello` is no value, which is: = TEXT or ~ /RE/"},
    {1, "expect client body", "a value is missing: = TEXT or ~ /RE/"},
    {1, "expect client closed now", "`now` is more than `closed` takes"},
    {1, "expect log ~ denied", "a regular expression stands between slashes: ~ /denied/"},
    {1, "expect log ~ /(/", "the regular expression is wrong: missing )"},
    {1, "expect log ~ /a/x", "behind a regular expression there may be `i`"},
    {1, "expect metric", "the metric's name is missing: expect metric NAME = NUMBER"},
    {1, "expect metric a", "a number is missing: = 2, or"},
    {1, "expect metric a 2", "`2` is no comparison, which is: = 2, or"},
    {1, "expect metric a = many", "`many` is no number, nor `absent`"},
    {1, "expect metric a < absent", "`absent` is no number"},
    {1, "expect no metric a = 1", "`expect metric a = absent` does"},
    {1, "expect hazard head_twic", "`head_twic` is no hazard; did you mean `head_twice`?"},
    {1, "expect call", "the cluster's name is missing: expect call NAME"},
    {1, "expect call auth", "there is no upstream `auth`; `upstream auth answers 200` makes one"},
    {2, "upstream auth waits\nexpect no call auth count = 1", "`count != 2` does"},
    {1, "expect trap now", "`now` is more than `trap` takes"},
    {1, "include", "`include` takes one file: include common.case"},
    {1, "include nowhere.case", "its path is relative to the file that includes it"},
    {1, "include wrong.case", "wrong.case includes itself"},
    {1, "let a", "the form is: let NAME = VALUE"},
    {1, "let 1 = 2", "`1` is no name of letters, digits and _"},
    {1, "let a = \"b\" c", "there is more behind the quoted value"},
    {1, "let a = \"b\\n\"", "a value that is filled in has no line ends"},
    {2, "let name = ann\nclient GET /{{nme}}", "there is no parameter `nme` here; did you mean `name`?"},
    {1, "client GET /{{name}}", "there is no parameter `name` here; `let name = ...` above makes one"},
    {1, "rows", "the columns' names are missing: rows path status"},
    {1, "rows\n  1\n  2", "the columns' names are missing: rows path status"},
    {1, "#### expct", "`expct` begins no snapshot; did you mean `#### expect`?"},
    {1, "rows a-b\n  1", "`a-b` is no name of letters, digits and _"},
    {1, "rows a a\n  1 2", "a second column `a`"},
    {1, "rows a", "the table has no rows; each is an indented line"},
    {2, "rows a b\n  1", "the row has 1 values, and the table 2 columns"},
    {3, "rows a\n  1\n  1", "the row stands twice, here and at wrong.case:2"},
    {3, "rows a\n  1\nrows b\n  1", "a second table; a case has one, and the first is at wrong.case:1"},
    {3, "rows a\n  1\nlet a = 2", "`a` is a column of the table"},
};

TEST(WrongFile, IsSaidWithItsLineAndWhatWouldBeRight) {
  for (const Wrong& wrong : kWrong) {
    const auto c = parse_file("wrong.case", std::string(wrong.text) + "\nclient GET /last\n", Dialect::kFilters);
    ASSERT_FALSE(c) << wrong.text;
    EXPECT_EQ(c.error().where, "wrong.case:" + std::to_string(wrong.line)) << wrong.text;
    EXPECT_NE(c.error().message.find(wrong.what), std::string::npos) << wrong.text << "\n" << c.error().message;
    EXPECT_EQ(c.error().message.find('\n'), std::string::npos) << "one mistake\n" << c.error().message;
  }
  EXPECT_GE(std::size(kWrong), 50u);
}

TEST(WrongFile, HasAllItsMistakesSaidAtOnce) {
  const auto c =
      parse_file("a.case", "plugin a\n  text\nwiat 5s\nclient GET /\nexpect client stats 1\n", Dialect::kFilters);
  ASSERT_FALSE(c);
  const std::string all = c.error().to_string();
  EXPECT_NE(all.find("a.case:1: the plugin says nothing of its module"), std::string::npos) << all;
  EXPECT_NE(all.find("\na.case:3: `wiat`"), std::string::npos) << all;
  EXPECT_NE(all.find("\na.case:5: `stats`"), std::string::npos) << all;
}

TEST(WrongFile, OneInWhichNothingHappensIsWrong) {
  for (const char* const text : {"", "about: Nothing.\n", "plugin a module=x\n", "# a comment\n"}) {
    const auto c = parse_file("a.case", text, Dialect::kFilters);
    ASSERT_FALSE(c) << text;
    EXPECT_NE(c.error().message.find("nothing happens in this case"), std::string::npos) << c.error().message;
  }
  EXPECT_TRUE(parse_file("a.case", "show start\n", Dialect::kFilters));
  EXPECT_TRUE(parse_file("a.case", "expect no log ~ /x/\n", Dialect::kFilters));
}

TEST(WrongFile, ASnapshotOfARowThatIsNoneIsWrong) {
  const auto c =
      parse_file("a.case", "rows a\n  1\nclient GET /{{a}}\n#### expect\n==== 2\n== end\n", Dialect::kFilters);
  ASSERT_FALSE(c);
  EXPECT_NE(c.error().message.find("`==== 2`, which is no row of the table; `--update`"), std::string::npos);
}

TEST(WrongFile, AMistakeInAnIncludedFileHasItsPlaceThere) {
  const TemporaryDirectory folder("inlay-tester-");
  std::ofstream(folder.file("common.inc")) << "# shared\nupstream auth sings\n";
  const auto c = parse_file(folder.file("a.case"), "include common.inc\nclient GET /\n", Dialect::kFilters);
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().where, folder.file("common.inc") + ":2");
}

TEST(WrongFile, FilesThatIncludeOneAnotherEnd) {
  const TemporaryDirectory folder("inlay-tester-");
  std::ofstream(folder.file("a.inc")) << "include b.inc\n";
  std::ofstream(folder.file("b.inc")) << "include a.inc\n";
  const auto c = parse_file(folder.file("a.case"), "include a.inc\nclient GET /\n", Dialect::kFilters);
  ASSERT_FALSE(c);
  EXPECT_NE(c.error().message.find("includes itself"), std::string::npos) << c.error().message;
}

}  // namespace
}  // namespace inlay::tester
