// SPDX-License-Identifier: Apache-2.0
// The puppet's ABI 0.2.1. Its 0.2.0 has the same functions.
#ifndef PUPPET_MARKER
#define PUPPET_MARKER "proxy_abi_version_0_2_1"
#endif

#include "conformance/guests/host_calls.h"
#include "conformance/guests/puppet.h"
#include "sdk/detail/export.h"

namespace puppet {

Status continue_stream(unsigned direction) {
  return proxy_continue_stream(static_cast<inlay::abi::StreamType>(direction));
}
Status close_stream(unsigned stream) {
  return proxy_close_stream(static_cast<inlay::abi::StreamType>(stream));
}
Status get_configuration(char**, size_t*) {
  return Status::kUnimplemented;
}
#ifdef PUPPET_WITHOUT_LOG_LEVEL
Status get_log_level(inlay::abi::LogLevel*) {
  return Status::kUnimplemented;
}
#else
Status get_log_level(inlay::abi::LogLevel* level) {
  return proxy_get_log_level(level);
}
#endif

}  // namespace puppet

extern "C" {

__attribute__((export_name(PUPPET_MARKER))) void abi_version() {}
INLAY_EXPORT_(proxy_on_request_headers)
unsigned on_request_headers(unsigned id, size_t count, unsigned end) {
  return puppet::on_call(
      {"request_headers", id, " headers=" + puppet::to_text(static_cast<unsigned long long>(count)), end != 0});
}
INLAY_EXPORT_(proxy_on_response_headers)
unsigned on_response_headers(unsigned id, size_t count, unsigned end) {
  return puppet::on_call(
      {"response_headers", id, " headers=" + puppet::to_text(static_cast<unsigned long long>(count)), end != 0});
}
}
