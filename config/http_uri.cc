// SPDX-License-Identifier: Apache-2.0
// What is fetched through a cluster: config/core/v3 HttpUri, RetryPolicy.
#include <algorithm>

#include "base/ascii.h"
#include "config/builders.h"
#include "config/redact.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kHttpUri[] = {
    {"uri", Support::kYes,
     "the authority and the path of the request; the cluster says where it goes, and whether by TLS"},
    {"cluster"},
    {"timeout"},
};
constexpr FieldRule kRetryPolicy[] = {
    {"retry_back_off"},
    {"num_retries"},
    {"retry_on", Support::kIgnored, "every failure is tried again, as in Envoy"},
    {"retry_priority", Support::kIgnored, "as in Envoy"},
    {"retry_host_predicate", Support::kIgnored, "as in Envoy"},
    {"host_selection_retry_max_attempts", Support::kIgnored, "as in Envoy"},
};
constexpr MessageRules kRules[] = {
    {"envoy.config.core.v3.HttpUri", kHttpUri},
    {"envoy.config.core.v3.RetryPolicy", kRetryPolicy},
};

// Splits "scheme://host/path". Envoy takes a URI without a scheme as well.
void read_uri(View uri, RemoteSource& out, BuildContext& context) {
  const std::string written = uri.text("uri");
  out.uri = without_secrets(written);
  if (!context.require(uri, "uri")) return;
  std::string_view rest = written;
  if (const size_t scheme = rest.find("://"); scheme != std::string_view::npos) {
    const std::string name = lower(rest.substr(0, scheme));
    if (name != "http" && name != "https")
      context.field_error(uri, "uri", "expected http://HOST/PATH, found " + document::quote(out.uri));
    rest.remove_prefix(scheme + 3);
  }
  rest = rest.substr(0, rest.find('#'));
  const size_t path = std::min(rest.find('/'), rest.find('?'));
  out.host = rest.substr(0, path);
  out.path = path == std::string_view::npos ? "/" : rest.substr(path);
  if (out.path.starts_with('?')) out.path.insert(0, "/");
  const auto plain = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  };
  if (out.host.empty() || !plain(out.host) || !plain(out.path) || out.host.find('@') != std::string::npos)
    context.field_error(uri, "uri", "expected http://HOST/PATH in printable ASCII, found " + document::quote(out.uri));
}

}  // namespace

std::span<const MessageRules> http_uri_rules() {
  return kRules;
}

void read_http_uri(View uri, bool needs_cluster, RemoteSource& out, BuildContext& context) {
  read_uri(uri, out, context);
  if (context.require(uri, "cluster")) {
    out.cluster = uri.text("cluster");
    if (!context.clusters.contains(out.cluster)) {
      const std::string what = "there is no cluster named " + document::quote(out.cluster) + " in `static_resources`";
      needs_cluster ? context.field_error(uri, "cluster", what) : context.report.warning(uri["cluster"].node(), what);
    }
  }
  if (context.require(uri, "timeout")) out.timeout = uri.duration("timeout", Milliseconds(0));
}

void read_retry_policy(View policy, RemoteSource& out, BuildContext& context) {
  out.num_retries = policy.uint32("num_retries", 1);
  const View back_off = policy["retry_back_off"];
  if (!back_off) return;
  if (context.require(back_off, "base_interval")) {
    out.back_off_base = back_off.duration("base_interval", out.back_off_base);
    if (out.back_off_base < Milliseconds(1)) context.field_error(back_off, "base_interval", "must be at least 0.001s");
  }
  out.back_off_max = back_off.duration("max_interval", 10 * out.back_off_base);
  if (out.back_off_max < out.back_off_base)
    context.field_error(back_off, "max_interval", "must not be shorter than `base_interval`");
}

}  // namespace inlay::config
