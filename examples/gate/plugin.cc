// SPDX-License-Identifier: Apache-2.0
// An example of docs/guide/sdk.md and docs/guide/tcp.md: each request, and each connection, waits until a service has
// said yes to it.
#include <string>

#include "sdk/sdk.h"

using namespace inlay::sdk;

class GateRequest : public HttpContext {
 public:
  HeadersStatus on_request_headers(size_t, bool) override {
    spawn(check());
    return HeadersStatus::kStopAllIterationAndWatermark;
  }

 private:
  Task<> check() {
    const auto user = request_headers().get("x-user");
    const Pair headers[] = {
        {":method", "GET"}, {":path", "/check"}, {":authority", "auth"}, {"x-user", user ? user->view() : ""}};
    const auto answer = co_await http_call({.cluster = "auth", .headers = headers}, 5s);
    if (!answer || answer->status != 200) co_return reply(403, "not allowed\n");
    (void)request_headers().set("x-checked", "yes");
    resume_request();
  }
};

// The client's first line says who it is.
class GateConnection : public TcpContext {
 public:
  Action on_downstream_data(size_t, bool) override {
    if (allowed_) return Action::kContinue;
    const auto data = downstream_data().read();
    const size_t end = data ? data->view().find('\n') : std::string_view::npos;
    if (end != std::string_view::npos && !asked_) {
      asked_ = true;
      spawn(check(std::string(data->view().substr(0, end))));
    }
    return Action::kPause;
  }

 private:
  Task<> check(std::string user) {
    const Pair headers[] = {{":method", "GET"}, {":path", "/check"}, {":authority", "auth"}, {"x-user", user}};
    const auto answer = co_await http_call({.cluster = "auth", .headers = headers}, 5s);
    if (!answer || answer->status != 200) co_return close();
    allowed_ = true;
    resume_downstream();
  }

  bool asked_ = false;
  bool allowed_ = false;
};

INLAY_REGISTER("*", RootContext, GateRequest, GateConnection);
