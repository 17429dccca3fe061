// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "host/flow_context.h"
#include "host/hazards.h"

namespace inlay::host {

// HttpContextImpl is what HttpContext is.
class HttpContextImpl final : public HttpContext, public FlowContext {
 public:
  explicit HttpContextImpl(FlowContext*& unused) : FlowContext(Kind::kStream, unused) {}

  void begin(WorkerPluginImpl& owner, HttpStream& stream, RootContext* root_context);
  HttpStream* http() const { return static_cast<HttpStream*>(embedder()); }

  void defer_continue(Direction direction);
  void defer_local_reply(LocalReply reply);
  void defer_reset();
  // The guest has done what is a hazard in Envoy, which the log knows (Vm::report): with HostOptions::fail_hazards the
  // stream is answered with 500, which says so, whatever else is asked for in this callback.
  void fail_for(Hazard hazard);
  // A map that a direction's continue_stream has put out of reach until that direction's next callback.
  bool is_closed(abi::MapType type) const;

  abi::HeadersStatus headers(Direction direction, bool end_of_stream);
  abi::DataStatus data(Direction direction, size_t size, bool end_of_stream);
  abi::TrailersStatus trailers(Direction direction);
  void log() { FlowContext::log(); }
  // Its maps are gone by then, as in Envoy: on_log is where a guest reads the whole stream.
  void finish() {
    maps_closed_ = {true, true};
    FlowContext::finish(Log::kBefore);
  }

 private:
  template <class Call>
  Outcome invoke(Direction direction, uint32_t& returned, Call&& call);
  // The hazards of proxy_continue_stream inside of the headers' callback, when that has returned.
  void check_resumed(uint32_t returned, bool end_of_stream);
  void check_end(bool again);
  template <class Status>
  Status settle(Direction direction, Outcome outcome, Status by_guest, Status stop);
  static size_t index(Direction direction) { return static_cast<size_t>(direction); }

  void carry_out() override;
  void resume(size_t direction) override;
  void refuse() override;
  bool refused() const override { return failed_; }
  void forget_deferred() override {
    reply_.reset();
    hazard_reply_ = false;
  }

  std::array<bool, 2> maps_closed_{};
  bool reply_sent_ = false;    // a local reply was asked for
  bool failed_ = false;        // ... by the failure policy
  bool from_outside_ = false;  // what ends the stream was not asked for in a callback of its own
  bool hazard_reply_ = false;  // reply_ is fail_for()'s
  std::unique_ptr<LocalReply> reply_;
};

inline HttpContextImpl* Context::stream() {
  return kind == Kind::kStream ? static_cast<HttpContextImpl*>(this) : nullptr;
}

inline bool HttpContextImpl::is_closed(abi::MapType type) const {
  using abi::MapType;
  static_assert(MapType::kHttpRequestTrailers < MapType::kHttpResponseHeaders);
  if (type > MapType::kHttpResponseTrailers) return false;
  return maps_closed_[type < MapType::kHttpResponseHeaders ? 0 : 1] && !in_log();
}

}  // namespace inlay::host
