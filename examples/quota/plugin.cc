// SPDX-License-Identifier: Apache-2.0
// An example of docs/guide/sdk.md: requests are answered with 429 while a quota service says that there is none left.
#include "sdk/sdk.h"

using namespace inlay::sdk;

class QuotaRoot : public RootContext {
 public:
  bool on_configure(size_t) override {
    spawn(refresh());
    return true;
  }
  bool open() const { return open_; }

 private:
  Task<> refresh() {
    for (;;) {
      co_await sleep(1s);
      const Pair headers[] = {{":method", "GET"}, {":path", "/quota"}, {":authority", "quota"}};
      const HttpRequest request{.cluster = "quota", .headers = headers};
      const auto reply = co_await http_call(request, 500ms);
      if (!reply) {
        log_warn("the quota service cannot be asked: ", reply.error());
        continue;
      }
      open_ = reply->status == 200;
    }
  }

  bool open_ = true;
};

class QuotaStream : public HttpContext {
 public:
  explicit QuotaStream(QuotaRoot& root) : root_(root) {}

  HeadersStatus on_request_headers(size_t, bool) override {
    if (root_.open()) return HeadersStatus::kContinue;
    const Pair headers[] = {{"retry-after", "1"}};
    reply({.status = 429, .body = "try again\n", .details = "quota"}, headers);
    return HeadersStatus::kStopIteration;
  }

 private:
  QuotaRoot& root_;
};

INLAY_REGISTER("*", QuotaRoot, QuotaStream);
