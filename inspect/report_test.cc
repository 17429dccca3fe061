// SPDX-License-Identifier: Apache-2.0
#include "inspect/report.h"

#include <rapidjson/document.h>

#include <sstream>

#include "inspect/inspect_fixture.h"
#include "inspect/printable.h"

namespace inlay::inspect {
namespace {

Report report_on(const std::vector<uint8_t>& module) {
  Report report;
  report.file = "small.wasm";
  auto facts = examine(module);
  EXPECT_TRUE(facts) << facts.error().to_string();
  if (facts) report.facts = *std::move(facts);
  return report;
}

bool has(const std::string& text, std::string_view what) {
  return text.find(what) != std::string::npos;
}

TEST(Report, TextSaysEverything) {
  Report report = report_on(with_custom(wasm(kSmallProxy), "producers",
                                        "\x01\x08language\x01\x03"
                                        "C++\x02"
                                        "14"));
  report.wasm_opt.emplace();
  report.wasm_opt->reason = "there is none";
  const std::string text = to_text(report);
  for (const char* part : {
           "small.wasm\n",
           "a proxy-wasm module of ABI 0.2.1; it runs here\n",
           "  entry point    _initialize\n",
           "  allocator      malloc\n",
           "  memory         2 pages (128 KiB) at first, at most 16 pages (1,024 KiB)\n",
           "  made by        C++ 14\n",
           "  ! no callback of any known ABI: proxy_on_nothing_known\n",
           "  ! this host answers ENOSYS to: sock_shutdown\n",
           "Largest functions (7 of 7)",
           "; producers 30\n",
           "  wasm-opt       skipped: there is none\n",
           "  allowed_capabilities: {proxy_grpc_cancel: {}, proxy_log: {}, proxy_on_configure: {},\n",
       }) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  }
}

TEST(Report, NoLineIsWiderThanAHundredColumns) {
  std::string many = "(module (memory (export \"memory\") 1)";
  for (int i = 0; i < 60; ++i)
    many += " (func (export \"proxy_on_a_long_name_that_is_unknown_" + std::to_string(i) + "\"))";
  Report report = report_on(with_custom(wasm(many + ")"), std::string(90, 'x'), "content"));
  report.wasm_opt.emplace();
  report.wasm_opt->outcome = WasmOpt::Outcome::kRan;
  report.wasm_opt->size = 10;
  report.wasm_opt->flags.assign(20, "--enable-something");
  std::istringstream lines(to_text(report));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
}

TEST(Report, JsonIsWellFormedAndHasTheSameFacts) {
  rapidjson::Document document;
  const Report report = report_on(wasm(kSmallProxy));
  ASSERT_FALSE(document.Parse(to_json(report).c_str()).HasParseError());
  EXPECT_EQ(document["format"].GetInt(), 1);
  EXPECT_EQ(document["size"].GetUint64(), report.facts.size);
  EXPECT_TRUE(document["proxy_wasm"]["runs"].GetBool());
  EXPECT_STREQ(document["host_functions"][1]["support"].GetString(), "full");
  EXPECT_TRUE(document["callbacks"][1]["called"].GetBool());
  EXPECT_TRUE(document["start_function"].IsNull());
  EXPECT_EQ(document["memories"][0]["maximum_pages"].GetInt(), 16);
  EXPECT_EQ(document["functions"]["largest"].Size(), 7u);
  EXPECT_FALSE(document.HasMember("wasm_opt"));
}

// A module's names may be no UTF-8, and may hold what a terminal obeys.
TEST(Report, HostileNamesAreTamed) {
  const auto module = with_custom(wasm(kSmallProxy), "name", "\x01\x0a\x01\x03\x07\x1b[2J\xff\xc3\xa9");
  const Report report = report_on(module);
  EXPECT_TRUE(has(to_text(report), "  \\x1b[2J\xef\xbf\xbd\xc3\xa9 "));
  rapidjson::Document document;
  const std::string json = to_json(report);
  ASSERT_FALSE((document.Parse<rapidjson::kParseValidateEncodingFlag>(json.c_str()).HasParseError()));
  EXPECT_FALSE(has(json, "\x1b"));
}

TEST(Printable, Utf8) {
  EXPECT_EQ(valid_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  for (const char* bad : {"\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\x80", "\xe2\x82"}) {
    EXPECT_TRUE(valid_utf8(bad).starts_with("\xef\xbf\xbd")) << bad;
  }
  EXPECT_EQ(printable("a\n\x7f\xc2\x85"), "a\\x0a\\x7f\\x85");
}

TEST(Printable, Numbers) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

}  // namespace
}  // namespace inlay::inspect
