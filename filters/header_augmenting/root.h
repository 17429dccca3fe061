// SPDX-License-Identifier: Apache-2.0
#pragma once

// AugmentingRoot and AugmentingStream: the filter itself. The root context owns the configuration and the sources; a
// stream context remembers what it was given, or that it waits.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/metrics.h"
#include "filters/header_augmenting/per_request.h"
#include "filters/header_augmenting/request_match.h"
#include "filters/header_augmenting/source.h"
#include "sdk/context.h"
#include "sdk/event.h"

namespace inlay::header_augmenting {

class AugmentingStream;

class AugmentingRoot : public sdk::RootContext, private SourceObserver {
 public:
  ~AugmentingRoot() override;

  bool on_configure(size_t configuration_size) override;

  // on_request: does what the first rule that matches the request in hand says. With usable headers: one host call for
  // the method, one for each header that is set or removed or has an alias, and one for each thing that a rule looks
  // at; no allocation of its own, no parsing.
  sdk::HeadersStatus on_request(AugmentingStream& stream);

  // on_trailers: takes off what a request must not carry as a trailer either.
  void on_trailers(const AugmentingStream& stream);

  // on_queue: ExchangingRoot's on_queue_ready.
  void on_queue(uint32_t queue);

  // on_response: invalidates the sources whose headers the request was given, if the response's status says so.
  void on_response(AugmentingStream& stream);

 private:
  friend class AugmentingStream;
  uint32_t on_new_headers() override;
  Source& source_at(uint32_t index) override { return sources_[index]; }
  void clear_sources();
  const Rule* find_rule(RequestView& request) const;
  bool is_usable(const Rule& rule) const;
  // augment: gives the request its headers, if it has to wait for none.
  sdk::HeadersStatus augment(AugmentingStream& stream, const Rule& rule);
  // act_on: the same with what there is for a request of the source that is asked for each.
  sdk::HeadersStatus act_on(AugmentingStream& stream, const Rule& rule, const PerRequest::Look& look);
  // inject: `pairs` are the headers of that source.
  void inject(AugmentingStream& stream, const Rule& rule, std::string_view pairs);
  // look: is_usable, after a look at what other workers have published. May release held requests.
  bool look(const Rule& rule);
  sdk::HeadersStatus on_missing(AugmentingStream& stream, const Rule& rule);
  void remove(const Rule& rule) const;
  // take_off: looks through `map` for what is to be removed: what the rule says, with its aliases; kAliases: and the
  // aliases of what the rule's sources set or are known to set; kOwned: and those headers themselves.
  enum class Off : uint8_t { kRemoved, kAliases, kOwned };
  void take_off(sdk::HeaderMap map, const Rule& rule, Off off) const;
  bool is_off(const Rule& rule, std::string_view name, Off off) const;
  void reject(AugmentingStream& stream);
  // hold: lets a request that waits go on when its headers are there, and rejects it when it has waited too long.
  sdk::Task<> hold(AugmentingStream& stream, const Rule& rule);
  // wait: lets a request go on, or answers it, when there is something for what it brings.
  sdk::Task<> wait(AugmentingStream& stream, const Rule& rule);

  std::unique_ptr<Config> config_;
  std::span<Source> sources_;  // in the configuration's arena, but destroyed here
  // By source; nullptr of the others. Itself nullptr in a module that has none.
  using PerRequests = std::vector<std::unique_ptr<PerRequest>>;
  PerRequests* per_request_ = nullptr;
  RequestMetrics metrics_;
  sdk::Event changed_;          // the headers of some source, or the configuration
  uint64_t held_count_ = 0;     // requests that wait for that
  uint64_t waiting_count_ = 0;  // requests that wait for headers of their own
  uint32_t generation_ = 0;     // of the configuration and of every source's
                                // headers: counts each change
  uint32_t configured_ = 0;     // the generation that came with the configuration
};

// ExchangingRoot: of a module that has sources that are asked for each request. Their workers tell each other by shared
// queues, whose callback a module without them has no need to export.
class ExchangingRoot final : public AugmentingRoot {
 public:
  void on_queue_ready(uint32_t queue) override { on_queue(queue); }
};

class AugmentingStream : public sdk::HttpContext {
 public:
  explicit AugmentingStream(AugmentingRoot& root) : root_(root) {}
  sdk::HeadersStatus on_request_headers(size_t, bool) override { return root_.on_request(*this); }
  sdk::HeadersStatus on_response_headers(size_t, bool) override {
    if (given_) root_.on_response(*this);
    return sdk::HeadersStatus::kContinue;
  }
  sdk::TrailersStatus on_request_trailers(size_t) override {
    root_.on_trailers(*this);
    return sdk::TrailersStatus::kContinue;
  }

 private:
  friend class AugmentingRoot;
  AugmentingRoot& root_;
  const Rule* rule_ = nullptr;  // that the request falls under
  Ticket ticket_;               // of the source that is asked for each request
  uint32_t generation_ = 0;     // when it came, or was given headers
  bool given_ = false;          // it has headers of the rule's sources
};

}  // namespace inlay::header_augmenting
