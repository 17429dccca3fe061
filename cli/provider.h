// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `inlay provider` answers: a header-providing service for demos and tests.

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/http_service.h"

namespace inlay::cli {

// ProviderHandler hands out a new bearer token on every poll, which is a request to any path but the two below:
//
//     {"authorization": "Bearer <prefix><n>.<16 hex digits>", "x-token-number": "<n>"}
//
//     GET /polls       the number of polls so far, failed ones included, as {"polls": 3}
//     POST /fault/F    from now on polls fail as F says; F is one of fault_names(), `none` ends it
class ProviderHandler : public RequestHandler {
 public:
  struct Options {
    std::string token_prefix;
    std::string count_file;  // the number of polls is written here after each; empty: nowhere
    std::string fault = "none";
  };
  // Precondition: is_fault(options.fault).
  explicit ProviderHandler(Options options);

  Reply on_request(const Request& request) override;
  uint64_t polls() const { return polls_; }

  static bool is_fault(std::string_view name);
  static std::string fault_names();  // "none, status, ..." for help and error messages

 private:
  Reply poll();

  Options options_;
  uint64_t polls_ = 0;
};

}  // namespace inlay::cli
