// SPDX-License-Identifier: Apache-2.0
#include "proxy/admin/prometheus_name.h"

#include "base/ascii.h"
#include "base/printable.h"

namespace inlay::proxy::admin {
namespace {

constexpr std::string_view kGuests = "wasmcustom.";

// What stands between the first dot and the last is the label's value: "cluster.<value>.<statistic>". Values may have
// dots
// ("listener.127.0.0.1_80.x"), statistics of these three have none.
struct Labelled {
  std::string_view prefix;
  std::string_view label;
};
constexpr Labelled kLabelled[] = {
    {"cluster.", "envoy_cluster_name"},
    {"http.", "envoy_http_conn_manager_prefix"},
    {"listener.", "envoy_listener_address"},
};

void append_sanitized(std::string_view text, std::string& out) {
  for (const char c : text) {
    const bool fine = is_alphanumeric(c) || c == '_';
    out += fine ? c : '_';
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "..._rq_200" and "..._rq_2xx": takes the code off the name.
std::string_view take_code(std::string_view name, std::string& labels) {
  const size_t underscore = name.rfind("_rq_");
  if (underscore == std::string_view::npos) return name;
  const std::string_view code = name.substr(underscore + 4);
  if (code.size() != 3 || !is_digit(code[0])) return name;
  if (code.substr(1) == "xx") {
    append_label("envoy_response_code_class", code.substr(0, 1), labels);
    return name.substr(0, underscore + 4);  // the caller puts the "xx" back
  }
  if (!is_digit(code[1]) || !is_digit(code[2])) return name;
  append_label("envoy_response_code", code, labels);
  return name.substr(0, underscore + 3);
}

}  // namespace

void append_label(std::string_view label, std::string_view value, std::string& out) {
  if (!out.empty()) out += ',';
  append_sanitized(label, out);
  out += "=\"";
  const std::string valid = is_utf8(value) ? std::string() : valid_utf8(value);
  for (const char c : valid.empty() ? value : std::string_view(valid)) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    out += control ? "\xef\xbf\xbd" : std::string(1, c);
  }
  out += '"';
}

bool is_guest_metric(std::string_view name) {
  return name.starts_with(kGuests);
}

PrometheusName split_prometheus_name(std::string_view name) {
  PrometheusName result;
  if (is_guest_metric(name)) {
    name.remove_prefix(kGuests.size());
    if (!name.empty() && is_digit(name[0])) result.family += '_';
    append_sanitized(name, result.family);
    return result;
  }
  result.family = "envoy_";
  const std::string_view coded = take_code(name, result.labels);
  std::string plain(coded);
  if (coded.ends_with("_rq_") && coded.size() != name.size()) plain += "xx";
  std::string_view rest = plain;
  for (const Labelled& labelled : kLabelled) {
    const size_t last = rest.rfind('.');
    if (!rest.starts_with(labelled.prefix) || last == std::string_view::npos || last < labelled.prefix.size()) continue;
    append_label(labelled.label, rest.substr(labelled.prefix.size(), last - labelled.prefix.size()), result.labels);
    append_sanitized(labelled.prefix, result.family);
    rest.remove_prefix(last + 1);
    break;
  }
  append_sanitized(rest, result.family);
  return result;
}

}  // namespace inlay::proxy::admin
