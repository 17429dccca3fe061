// SPDX-License-Identifier: Apache-2.0
#include "sdk/sdk.h"

using namespace inlay::sdk;

class Greeting : public RootContext {
 public:
  bool on_configure(size_t size) override {
    if (auto text = plugin_configuration().read()) text_ = std::move(*text);
    if (size == 0) log_error("the configuration has to be the greeting");
    return size != 0;
  }
  std::string_view text() const { return text_.view(); }

 private:
  Bytes text_;
};

class Greeted : public HttpContext {
 public:
  explicit Greeted(Greeting& root) : root_(root) {}

  HeadersStatus on_request_headers(size_t, bool) override {
    (void)request_headers().set("x-greeting", root_.text());
    return HeadersStatus::kContinue;
  }

 private:
  Greeting& root_;
};

INLAY_REGISTER("*", Greeting, Greeted);
