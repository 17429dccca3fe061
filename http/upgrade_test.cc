// SPDX-License-Identifier: Apache-2.0
#include "http/upgrade.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace inlay::http {
namespace {

HeaderMap head(std::initializer_list<std::pair<const char*, const char*>> fields) {
  HeaderMap map;
  for (const auto& [name, value] : fields) map.add(name, value);
  return map;
}

TEST(Upgrade, IsWhatConnectionListsAndUpgradeNames) {
  EXPECT_TRUE(is_upgrade(head({{"connection", "Upgrade"}, {"upgrade", "websocket"}})));
  EXPECT_TRUE(is_upgrade(head({{"connection", "keep-alive , UPGRADE"}, {"upgrade", "x"}})));
  EXPECT_TRUE(is_upgrade(head({{"connection", "close"}, {"connection", "upgrade"}, {"upgrade", "x"}})));
  EXPECT_FALSE(is_upgrade(head({{"upgrade", "websocket"}})));
  EXPECT_FALSE(is_upgrade(head({{"connection", "upgrade"}})));
  EXPECT_FALSE(is_upgrade(head({{"connection", "upgrades"}, {"upgrade", "websocket"}})));
  EXPECT_FALSE(is_upgrade(head({})));
}

TEST(Upgrade, ToH2cAloneIsNone) {
  EXPECT_FALSE(is_upgrade(head({{"connection", "upgrade, http2-settings"}, {"upgrade", "H2C"}})));
  EXPECT_TRUE(is_upgrade(head({{"connection", "upgrade"}, {"upgrade", "h2c, websocket"}})));
  EXPECT_TRUE(is_upgrade(head({{"connection", "upgrade"}, {"upgrade", "h2c"}, {"upgrade", "websocket"}})));
}

TEST(Upgrade, TypeOfSeveralFieldsIsAList) {
  EXPECT_EQ(upgrade_type(head({{"upgrade", "WebSocket"}})), "WebSocket");
  EXPECT_EQ(upgrade_type(head({{"upgrade", "a"}, {"upgrade", ""}, {"upgrade", "b"}})), "a,b");
  EXPECT_EQ(upgrade_type(head({})), "");
}

TEST(Upgrade, ToWebSocketInAnyCase) {
  EXPECT_TRUE(is_websocket_upgrade(head({{"connection", "upgrade"}, {"upgrade", "WebSocket"}})));
  EXPECT_FALSE(is_websocket_upgrade(head({{"connection", "upgrade"}, {"upgrade", "websocket, x"}})));
  EXPECT_FALSE(is_websocket_upgrade(head({{"upgrade", "websocket"}})));
}

std::string text(const HeaderMap& map) {
  std::string out;
  for (const auto& entry : map) out.append(entry.name).append("=").append(entry.value).append(" ");
  return out;
}

TEST(Upgrade, OfHttp2IsOneOfHttp1AndBack) {
  const auto asked = {std::pair{":method", "CONNECT"}, {":protocol", "websocket"}, {":path", "/p"}, {"x", "1"}};
  HeaderMap request = head(asked);
  ASSERT_TRUE(is_extended_connect(request));
  to_upgrade(request);
  EXPECT_EQ(text(request), ":method=GET :path=/p x=1 upgrade=websocket connection=upgrade ");
  EXPECT_TRUE(is_websocket_upgrade(request));
  EXPECT_FALSE(is_extended_connect(request));
  request.add("content-length", "0");
  to_extended_connect(request);
  EXPECT_EQ(text(request), ":method=CONNECT :path=/p :protocol=websocket x=1 ");
}

TEST(Upgrade, IsAgreedToInHttp2With200) {
  HeaderMap answer = head({{":status", "200"}, {"x", "1"}});
  to_switch(answer, "foo");
  EXPECT_EQ(text(answer), ":status=101 x=1 upgrade=foo connection=upgrade ");
  to_http2_switch(answer);
  EXPECT_EQ(text(answer), ":status=200 x=1 ");
}

}  // namespace
}  // namespace inlay::http
