// SPDX-License-Identifier: Apache-2.0
#include "host/call_outs.h"

#include "host/vm.h"

namespace inlay::host {

Result<uint32_t> CallOuts::start(uint32_t root_id, HttpCallRequest request) {
  const size_t bytes = request.headers.arena_size() + request.body.size() + request.trailers.arena_size();
  if (calls_.size() >= limits::kCalls || bytes_ + bytes > limits::kCallBytes)
    return Error{ErrorCode::kResourceExhausted, std::string(describe(GuestLimit::kCalls)), ""};
  const uint32_t token = last_token_ + 4;
  if (upstreams_ != nullptr) {
    INLAY_TRY(const uint64_t call_id, upstreams_->start_http_call(std::move(request), *this));
    calls_.emplace(call_id, Call{root_id, token, bytes});
    bytes_ += bytes;
  }
  return last_token_ = token;
}

void CallOuts::cancel_all() {
  auto calls = std::move(calls_);
  calls_.clear();
  bytes_ = 0;
  for (const auto& [call_id, call] : calls) upstreams_->cancel_http_call(call_id);
}

void CallOuts::on_http_call_response(uint64_t call_id, HttpCallResponse response) {
  auto found = calls_.find(call_id);
  if (found == calls_.end()) return;
  const Call call = found->second;
  calls_.erase(found);
  bytes_ -= call.bytes;
  vm_.http_call_done(call.root_id, call.token, std::move(response));
}

}  // namespace inlay::host
