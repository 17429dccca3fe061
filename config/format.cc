// SPDX-License-Identifier: Apache-2.0
#include "config/format.h"
#include "base/ascii.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "config/builders.h"

namespace inlay::config {
namespace {

struct OperatorName {
  std::string_view name;
  Operator op;
};
constexpr OperatorName kOperators[] = {
    {"REQ", Operator::kRequestHeader},
    {"RESP", Operator::kResponseHeader},
    {"TRAILER", Operator::kResponseTrailer},
    {"PROTOCOL", Operator::kProtocol},
    {"RESPONSE_CODE", Operator::kResponseCode},
    {"RESPONSE_CODE_DETAILS", Operator::kResponseCodeDetails},
    {"RESPONSE_FLAGS", Operator::kResponseFlags},
    {"BYTES_RECEIVED", Operator::kBytesReceived},
    {"BYTES_SENT", Operator::kBytesSent},
    {"REQUEST_HEADERS_BYTES", Operator::kRequestHeadersBytes},
    {"RESPONSE_HEADERS_BYTES", Operator::kResponseHeadersBytes},
    {"DURATION", Operator::kDuration},
    {"RESPONSE_DURATION", Operator::kResponseDuration},
    {"START_TIME", Operator::kStartTime},
    {"UPSTREAM_HOST", Operator::kUpstreamHost},
    {"UPSTREAM_REMOTE_ADDRESS", Operator::kUpstreamHost},
    {"UPSTREAM_CLUSTER", Operator::kUpstreamCluster},
    {"UPSTREAM_LOCAL_ADDRESS", Operator::kUpstreamLocalAddress},
    {"UPSTREAM_REQUEST_ATTEMPT_COUNT", Operator::kAttemptCount},
    {"UPSTREAM_TRANSPORT_FAILURE_REASON", Operator::kUpstreamTransportFailure},
    {"ROUTE_NAME", Operator::kRouteName},
    {"VIRTUAL_HOST_NAME", Operator::kVirtualHostName},
    {"DOWNSTREAM_REMOTE_ADDRESS", Operator::kDownstreamRemote},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS", Operator::kDownstreamDirect},
    {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Operator::kDownstreamRemoteNoPort},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", Operator::kDownstreamDirectNoPort},
    {"DOWNSTREAM_REMOTE_PORT", Operator::kDownstreamRemotePort},
    {"DOWNSTREAM_DIRECT_REMOTE_PORT", Operator::kDownstreamDirectPort},
    {"DOWNSTREAM_LOCAL_ADDRESS", Operator::kDownstreamLocal},
    {"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Operator::kDownstreamLocalNoPort},
    {"DOWNSTREAM_LOCAL_PORT", Operator::kDownstreamLocalPort},
    {"FILTER_STATE", Operator::kFilterState},
    {"HOSTNAME", Operator::kHostname},
    {"STREAM_ID", Operator::kStreamId},
    {"CONNECTION_ID", Operator::kConnectionId},
    {"REQUESTED_SERVER_NAME", Operator::kServerName},
    {"DOWNSTREAM_TLS_VERSION", Operator::kTlsVersion},
    {"DOWNSTREAM_TLS_CIPHER", Operator::kTlsCipher},
    {"DOWNSTREAM_PEER_SUBJECT", Operator::kPeerSubject},
    {"DOWNSTREAM_PEER_URI_SAN", Operator::kPeerUri},
    {"DOWNSTREAM_PEER_DNS_SAN", Operator::kPeerDns},
    {"DOWNSTREAM_PEER_FINGERPRINT_256", Operator::kPeerFingerprint},
    // No dynamic metadata.
    {"DYNAMIC_METADATA", Operator::kNothing},
    {"GRPC_STATUS", Operator::kNothing},
};

bool takes_header(Operator op) {
  return op == Operator::kRequestHeader || op == Operator::kResponseHeader || op == Operator::kResponseTrailer;
}

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

bool is_state_form(std::string_view word) {
  return word == "PLAIN" || word == "TYPED";
}

Result<Unit> set_argument(FormatPart& part, std::string_view name, std::string_view argument) {
  if (takes_header(part.op)) {
    const size_t question = argument.find('?');
    part.text = lower(argument.substr(0, question));
    if (question != std::string_view::npos) part.otherwise = lower(argument.substr(question + 1));
    if (part.text.empty()) return invalid("`%" + std::string(name) + "%` needs a header's name in parentheses");
  } else if (part.op == Operator::kFilterState) {
    const size_t colon = argument.rfind(':');
    const bool form = colon != std::string_view::npos && is_state_form(argument.substr(colon + 1));
    part.text = argument.substr(0, form ? colon : argument.size());
    if (part.text.empty()) return invalid("`%FILTER_STATE%` needs a key in parentheses, such as `wasm.x:PLAIN`");
  } else {
    part.text = argument;
  }
  return Unit{};
}

// Reads one operator, NAME[(argument)][:length]%, from `text`, which begins after the first "%", and takes it off.
Result<FormatPart> parse_operator(std::string_view& text) {
  const auto at = std::find_if_not(text.begin(), text.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
  const std::string_view name = text.substr(0, static_cast<size_t>(at - text.begin()));
  text.remove_prefix(name.size());
  std::string_view argument;
  if (text.starts_with('(')) {
    const size_t close = text.find(')');
    if (close == std::string_view::npos) return invalid("a `(` is never closed");
    argument = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
  }
  FormatPart part;
  if (text.starts_with(':')) {
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), part.max_length);
    if (error != std::errc() || part.max_length == 0) return invalid("a `:` must be followed by a length");
    text.remove_prefix(static_cast<size_t>(end - text.data()));
  }
  if (!text.starts_with('%')) {
    return invalid("a `%` begins an operator that is never closed; a percent sign is written `%%`");
  }
  text.remove_prefix(1);
  const auto known =
      std::find_if(std::begin(kOperators), std::end(kOperators), [&](const OperatorName& o) { return o.name == name; });
  if (known == std::end(kOperators)) {
    std::vector<std::string_view> names;
    for (const OperatorName& o : kOperators) names.push_back(o.name);
    const std::string near = nearest(name, names, 3);
    return invalid("there is no operator `%" + std::string(name) + "%`" +
                   (near.empty() ? "" : "; did you mean `%" + near + "%`?"));
  }
  part.op = known->op;
  INLAY_RETURN_IF_ERROR(set_argument(part, name, argument));
  return part;
}

}  // namespace

Result<Format> parse_format(std::string_view text) {
  Format format;
  std::string literal;
  const auto end_literal = [&] {
    if (!literal.empty()) format.parts.push_back({Operator::kText, std::exchange(literal, {}), "", 0});
  };
  while (!text.empty()) {
    const size_t percent = std::min(text.find('%'), text.size());
    literal += text.substr(0, percent);
    text.remove_prefix(percent);
    if (text.starts_with("%%")) {
      literal += '%';
      text.remove_prefix(2);
    } else if (!text.empty()) {
      text.remove_prefix(1);
      INLAY_TRY(FormatPart part, parse_operator(text));
      end_literal();
      format.parts.push_back(std::move(part));
    }
  }
  end_literal();
  return format;
}

}  // namespace inlay::config
