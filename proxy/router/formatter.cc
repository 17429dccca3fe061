// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/formatter.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "proxy/router/route_table.h"

namespace inlay::proxy::router {
namespace {

using host::HeaderId;

struct OperatorName {
  std::string_view name;
  Operator op;
};
constexpr OperatorName kOperators[] = {
    {"REQ", Operator::kRequestHeader},
    {"RESP", Operator::kResponseHeader},
    {"PROTOCOL", Operator::kProtocol},
    {"RESPONSE_CODE", Operator::kResponseCode},
    {"RESPONSE_CODE_DETAILS", Operator::kResponseCodeDetails},
    {"RESPONSE_FLAGS", Operator::kResponseFlags},
    {"BYTES_RECEIVED", Operator::kBytesReceived},
    {"BYTES_SENT", Operator::kBytesSent},
    {"DURATION", Operator::kDuration},
    {"START_TIME", Operator::kStartTime},
    {"UPSTREAM_HOST", Operator::kUpstreamHost},
    {"UPSTREAM_REMOTE_ADDRESS", Operator::kUpstreamHost},
    {"UPSTREAM_CLUSTER", Operator::kUpstreamCluster},
    {"UPSTREAM_LOCAL_ADDRESS", Operator::kUpstreamLocalAddress},
    {"UPSTREAM_REQUEST_ATTEMPT_COUNT", Operator::kAttemptCount},
    {"ROUTE_NAME", Operator::kRouteName},
    {"VIRTUAL_HOST_NAME", Operator::kVirtualHostName},
    {"DOWNSTREAM_REMOTE_ADDRESS", Operator::kDownstreamRemote},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS", Operator::kDownstreamRemote},
    {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Operator::kDownstreamRemoteNoPort},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", Operator::kDownstreamRemoteNoPort},
    {"DOWNSTREAM_REMOTE_PORT", Operator::kDownstreamRemotePort},
    {"DOWNSTREAM_LOCAL_ADDRESS", Operator::kDownstreamLocal},
    {"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Operator::kDownstreamLocalNoPort},
    {"DOWNSTREAM_LOCAL_PORT", Operator::kDownstreamLocalPort},
    {"FILTER_STATE", Operator::kFilterState},
    {"HOSTNAME", Operator::kHostname},
    {"STREAM_ID", Operator::kStreamId},
    {"CONNECTION_ID", Operator::kConnectionId},
    {"REQUESTED_SERVER_NAME", Operator::kRequestedServerName},
    // Known, but never with a value here: no TLS, no dynamic metadata, no trailers at the time of the head.
    {"DYNAMIC_METADATA", Operator::kNothing},
    {"TRAILER", Operator::kNothing},
    {"GRPC_STATUS", Operator::kNothing},
    {"DOWNSTREAM_PEER_SUBJECT", Operator::kNothing},
    {"DOWNSTREAM_PEER_URI_SAN", Operator::kNothing},
    {"DOWNSTREAM_TLS_VERSION", Operator::kNothing},
    {"UPSTREAM_TRANSPORT_FAILURE_REASON", Operator::kNothing},
};

bool takes_header(Operator op) {
  return op == Operator::kRequestHeader || op == Operator::kResponseHeader;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return out;
}

void append_number(uint64_t n, std::string& out) {
  char text[24];
  const auto [end, error] = std::to_chars(text, text + sizeof text, n);
  out.append(text, end);
}

void append_time(int64_t nanoseconds, std::string_view format, std::string& out) {
  const std::time_t seconds = nanoseconds / 1'000'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[128];
  if (!format.empty()) {
    out.append(text, std::strftime(text, sizeof text, std::string(format).c_str(), &utc));
    return;
  }
  out.append(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &utc));
  const auto millis = static_cast<unsigned>(nanoseconds / 1'000'000 % 1000);
  out += static_cast<char>('0' + millis / 100);
  out += static_cast<char>('0' + millis / 10 % 10);
  out += static_cast<char>('0' + millis % 10);
  out += 'Z';
}

void append_header(const host::HeaderMap* headers, std::string_view name, std::string_view otherwise,
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
    {http::kUpstreamConnectionFailure, "UF"},
    {http::kNoHealthyUpstream, "UH"},
    {http::kUpstreamConnectionTermination, "UC"},
    {http::kUpstreamRequestTimeout, "UT"},
    {http::kUpstreamRemoteReset, "UR"},
    {http::kUpstreamOverflow, "UO"},
    {http::kUpstreamProtocolError, "UPE"},
    {http::kNoRouteFound, "NR"},
    {http::kNoClusterFound, "NC"},
    {http::kDownstreamConnectionTermination, "DC"},
    {http::kDownstreamProtocolError, "DPE"},
    {http::kStreamIdleTimeout, "SI"},
    {http::kDurationTimeout, "DT"},
    {http::kLocalReset, "LR"},
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

namespace {

void append_operator(Operator op, const std::string& text, const std::string& otherwise, const FormatContext& context,
                     std::string& out) {
  const http::StreamInfo& info = *context.info;
  const auto address = [&](const config::Address* a) {
    if (a != nullptr && !a->host.empty()) out += a->to_string();
  };
  const auto ip = [&](const config::Address* a) {
    if (a != nullptr) out += a->host;
  };
  const auto port = [&](const config::Address* a) {
    if (a != nullptr) append_number(a->port, out);
  };
  switch (op) {
    case Operator::kText:
      out += text;
      return;
    case Operator::kRequestHeader:
      return append_header(context.request_headers, text, otherwise, out);
    case Operator::kResponseHeader:
      return append_header(context.response_headers, text, otherwise, out);
    case Operator::kProtocol:
      out += info.protocol;
      return;
    case Operator::kResponseCode:
      return append_number(info.response_code, out);
    case Operator::kResponseCodeDetails:
      out += info.response_code_details;
      return;
    case Operator::kResponseFlags:
      out += response_flags_text(info.response_flags);
      return;
    case Operator::kBytesReceived:
      return append_number(info.bytes_received, out);
    case Operator::kBytesSent:
      return append_number(info.bytes_sent, out);
    case Operator::kDuration:
      return append_number(static_cast<uint64_t>((context.now_monotonic - info.start_monotonic) / 1'000'000), out);
    case Operator::kStartTime:
      return append_time(info.start_system, text, out);
    case Operator::kUpstreamHost:
      return address(&info.upstream_host);
    case Operator::kUpstreamCluster:
      out += info.upstream_cluster;
      return;
    case Operator::kUpstreamLocalAddress:
      return address(&info.upstream_local);
    case Operator::kAttemptCount:
      return append_number(info.upstream_request_attempts, out);
    case Operator::kRouteName:
      if (info.route != nullptr) out += info.route->config->name;
      return;
    case Operator::kVirtualHostName:
      if (info.route != nullptr) out += info.route->virtual_host->name;
      return;
    case Operator::kDownstreamRemote:
      return address(info.downstream_remote);
    case Operator::kDownstreamRemoteNoPort:
      return ip(info.downstream_remote);
    case Operator::kDownstreamRemotePort:
      return port(info.downstream_remote);
    case Operator::kDownstreamLocal:
      return address(info.downstream_local);
    case Operator::kDownstreamLocalNoPort:
      return ip(info.downstream_local);
    case Operator::kDownstreamLocalPort:
      return port(info.downstream_local);
    case Operator::kFilterState:
      for (const auto& [key, value] : info.filter_state) {
        if (key == text) out += value;
      }
      return;
    case Operator::kHostname:
      out += hostname();
      return;
    case Operator::kStreamId:
      return append_header(context.request_headers, "x-request-id", "", out);
    case Operator::kConnectionId:
      return append_number(info.connection_id, out);
    case Operator::kRequestedServerName:
    case Operator::kNothing:
      return;
  }
}

}  // namespace

Result<Formatter> Formatter::compile(std::string_view format) {
  Formatter f;
  const auto invalid = [&](const std::string& what) {
    return Error{ErrorCode::kInvalidArgument, "in '" + std::string(format) + "': " + what, ""};
  };
  std::string literal;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      literal += format[i];
      continue;
    }
    if (i + 1 < format.size() && format[i + 1] == '%') {
      literal += '%';
      ++i;
      continue;
    }
    // NAME[(argument)][:length]%
    size_t at = i + 1;
    while (at < format.size() && ((format[at] >= 'A' && format[at] <= 'Z') || format[at] == '_')) ++at;
    const std::string_view name = format.substr(i + 1, at - i - 1);
    std::string_view argument;
    if (at < format.size() && format[at] == '(') {
      const size_t close = format.find(')', at);
      if (close == std::string_view::npos) return invalid("a '(' is never closed");
      argument = format.substr(at + 1, close - at - 1);
      at = close + 1;
    }
    FormatPart part;
    if (at < format.size() && format[at] == ':') {
      const auto [end, error] = std::from_chars(format.data() + at + 1, format.data() + format.size(), part.max_length);
      if (error != std::errc() || part.max_length == 0) return invalid("a ':' must be followed by a length");
      at = static_cast<size_t>(end - format.data());
    }
    if (at >= format.size() || format[at] != '%') {
      return invalid("a '%' begins an operator that is never closed; a percent sign is written '%%'");
    }
    const auto known = std::find_if(std::begin(kOperators), std::end(kOperators),
                                    [&](const OperatorName& o) { return o.name == name; });
    if (known == std::end(kOperators)) return invalid("unknown operator '%" + std::string(name) + "%'");
    part.op = known->op;
    if (takes_header(part.op)) {
      if (argument.empty()) return invalid("'%" + std::string(name) + "%' needs a header's name in parentheses");
      const size_t question = argument.find('?');
      part.text = lower(argument.substr(0, question));
      if (question != std::string_view::npos) part.otherwise = lower(argument.substr(question + 1));
    } else if (part.op == Operator::kFilterState) {
      part.text = argument.substr(0, argument.find(':'));
    } else {
      part.text = argument;
    }
    if (!literal.empty()) f.parts_.push_back({Operator::kText, std::exchange(literal, {}), "", 0});
    f.parts_.push_back(std::move(part));
    i = at;
  }
  if (f.parts_.empty()) {
    f.text_ = std::move(literal);
  } else if (!literal.empty()) {
    f.parts_.push_back({Operator::kText, std::move(literal), "", 0});
  }
  return f;
}

void Formatter::append(const FormatContext& context, std::string& out) const {
  out += text_;
  for (const FormatPart& part : parts_) {
    const size_t before = out.size();
    append_operator(part.op, part.text, part.otherwise, context, out);
    if (part.max_length != 0 && out.size() - before > part.max_length) out.resize(before + part.max_length);
  }
}

}  // namespace inlay::proxy::router
