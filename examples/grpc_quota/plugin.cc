// SPDX-License-Identifier: Apache-2.0
// An example of docs/guide/sdk.md: each request waits until a gRPC service has said yes to it.
#include "sdk/sdk.h"

using namespace inlay::sdk;

class Quota : public HttpContext {
 public:
  HeadersStatus on_request_headers(size_t, bool) override {
    spawn(take());
    return HeadersStatus::kStopAllIterationAndWatermark;
  }

 private:
  Task<> take() {
    const auto reply = co_await grpc_call(
        {.target = "quota", .service = "quota.v1.Quota", .method = "Take", .message = "\x08\x01"}, 500ms);
    if (!reply || !reply->ok()) co_return this->reply(503, "no quota\n");
    resume_request();
  }
};

INLAY_REGISTER("*", RootContext, Quota);
