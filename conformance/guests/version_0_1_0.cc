// SPDX-License-Identifier: Apache-2.0
// The puppet's ABI 0.1.0: header callbacks without end_of_stream, a function for each direction to go on.
#include "conformance/guests/host_calls.h"
#include "conformance/guests/puppet.h"
#include "sdk/detail/export.h"

namespace puppet {

Status continue_stream(unsigned direction) {
  return direction == 0 ? proxy_continue_request() : proxy_continue_response();
}
Status close_stream(unsigned) {
  return Status::kUnimplemented;
}
Status get_configuration(char** data, size_t* size) {
  return proxy_get_configuration(data, size);
}
Status get_log_level(inlay::abi::LogLevel*) {
  return Status::kUnimplemented;
}

}  // namespace puppet

extern "C" {

INLAY_EXPORT_(proxy_abi_version_0_1_0)
void abi_version() {}
INLAY_EXPORT_(proxy_on_request_headers)
unsigned on_request_headers(unsigned id, size_t count) {
  return puppet::on_call(
      {"request_headers", id, " headers=" + puppet::to_text(static_cast<unsigned long long>(count))});
}
INLAY_EXPORT_(proxy_on_response_headers)
unsigned on_response_headers(unsigned id, size_t count) {
  return puppet::on_call(
      {"response_headers", id, " headers=" + puppet::to_text(static_cast<unsigned long long>(count))});
}
}
