// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/root.h"

#include <span>
#include <utility>

#include "sdk/buffer.h"
#include "sdk/local_reply.h"
#include "sdk/log.h"

namespace inlay::header_augmenting {

bool AugmentingRoot::on_configure(size_t) {
  const auto text = sdk::plugin_configuration().read();
  auto config = parse_config(text ? text->view() : std::string_view());
  if (!config) {
    sdk::log(sdk::LogLevel::kError, config.error().view());
    return false;
  }
  cancel_tasks();  // of an earlier configuration
  sources_.clear();
  config_ = *std::move(config);
  metrics_.define();
  for (const SourceConfig& source : config_.sources) {
    sources_.push_back(std::make_unique<Source>(source, config_.max_body, *this, metrics_));
    spawn(sources_.back()->run());
  }
  return true;
}

sdk::HeadersStatus AugmentingRoot::augment() {
  bool stale = false;
  for (const auto& source : sources_) {
    const HeaderSet* const headers = source->headers();
    if (headers == nullptr) [[unlikely]]
      return on_missing();
    stale = stale || source->stale();
  }
  for (const auto& source : sources_) {
    for (const sdk::Pair& header : *source->headers()) (void)sdk::request_headers().set(header.key, header.value);
  }
  metrics_.injected.add();
  if (stale) [[unlikely]]
    metrics_.stale_used.add();
  return sdk::HeadersStatus::kContinue;
}

sdk::HeadersStatus AugmentingRoot::on_missing() {
  const WhenMissing& missing = config_.when_missing;
  if (missing.action == WhenMissing::Action::kPass) {
    metrics_.passed_without.add();
    return sdk::HeadersStatus::kContinue;
  }
  metrics_.rejected.add();
  const sdk::Pair retry_after[] = {{"retry-after", missing.retry_after}};
  const sdk::LocalReply reply{
      .status = missing.status, .body = missing.body, .details = "header_augmenting_no_headers_yet"};
  (void)sdk::send_local_reply(reply, std::span(retry_after, missing.retry_after.empty() ? 0 : 1));
  return sdk::HeadersStatus::kStopIteration;
}

}  // namespace inlay::header_augmenting
