// SPDX-License-Identifier: Apache-2.0
#include "http/upgrade.h"

#include <gtest/gtest.h>

#include <initializer_list>
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

}  // namespace
}  // namespace inlay::http
