// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/upgrades.h"

#include <gtest/gtest.h>

namespace inlay::proxy::router {
namespace {

TEST(Upgrades, AreNotLetThroughByThemselves) {
  EXPECT_FALSE(allows_upgrade({}, nullptr, "websocket"));
  const config::RouteAction action;
  EXPECT_FALSE(allows_upgrade({}, &action, "websocket"));
}

TEST(Upgrades, OfTheManagerAreOfAllRoutes) {
  config::HttpConnectionManager manager;
  manager.upgrades = {{"WebSocket", true}, {"other", false}};
  const config::RouteAction action;
  for (const config::RouteAction* of : {static_cast<const config::RouteAction*>(nullptr), &action}) {
    EXPECT_TRUE(allows_upgrade(manager, of, "websocket"));
    EXPECT_FALSE(allows_upgrade(manager, of, "other"));
    EXPECT_FALSE(allows_upgrade(manager, of, "websocket,other"));
  }
}

TEST(Upgrades, AConnectEndsWhereTheRouteSaysSo) {
  config::RouteAction action;
  EXPECT_FALSE(terminates_connect(action));
  action.upgrades = {{"connect", true, false}};
  EXPECT_FALSE(terminates_connect(action));
  action.upgrades = {{"connect", true, true}};
  EXPECT_TRUE(terminates_connect(action));
}

TEST(Upgrades, OfTheRouteCountFirst) {
  config::HttpConnectionManager manager;
  manager.upgrades = {{"a", true}, {"b", false}};
  config::RouteAction action;
  action.upgrades = {{"A", false}, {"B", true}, {"c", true}};
  EXPECT_FALSE(allows_upgrade(manager, &action, "a"));
  EXPECT_TRUE(allows_upgrade(manager, &action, "b"));
  EXPECT_TRUE(allows_upgrade(manager, &action, "c"));
}

}  // namespace
}  // namespace inlay::proxy::router
