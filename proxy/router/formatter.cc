// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/formatter.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/ascii.h"
#include "proxy/router/empty_value.h"
#include "proxy/router/metadata_value.h"
#include "proxy/router/route_table.h"

namespace inlay::proxy::router {
namespace {

using config::FormatPart;
using config::Operator;

void append_number(uint64_t n, std::string& out) {
  char text[24];
  const auto [end, error] = std::to_chars(text, text + sizeof text, n);
  out.append(text, end);
}

void append_digits(uint64_t n, int digits, std::string& out) {
  char text[20];
  for (int i = digits; i-- > 0; n /= 10) text[i] = static_cast<char>('0' + n % 10);
  out.append(text, static_cast<size_t>(digits));
}

// 2026-11-23T01:02:03.456Z. The second's text is kept, since a busy worker writes many lines in each.
void append_default_time(int64_t nanoseconds, std::string& out) {
  thread_local std::time_t kept = -1;
  thread_local char text[32];
  thread_local size_t length = 0;
  const std::time_t seconds = nanoseconds / 1'000'000'000;
  if (seconds != kept) {
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &utc);
    kept = seconds;
  }
  out.append(text, length);
  append_digits(static_cast<uint64_t>(nanoseconds / 1'000'000 % 1000), 3, out);
  out += 'Z';
}

// strftime in UTC, and Envoy's own: %s (seconds since the epoch) and %f, %1f to %9f (digits of the second's fraction).
void append_time(int64_t nanoseconds, std::string_view format, std::string& out) {
  if (format.empty()) return append_default_time(nanoseconds, out);
  const std::time_t seconds = nanoseconds / 1'000'000'000;
  const auto fraction = static_cast<uint64_t>(nanoseconds % 1'000'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  while (!format.empty()) {
    const size_t percent = std::min(format.find('%'), format.size());
    out += format.substr(0, percent);
    format.remove_prefix(percent);
    if (format.size() < 2) {
      out += format;
      return;
    }
    const char c = format[1];
    size_t used = 2;
    if (c == 's') {
      append_number(static_cast<uint64_t>(seconds), out);
    } else if (c == 'f' || (c >= '1' && c <= '9' && format.size() > 2 && format[2] == 'f')) {
      const int digits = c == 'f' ? 9 : c - '0';
      uint64_t value = fraction;
      for (int i = digits; i < 9; ++i) value /= 10;
      append_digits(value, digits, out);
      used = c == 'f' ? 2 : 3;
    } else {
      if ((c == 'E' || c == 'O') && format.size() > 2) used = 3;  // a modifier of the letter that follows
      const std::string one(format.substr(0, used));
      char text[64];
      out.append(text, std::strftime(text, sizeof text, one.c_str(), &utc));
    }
    format.remove_prefix(used);
  }
}

// A word of Envoy's may hold spaces; in a log it is one word.
void append_details(const std::string& details, const std::string& argument, std::string& out) {
  const size_t from = out.size();
  out += details;
  if (argument != "ALLOW_WHITESPACES") std::replace(out.begin() + static_cast<ptrdiff_t>(from), out.end(), ' ', '_');
}

void append_header(const http::HeaderMap* headers, std::string_view name, std::string_view otherwise,
                   std::string& out) {
  if (headers == nullptr) return;
  auto value = headers->get(name);
  if (!value && !otherwise.empty()) value = headers->get(otherwise);
  if (value) out += *value;
}

const std::string& hostname() {
  static const std::string name = [] {
    char text[256] = {};
    return gethostname(text, sizeof text - 1) == 0 ? std::string(text) : std::string();
  }();
  return name;
}

struct FlagName {
  uint32_t flag;
  std::string_view name;
};
constexpr FlagName kFlags[] = {
    {downstream::kUpstreamConnectionFailure, "UF"},
    {downstream::kNoHealthyUpstream, "UH"},
    {downstream::kUpstreamConnectionTermination, "UC"},
    {downstream::kUpstreamRequestTimeout, "UT"},
    {downstream::kUpstreamRemoteReset, "UR"},
    {downstream::kUpstreamOverflow, "UO"},
    {downstream::kUpstreamProtocolError, "UPE"},
    {downstream::kNoRouteFound, "NR"},
    {downstream::kNoClusterFound, "NC"},
    {downstream::kDownstreamConnectionTermination, "DC"},
    {downstream::kDownstreamProtocolError, "DPE"},
    {downstream::kStreamIdleTimeout, "SI"},
    {downstream::kDurationTimeout, "DT"},
    {downstream::kUpstreamRetryLimitExceeded, "URX"},
    {downstream::kLocalReset, "LR"},
};

}  // namespace

std::string response_flags_text(uint32_t flags) {
  std::string out;
  for (const FlagName& f : kFlags) {
    if ((flags & f.flag) == 0) continue;
    if (!out.empty()) out += ',';
    out += f.name;
  }
  return out.empty() ? "-" : out;
}

uint32_t response_flag_of(std::string_view name) {
  for (const FlagName& f : kFlags) {
    if (f.name == name) return f.flag;
  }
  return 0;
}

namespace {

uint64_t milliseconds(int64_t from, int64_t to) {
  return to > from ? static_cast<uint64_t>((to - from) / 1'000'000) : 0;
}

std::string_view tls_text(Operator op, const net::TlsInfo& tls) {
  switch (op) {
    case Operator::kServerName:
      return tls.server_name;
    case Operator::kTlsVersion:
      return tls.version;
    case Operator::kTlsCipher:
      return tls.cipher;
    case Operator::kPeerSubject:
      return tls.peer.subject;
    case Operator::kPeerUri:
      return tls.peer.uri_name;
    case Operator::kPeerDns:
      return tls.peer.dns_name;
    default:
      return tls.peer_digest;
  }
}

// As they were sent on: with what filters and the router have made of them. 0 for a request that was none.
uint64_t request_headers_bytes(const FormatContext& context) {
  const bool none = context.request_headers == nullptr || context.info->request_headers_bytes == 0;
  return none ? 0 : context.request_headers->byte_size();
}

void append_operator(const FormatPart& part, const FormatContext& context, std::string& out) {
  const downstream::StreamInfo& info = *context.info;
  const auto address = [&](const Address* a) {
    if (a != nullptr && !a->host.empty()) out += a->to_string();
  };
  const auto ip = [&](const Address* a) {
    if (a != nullptr) out += a->host;
  };
  const auto port = [&](const Address* a) {
    if (a != nullptr && !a->is_pipe) append_number(a->port, out);
  };
  const auto upstream_port = [&](const Address& a) {
    if (!a.host.empty()) port(&a);
  };
  switch (part.op) {
    case Operator::kText:
      out += part.text;
      return;
    case Operator::kRequestHeader:
      return append_header(context.request_headers, part.text, part.otherwise, out);
    case Operator::kResponseHeader:
      return append_header(context.response_headers, part.text, part.otherwise, out);
    case Operator::kResponseTrailer:
      return append_header(context.response_trailers, part.text, part.otherwise, out);
    case Operator::kProtocol:
      out += info.protocol;
      return;
    case Operator::kResponseCode:
      return append_number(info.response_code, out);
    case Operator::kResponseCodeDetails:
      return append_details(info.response_code_details, part.text, out);
    case Operator::kResponseFlags:
      out += response_flags_text(info.response_flags);
      return;
    case Operator::kBytesReceived:
      return append_number(info.bytes_received, out);
    case Operator::kBytesSent:
      return append_number(info.bytes_sent, out);
    case Operator::kRequestHeadersBytes:
      return append_number(request_headers_bytes(context), out);
    case Operator::kResponseHeadersBytes:
      return append_number(info.response_headers_bytes, out);
    case Operator::kDuration:
      return append_number(milliseconds(info.start_monotonic, context.now_monotonic), out);
    case Operator::kResponseDuration:
      if (info.upstream_first_byte_monotonic == 0) return;
      return append_number(milliseconds(info.start_monotonic, info.upstream_first_byte_monotonic), out);
    case Operator::kStartTime:
      return append_time(info.start_system, part.text, out);
    case Operator::kUpstreamHost:
      return address(&info.upstream_host);
    case Operator::kUpstreamHostNoPort:
      return ip(&info.upstream_host);
    case Operator::kUpstreamHostPort:
      return upstream_port(info.upstream_host);
    case Operator::kUpstreamCluster:
      out += info.upstream_cluster;
      return;
    case Operator::kUpstreamLocalAddress:
      return address(&info.upstream_local);
    case Operator::kUpstreamLocalNoPort:
      return ip(&info.upstream_local);
    case Operator::kUpstreamLocalPort:
      return upstream_port(info.upstream_local);
    case Operator::kUpstreamTransportFailure:
      return append_details(info.upstream_transport_failure, "", out);
    case Operator::kAttemptCount:
      return append_number(info.upstream_request_attempts, out);
    case Operator::kRouteName:
      if (info.route != nullptr) out += info.route->config->name;
      return;
    case Operator::kDownstreamRemote:
      return address(info.downstream_remote);
    case Operator::kDownstreamRemoteNoPort:
      return ip(info.downstream_remote);
    case Operator::kDownstreamRemotePort:
      return port(info.downstream_remote);
    case Operator::kDownstreamDirect:
      return address(info.downstream_direct_remote);
    case Operator::kDownstreamDirectNoPort:
      return ip(info.downstream_direct_remote);
    case Operator::kDownstreamDirectPort:
      return port(info.downstream_direct_remote);
    case Operator::kDownstreamLocal:
      return address(info.downstream_local);
    case Operator::kDownstreamLocalNoPort:
      return ip(info.downstream_local);
    case Operator::kDownstreamLocalPort:
      return port(info.downstream_local);
    case Operator::kFilterState:
      for (const downstream::FilterState& state : info.filter_state) {
        if (state.name == part.text) out += state.value;
      }
      return;
    case Operator::kDynamicMetadata:
      if (const auto value = metadata_value(info.dynamic_metadata, part.text)) out += value->text;
      return;
    case Operator::kHostname:
      out += hostname();
      return;
    case Operator::kStreamId:
      return append_header(context.request_headers, "x-request-id", "", out);
    case Operator::kConnectionId:
      return append_number(info.connection_id, out);
    case Operator::kServerName:
    case Operator::kTlsVersion:
    case Operator::kTlsCipher:
    case Operator::kPeerSubject:
    case Operator::kPeerUri:
    case Operator::kPeerDns:
    case Operator::kPeerFingerprint:
      if (info.downstream_tls != nullptr) out += tls_text(part.op, *info.downstream_tls);
      return;
    case Operator::kNothing:
      return;
  }
}

bool has_header(const http::HeaderMap* headers, const FormatPart& part) {
  return headers != nullptr && (headers->get(part.text) || (!part.otherwise.empty() && headers->get(part.otherwise)));
}

void escape_controls(std::string& out, size_t from) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  const auto begin = out.begin() + static_cast<ptrdiff_t>(from);
  if (std::none_of(begin, out.end(), is_control)) return;
  const std::string value(begin, out.end());
  out.resize(from);
  for (const char c : value) {
    if (!is_control(c)) {
      out += c;
      continue;
    }
    append_hex(out += "\\x", c, kUpperHex);
  }
}

}  // namespace

