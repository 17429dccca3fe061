// SPDX-License-Identifier: Apache-2.0
#pragma once

// CallOuts holds the HTTP call-outs of one VM that are under way: they belong to root contexts, outlive the streams
// that made them, and are cancelled with the VM.

#include <cstdint>
#include <unordered_map>

#include "base/result.h"
#include "host/embedder.h"

namespace inlay::host {

class Vm;

class CallOuts final : public HttpCallHandler {
 public:
  // `upstreams` is nullptr for the canary: its calls are taken and never sent.
  CallOuts(Vm& vm, Upstreams* upstreams) : vm_(vm), upstreams_(upstreams) {}
  ~CallOuts() override { cancel_all(); }

  // A token (a multiple of 4, as in Envoy). Errors: as Upstreams::start_http_call's,
  // and kResourceExhausted (guest_limits.h).
  Result<uint32_t> start(uint32_t root_id, HttpCallRequest request);
  void cancel_all();

  void on_http_call_response(uint64_t call_id, HttpCallResponse response) override;

 private:
  struct Call {
    uint32_t root_id;
    uint32_t token;
    size_t bytes;  // of its request
  };
  Vm& vm_;
  Upstreams* upstreams_;
  std::unordered_map<uint64_t, Call> calls_;
  size_t bytes_ = 0;
  uint32_t last_token_ = 0;
};

}  // namespace inlay::host
