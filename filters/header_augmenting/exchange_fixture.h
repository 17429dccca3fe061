// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests of exchanges: the filter over a fake host with virtual time, and a service `sts` that gives for the token
// "alice" the tokens "alice:1", "alice:2", ...

#include <gtest/gtest.h>

#include <functional>
#include <map>
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

// source: an exchange, with more keys of the source and of oauth2, each with a comma before it.
inline std::string exchange_source(const std::string& more = "", const std::string& oauth2 = "",
                                   const std::string& grant = "token_exchange") {
  return R"({"name": "obo", "cluster": "sts", "authority": "sts.local", "path": "/token", "format": "oauth2",
    "oauth2": {"grant_type": ")" +
         grant + R"(", "client_id": "gw", "client_secret": "hush-hush")" + oauth2 + "}" + more + "}";
}

inline std::string exchange_config(const std::string& more = "", const std::string& oauth2 = "",
                                   const std::string& grant = "token_exchange") {
  return R"({"sources": [)" + exchange_source(more, oauth2, grant) + "]}";
}

// jwt: one that ends then, in seconds since 1970.
inline std::string jwt(uint64_t end_s, const std::string& name = "alice") {
  const auto base64url = [](const std::string& text) {
    static constexpr const char* kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
      bits = bits << 8 | static_cast<unsigned char>(c);
      for (count += 8; count >= 6; count -= 6) out += kDigits[bits >> (count - 6) & 63];
    }
    if (count != 0) out += kDigits[bits << (6 - count) & 63];
    return out;
  };
  return base64url(R"({"alg":"none"})") + "." +
         base64url(R"({"sub":")" + name + R"(","exp":)" + std::to_string(end_s) + "}") + ".c2ln";
}

class ExchangeTest : public ::testing::Test {
 protected:
  ExchangeTest() {
    host_.services["sts"] = [this](const FakeCall& call) {
      if (on_call_) on_call_(call);
      FakeReply reply = reply_;
      const std::string subject = subject_of(call);
      const int number = ++issued_[subject];
      if (reply.status == 200 && reply.body.empty()) {
        reply.body = R"({"access_token":")" + subject + ":" + std::to_string(number) +
                     R"(","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token",)" +
                     R"("expires_in":)" + expires_in_ + "}";
        made_ms_[subject + ":" + std::to_string(number)] = host_.now_ms();
      }
      return reply;
    };
  }

  // form: a parameter of a call's body; empty if there is none.
  static std::string form(const FakeCall& call, const std::string& name) {
    const std::string body = "&" + call.body + "&";
    const size_t at = body.find("&" + name + "=");
    if (at == std::string::npos) return {};
    const size_t begin = at + name.size() + 2;
    return body.substr(begin, body.find('&', begin) - begin);
  }
  static std::string subject_of(const FakeCall& call) {
    const std::string subject = form(call, "subject_token");
    return subject.empty() ? form(call, "assertion") : subject;
  }

  ContextId start(std::string_view configuration) { return start(worker_, configuration); }
  ContextId start(FakeWorker& worker, std::string_view configuration) {
    const ContextId root = worker.start("root", configuration);
    EXPECT_NE(root, 0u) << (host_.logs.empty() ? "" : host_.logs.back().text);
    return root;
  }
  static Headers bearing(const std::string& token, Headers more = {}) {
    more.insert(more.begin(), {":path", "/"});
    more.emplace_back("authorization", "Bearer " + token);
    return more;
  }
  // ask: a request with that token, which stays open.
  FakeStream& ask(ContextId root, const std::string& token, Headers more = {}) {
    return worker_.open(root, bearing(token, std::move(more)));
  }
  // get: what comes of a request, which is then over; it has a second to come by its token.
  FakeStream get(ContextId root, const std::string& token, Headers more = {}) {
    return get(worker_, root, token, std::move(more));
  }
  FakeStream get(FakeWorker& worker, ContextId root, const std::string& token, Headers more = {}) {
    FakeStream& stream = worker.open(root, bearing(token, std::move(more)));
    for (int i = 0; i < 200 && stream.request_held; ++i) host_.advance(5ms);
    FakeStream copy = stream;
    worker.close(stream);
    return copy;
  }
  std::string token(ContextId root, const std::string& name) { return get(root, name).header("authorization"); }
  static std::string reply_header(const FakeStream& stream, const std::string& name) {
    for (const auto& [key, value] : stream.reply_headers) {
      if (key == name) return value;
    }
    return {};
  }
  int64_t metric(const std::string& name) {
    host_.advance(300ms);  // counts reach the host on a tick
    return host_.metric("header_augmenting.obo." + name);
  }
  int64_t count(const std::string& name) { return metric("exchange." + name); }

  std::function<void(const FakeCall&)> on_call_;
  std::string expires_in_ = "300";
  FakeReply reply_{.delay_ms = 20};
  std::map<std::string, int> issued_;        // by subject
  std::map<std::string, uint64_t> made_ms_;  // by token
  FakeHost host_;
  FakeWorker& worker_ = host_.add_worker();
};

}  // namespace inlay::header_augmenting