bool has_empty_value(const FormatPart& part, const FormatContext& context) {
  const auto is_pipe = [](const Address* a) { return a != nullptr && a->is_pipe; };
  switch (part.op) {
    case Operator::kRequestHeader:
      return has_header(context.request_headers, part);
    case Operator::kResponseHeader:
      return has_header(context.response_headers, part);
    case Operator::kResponseTrailer:
      return has_header(context.response_trailers, part);
    case Operator::kDynamicMetadata:
      return metadata_value(context.info->dynamic_metadata, part.text).has_value();
    case Operator::kResponseCodeDetails:
      return context.info->response_code != 0;  // a guest's reply that gave none
    case Operator::kDownstreamRemotePort:
      return is_pipe(context.info->downstream_remote);
    case Operator::kDownstreamDirectPort:
      return is_pipe(context.info->downstream_direct_remote);
    case Operator::kDownstreamLocalPort:
      return is_pipe(context.info->downstream_local);
    default:
      return false;
  }
}

void append_value(const FormatPart& part, const FormatContext& context, std::string& out) {
  const size_t before = out.size();
  append_operator(part, context, out);
  if (out.size() - before > part.max_length) out.resize(before + part.max_length);
}

Result<Formatter> Formatter::compile(std::string_view format) {
  auto parsed = config::parse_format(format);
  if (!parsed) {
    Error error = parsed.error();
    error.message = "in '" + std::string(format) + "': " + error.message;
    return error;
  }
  return Formatter(*std::move(parsed));
}

Formatter::Formatter(config::Format format) : parts_(std::move(format.parts)) {
  const bool is_text =
      std::all_of(parts_.begin(), parts_.end(), [](const FormatPart& part) { return part.op == Operator::kText; });
  if (!is_text) return;
  for (const FormatPart& part : parts_) text_ += part.text;
  parts_.clear();
}

void Formatter::append(const FormatContext& context, std::string& out) const {
  out += text_;
  for (const FormatPart& part : parts_) append_value(part, context, out);
}

void Formatter::append_line(const FormatContext& context, std::string_view empty, std::string& out) const {
  out += text_;
  for (const FormatPart& part : parts_) {
    const size_t before = out.size();
    append_value(part, context, out);
    if (part.op == Operator::kText) continue;
    if (out.size() == before) {
      if (!has_empty_value(part, context)) out += empty;
    } else {
      escape_controls(out, before);
    }
  }
}

}  // namespace inlay::proxy::router
