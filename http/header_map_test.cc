// SPDX-License-Identifier: Apache-2.0
#include "http/header_map.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace inlay::http {
namespace {

std::string dump(const HeaderMap& map) {
  std::string text;
  for (const auto& e : map) text.append(e.name).append("=").append(e.value).append("\n");
  return text;
}

TEST(HeaderMap, KeepsOrderAndLowersNames) {
  HeaderMap h;
  h.add("X-B", "1");
  h.add("x-a", "2");
  h.add("X-b", "3");
  EXPECT_EQ(dump(h), "x-b=1\nx-a=2\nx-b=3\n");
  EXPECT_EQ(h.get("x-B"), "1");
  EXPECT_EQ(h.count("x-b"), 2u);
  EXPECT_EQ(h.get("absent"), std::nullopt);
  EXPECT_EQ(h.byte_size(), 12u);
}

TEST(HeaderMap, PseudoHeadersStandFirst) {
  HeaderMap h;
  h.add(":method", "GET");
  h.add("accept", "*/*");
  h.add(":path", "/");
  EXPECT_EQ(dump(h), ":method=GET\n:path=/\naccept=*/*\n");
}

TEST(HeaderMap, SetReplacesTheFirstAndRemovesTheOthers) {
  HeaderMap h;
  h.add("x", "1");
  h.add("y", "2");
  h.add("x", "3");
  h.set("X", "a longer value");
  EXPECT_EQ(dump(h), "x=a longer value\ny=2\n");
  h.set("z", "new");
  h.set(HeaderId::kContentLength, "12");
  EXPECT_EQ(dump(h), "x=a longer value\ny=2\nz=new\ncontent-length=12\n");
  h.set(HeaderId::kOther, "ignored");
  EXPECT_EQ(h.size(), 4u);
}

TEST(HeaderMap, ReplacingWithAValueThatFitsTakesNoArena) {
  HeaderMap h;
  h.add("authorization", "Bearer aaaa");
  const size_t before = h.arena_size();
  for (int i = 0; i < 1000; ++i) h.set("authorization", i % 2 ? "Bearer bbbb" : "short");
  EXPECT_LE(h.arena_size(), before + 11);
  EXPECT_EQ(h.value(HeaderId::kAuthorization), "Bearer bbbb");
}

TEST(HeaderMap, AValueMayComeFromTheMapItself) {
  HeaderMap h;
  h.add("x", "abcdef");
  h.set("x", h.get("x")->substr(2));
  EXPECT_EQ(h.get("x"), "cdef");
}

TEST(HeaderMap, RemoveByNameAndId) {
  HeaderMap h;
  h.add("via", "a");
  h.add("via", "b");
  h.add("x-other", "c");
  EXPECT_EQ(h.remove(HeaderId::kVia), 2u);
  EXPECT_EQ(h.remove("X-Other"), 1u);
  EXPECT_EQ(h.remove("x-other"), 0u);
  EXPECT_TRUE(h.empty());
}

TEST(HeaderMap, EveryWellKnownNameHasItsId) {
  for (uint8_t i = 1; i < static_cast<uint8_t>(HeaderId::kCount); ++i) {
    const auto id = static_cast<HeaderId>(i);
    EXPECT_EQ(header_id(header_name(id)), id) << header_name(id);
    HeaderMap h;
    h.add(header_name(id), "v");
    EXPECT_EQ(h.get(id), "v");
    EXPECT_EQ(h.get(header_name(id)), "v");
  }
  EXPECT_EQ(header_id(""), HeaderId::kOther);
  EXPECT_EQ(header_id("x"), HeaderId::kOther);
  EXPECT_EQ(header_id("hosx"), HeaderId::kOther);
  EXPECT_EQ(header_name(HeaderId::kOther), "");
}

TEST(HeaderMap, CopiesAndMovesAreIndependent) {
  HeaderMap a;
  a.add("x", "1");
  HeaderMap b(a);
  b.set("x", "2");
  EXPECT_EQ(a.get("x"), "1");
  HeaderMap c(std::move(a));
  EXPECT_EQ(c.get("x"), "1");
  a.add("again", "usable");  // NOLINT: a moved-from map is empty and usable
  EXPECT_EQ(dump(a), "again=usable\n");
  c = std::move(b);
  EXPECT_EQ(c.get("x"), "2");
}

TEST(HeaderMap, ViewsStayValidWhileOthersAreAdded) {
  HeaderMap h;
  h.add("first", "value");
  const auto view = *h.get("first");
  for (int i = 0; i < 5000; ++i) h.add("x-" + std::to_string(i), std::string(50, 'v'));
  EXPECT_EQ(view, "value");
  EXPECT_EQ(h.get("x-4999"), std::string(50, 'v'));
  const size_t used = h.arena_size();
  h.remove_if([](const auto& e) { return e.name != "first"; });
  h.compact();
  EXPECT_LT(h.arena_size(), used / 100);
  EXPECT_EQ(dump(h), "first=value\n");
}

TEST(HeaderMap, ClearForgetsEverything) {
  HeaderMap h;
  h.add("big", std::string(100'000, 'x'));
  h.clear();
  EXPECT_TRUE(h.empty());
  EXPECT_EQ(h.arena_size(), 0u);
  h.add("a", "b");
  EXPECT_EQ(dump(h), "a=b\n");
}

TEST(HeaderMap, EmptyNamesAndValuesAreHeld) {
  HeaderMap h;
  h.add("", "");
  h.add("x", "");
  EXPECT_EQ(h.get("x"), "");
  EXPECT_EQ(h.get(""), "");
  h.set("x", "");
  EXPECT_EQ(h.size(), 2u);
}

TEST(HeaderSyntax, Names) {
  EXPECT_TRUE(is_header_name("x-a_b.c!"));
  EXPECT_TRUE(is_header_name("X"));
  for (const char* bad : {"", ":path", "a b", "a\r", "a:", "\xc3\xa4"}) EXPECT_FALSE(is_header_name(bad)) << bad;
}

TEST(HeaderSyntax, Values) {
  EXPECT_TRUE(is_header_value(""));
  EXPECT_TRUE(is_header_value("a\tb \xc3\xa4"));
  EXPECT_FALSE(is_header_value("a\r\nb"));
  EXPECT_FALSE(is_header_value(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_header_value("\x7f"));
  for (int c = 0; c < 256; ++c) {  // each byte at each place of a long value
    const bool good = (c >= 0x20 && c != 0x7f) || c == '\t';
    for (size_t at = 0; at < 19; ++at) {
      std::string value(19, 'v');
      value[at] = static_cast<char>(c);
      EXPECT_EQ(is_header_value(value), good) << c << " at " << at;
    }
  }
}

TEST(HeaderMapTest, TheFormOfANameSaysWhetherItIsOneAndInLowerCase) {
  for (const std::string_view bad : {"", " ", "a b", "a:", ":path", "a\x80", "a\x7f", "\xc3\xa4", "A(", "a\n"})
    EXPECT_EQ(header_name_form(bad), NameForm::kBad) << bad;
  EXPECT_EQ(header_name_form(std::string_view("a\0", 2)), NameForm::kBad);
  for (const std::string_view lower : {"a", "x-tenant", "0", "!#$%&'*+-.^_`|~", "a_long-name.of-more_than.sixteen"})
    EXPECT_EQ(header_name_form(lower), NameForm::kLower) << lower;
  for (const std::string_view mixed : {"A", "X-tenant", "x-tenanT", "zZz"})
    EXPECT_EQ(header_name_form(mixed), NameForm::kMixed) << mixed;
}

// Names and values are looked at in pieces of 4, 8 and 16 bytes, of which the last may overlap the one before.
TEST(HeaderMapTest, EachCharacterCountsAtEachPlaceOfEachLength) {
  for (size_t length = 1; length < 34; ++length) {
    for (size_t at = 0; at < length; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string name(length, 'a');
        name[at] = static_cast<char>(c);
        const bool upper = c >= 'A' && c <= 'Z';
        const bool token = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                           (c != 0 && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
        const NameForm form = !token ? NameForm::kBad : upper ? NameForm::kMixed : NameForm::kLower;
        ASSERT_EQ(header_name_form(name), form) << c << " at " << at << " of " << length;
        ASSERT_EQ(is_header_value(name), (c >= 0x20 && c != 0x7f) || c == '\t')
            << c << " at " << at << " of " << length;
      }
      for (const char c : {'A', 'Z', 'm', '-', '_', '@', '[', '`', '{'}) {
        std::string name(length, 'a');
        name[at] = c;
        HeaderMap map;
        map.add(name, "v");
        std::string other(map[0].name);
        EXPECT_EQ(map.get(name), "v");
        EXPECT_EQ(map.count(other), 1u);
        other[at] = 'x';
        EXPECT_EQ(map.get(other), std::nullopt) << c << " at " << at << " of " << length;
        EXPECT_EQ(map.remove(other), 0u);
        EXPECT_EQ(map.remove(name), 1u);
      }
    }
  }
}

TEST(HeaderMapTest, SettingByLowerCaseNameAndIdIsSettingByName) {
  for (const std::string_view name :
       {"authorization", "x-tenant-of-somebody", "x-tenant-of-somebodx", "x", "12345678"}) {
    HeaderMap by_name;
    HeaderMap by_id;
    for (HeaderMap* map : {&by_name, &by_id}) {
      map->add("x-tenant-of-somebody", "1");
      map->add("authorization", "2");
      map->add("Authorization", "3");
    }
    by_name.set(name, "new");
    by_id.set(header_id(name), name, "new");
    ASSERT_EQ(by_name.size(), by_id.size()) << name;
    for (size_t i = 0; i < by_name.size(); ++i) {
      EXPECT_EQ(by_name[i].name, by_id[i].name);
      EXPECT_EQ(by_name[i].value, by_id[i].value);
      EXPECT_EQ(by_name[i].id, by_id[i].id);
    }
  }
}

}  // namespace
}  // namespace inlay::http
