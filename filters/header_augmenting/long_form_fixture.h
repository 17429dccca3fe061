// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests of the long form of the configuration: the filter over a fake host with virtual time, and an identity
// provider `idp` that hands out the tokens t1, t2, ...

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "filters/header_augmenting/root.h"
#include "sdk/testing/fake_host.h"

namespace inlay::header_augmenting {

using namespace std::chrono_literals;  // NOLINT: tests only
using sdk::ContextId;
using sdk::HeadersStatus;
using sdk::testing::FakeCall;
using sdk::testing::FakeHost;
using sdk::testing::FakeReply;
using sdk::testing::FakeStream;
using sdk::testing::FakeWorker;
using sdk::testing::Headers;

inline constexpr const char* kToken =
    R"({"sources": [{"name": "idp", "cluster": "idp", "path": "/token", "format": "oauth2",
    "oauth2": {"client_id": "id", "client_secret": "s"}}]})";

class LongFormTest : public ::testing::Test {
 protected:
  LongFormTest() {
    host_.services["idp"] = [this](const FakeCall&) {
      FakeReply reply = reply_;
      if (reply.status == 200 && reply.body.empty()) {
        reply.body = R"({"access_token":"t)" + std::to_string(++tokens_) + R"(","expires_in":)" + expires_in_ + "}";
      }
      return reply;
    };
  }

  ContextId start(std::string_view configuration) { return start(worker_, configuration); }
  ContextId start(FakeWorker& worker, std::string_view configuration) {
    const ContextId root = worker.start("root", configuration);
    EXPECT_NE(root, 0u) << (host_.logs.empty() ? "" : host_.logs.back().text);
    return root;
  }
  FakeStream get(ContextId root, Headers headers = {}) {
    headers.insert(headers.begin(), {":path", "/"});
    return worker_.request(root, std::move(headers));
  }
  std::string token(ContextId root) { return get(root).header("authorization"); }
  int64_t metric(const std::string& name) const { return host_.metric("header_augmenting." + name); }

  int tokens_ = 0;
  std::string expires_in_ = "100";
  FakeReply reply_;
  FakeHost host_;
  FakeWorker& worker_ = host_.add_worker();
};

}  // namespace inlay::header_augmenting
