// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/route_timeouts.h"

#include <gtest/gtest.h>

namespace inlay::proxy::router {
namespace {

using std::chrono::milliseconds;

http::HeaderMap with_timeout(std::string_view grpc_timeout) {
  http::HeaderMap map;
  if (!grpc_timeout.empty()) map.add("grpc-timeout", grpc_timeout);
  return map;
}

TEST(RouteTimeout, IsTheRoutesOwn) {
  config::RouteAction action;
  EXPECT_EQ(route_timeout(action, with_timeout("1S"), false), milliseconds(15000));
  action.timeout = milliseconds(0);
  EXPECT_EQ(route_timeout(action, with_timeout("1S"), false), milliseconds(0));
}

TEST(RouteTimeout, DoesNotCountBesideTheDurationOfStreams) {
  config::RouteAction action;
  action.max_stream_duration.emplace();
  action.max_grpc_timeout = milliseconds(5);
  EXPECT_EQ(route_timeout(action, with_timeout("1S"), false), milliseconds(0));
}

TEST(RouteTimeout, OfGrpcTimeout) {
  struct Row {
    const char* asked;
    int most;
    int offset;
    int time;
  };
  for (const Row& row : {Row{"", 5000, 0, 5000}, Row{"", 0, 100, 0}, Row{"2S", 5000, 0, 2000}, Row{"9S", 5000, 0, 5000},
                         Row{"9S", 0, 0, 9000}, Row{"2S", 5000, 500, 1500}, Row{"2S", 5000, 2000, 2000},
                         Row{"2S", 1000, 500, 1000}, Row{"nonsense", 5000, 0, 5000}}) {
    config::RouteAction action;
    action.max_grpc_timeout = milliseconds(row.most);
    action.grpc_timeout_offset = milliseconds(row.offset);
    EXPECT_EQ(route_timeout(action, with_timeout(row.asked), true), milliseconds(row.time))
        << row.asked << ' ' << row.most << ' ' << row.offset;
  }
}

TEST(StreamLimit, OfTheRouteOrTheManager) {
  config::RouteAction action;
  EXPECT_EQ(stream_limit(action, {}, milliseconds(0)), std::nullopt);
  EXPECT_EQ(stream_limit(action, {}, milliseconds(7)), milliseconds(7));
  action.max_stream_duration.emplace();
  EXPECT_EQ(stream_limit(action, {}, milliseconds(7)), milliseconds(7));
  action.max_stream_duration->limit = milliseconds(3);
  EXPECT_EQ(stream_limit(action, with_timeout("1S"), milliseconds(7)), milliseconds(3));
  action.max_stream_duration->limit = milliseconds(0);
  EXPECT_EQ(stream_limit(action, {}, milliseconds(7)), std::nullopt);
}

TEST(StreamLimit, OfGrpcTimeout) {
  config::RouteAction action;
  auto& said = action.max_stream_duration.emplace();
  said.limit = milliseconds(3);
  said.grpc_timeout_header_max = milliseconds(5000);
  EXPECT_EQ(stream_limit(action, {}, milliseconds(7)), milliseconds(3));
  EXPECT_EQ(stream_limit(action, with_timeout("2S"), milliseconds(7)), milliseconds(2000));
  EXPECT_EQ(stream_limit(action, with_timeout("9S"), milliseconds(7)), milliseconds(5000));
  said.grpc_timeout_header_offset = milliseconds(1500);
  EXPECT_EQ(stream_limit(action, with_timeout("2S"), milliseconds(7)), milliseconds(500));
  EXPECT_EQ(stream_limit(action, with_timeout("1S"), milliseconds(7)), milliseconds(0));
  said.grpc_timeout_header_max = milliseconds(0);
  EXPECT_EQ(stream_limit(action, with_timeout("9S"), milliseconds(7)), milliseconds(7500));
}

}  // namespace
}  // namespace inlay::proxy::router
