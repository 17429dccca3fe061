// SPDX-License-Identifier: Apache-2.0
#include "config/format.h"
#include "base/ascii.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "config/builders.h"
#include "document/scalars.h"

namespace inlay::config {
namespace {

// What may stand behind an operator's name: an argument in parentheses, a length after a colon. As Envoy 1.40 has it
// (source/common/formatter), whose every operator was tried.
enum class Argument : uint8_t { kNone, kOptional, kOptionalAndLength, kNeeded, kNeededAndLength };

struct OperatorName {
  std::string_view name;
  Operator op;
  Argument argument;
};
constexpr OperatorName kOperators[] = {
    {"REQ", Operator::kRequestHeader, Argument::kNeededAndLength},
    {"REQUEST_HEADER", Operator::kRequestHeader, Argument::kNeededAndLength},
    {"RESP", Operator::kResponseHeader, Argument::kNeededAndLength},
    {"RESPONSE_HEADER", Operator::kResponseHeader, Argument::kNeededAndLength},
    {"TRAILER", Operator::kResponseTrailer, Argument::kNeededAndLength},
    {"RESPONSE_TRAILER", Operator::kResponseTrailer, Argument::kNeededAndLength},
    {"PROTOCOL", Operator::kProtocol, Argument::kNone},
    {"RESPONSE_CODE", Operator::kResponseCode, Argument::kNone},
    {"RESPONSE_CODE_DETAILS", Operator::kResponseCodeDetails, Argument::kOptional},
    {"RESPONSE_FLAGS", Operator::kResponseFlags, Argument::kNone},
    {"BYTES_RECEIVED", Operator::kBytesReceived, Argument::kNone},
    {"BYTES_SENT", Operator::kBytesSent, Argument::kNone},
    {"REQUEST_HEADERS_BYTES", Operator::kRequestHeadersBytes, Argument::kNone},
    {"RESPONSE_HEADERS_BYTES", Operator::kResponseHeadersBytes, Argument::kNone},
    {"DURATION", Operator::kDuration, Argument::kNone},
    {"RESPONSE_DURATION", Operator::kResponseDuration, Argument::kNone},
    {"START_TIME", Operator::kStartTime, Argument::kOptional},
    {"UPSTREAM_HOST", Operator::kUpstreamHost, Argument::kNone},
    {"UPSTREAM_REMOTE_ADDRESS", Operator::kUpstreamHost, Argument::kNone},
    {"UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Operator::kUpstreamHostNoPort, Argument::kOptional},
    {"UPSTREAM_REMOTE_PORT", Operator::kUpstreamHostPort, Argument::kNone},
    {"UPSTREAM_CLUSTER", Operator::kUpstreamCluster, Argument::kNone},
    {"UPSTREAM_CLUSTER_RAW", Operator::kUpstreamCluster, Argument::kNone},
    {"UPSTREAM_LOCAL_ADDRESS", Operator::kUpstreamLocalAddress, Argument::kNone},
    {"UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Operator::kUpstreamLocalNoPort, Argument::kOptional},
    {"UPSTREAM_LOCAL_PORT", Operator::kUpstreamLocalPort, Argument::kNone},
    {"UPSTREAM_REQUEST_ATTEMPT_COUNT", Operator::kAttemptCount, Argument::kNone},
    {"UPSTREAM_TRANSPORT_FAILURE_REASON", Operator::kUpstreamTransportFailure, Argument::kNone},
    {"ROUTE_NAME", Operator::kRouteName, Argument::kNone},
    {"DOWNSTREAM_REMOTE_ADDRESS", Operator::kDownstreamRemote, Argument::kNone},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS", Operator::kDownstreamDirect, Argument::kNone},
    {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Operator::kDownstreamRemoteNoPort, Argument::kOptional},
    {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", Operator::kDownstreamDirectNoPort, Argument::kOptional},
    {"DOWNSTREAM_REMOTE_PORT", Operator::kDownstreamRemotePort, Argument::kNone},
    {"DOWNSTREAM_DIRECT_REMOTE_PORT", Operator::kDownstreamDirectPort, Argument::kNone},
    {"DOWNSTREAM_LOCAL_ADDRESS", Operator::kDownstreamLocal, Argument::kNone},
    {"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Operator::kDownstreamLocalNoPort, Argument::kOptional},
    {"DOWNSTREAM_LOCAL_PORT", Operator::kDownstreamLocalPort, Argument::kNone},
    {"FILTER_STATE", Operator::kFilterState, Argument::kNeededAndLength},
    {"HOSTNAME", Operator::kHostname, Argument::kNone},
    {"STREAM_ID", Operator::kStreamId, Argument::kNone},
    {"CONNECTION_ID", Operator::kConnectionId, Argument::kNone},
    {"REQUESTED_SERVER_NAME", Operator::kServerName, Argument::kOptional},
    {"DOWNSTREAM_TLS_VERSION", Operator::kTlsVersion, Argument::kNone},
    {"DOWNSTREAM_TLS_CIPHER", Operator::kTlsCipher, Argument::kNone},
    {"DOWNSTREAM_PEER_SUBJECT", Operator::kPeerSubject, Argument::kNone},
    {"DOWNSTREAM_PEER_URI_SAN", Operator::kPeerUri, Argument::kNone},
    {"DOWNSTREAM_PEER_DNS_SAN", Operator::kPeerDns, Argument::kNone},
    {"DOWNSTREAM_PEER_FINGERPRINT_256", Operator::kPeerFingerprint, Argument::kNone},
    {"DYNAMIC_METADATA", Operator::kDynamicMetadata, Argument::kNeededAndLength},
    {"GRPC_STATUS", Operator::kNothing, Argument::kOptional},
    {"TRACE_ID", Operator::kNothing, Argument::kNone},
    {"SPAN_ID", Operator::kNothing, Argument::kNone},
    {"CUSTOM_FLAGS", Operator::kNothing, Argument::kNone},
};

// Those that Envoy 1.40 has and Inlay has not.
constexpr std::string_view kOthers[] = {"ACCESS_LOG_TYPE",
                                        "BYTES_RETRANSMITTED",
                                        "CEL",
                                        "CLUSTER_METADATA",
                                        "COALESCE",
                                        "COMMON_DURATION",
                                        "CONNECTION_TERMINATION_DETAILS",
                                        "DOWNSTREAM_CX_RTT",
                                        "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED",
                                        "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT",
                                        "DOWNSTREAM_DETECTED_CLOSE_TYPE",
                                        "DOWNSTREAM_DIRECT_LOCAL_ADDRESS",
                                        "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID",
                                        "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT",
                                        "DOWNSTREAM_DIRECT_LOCAL_PORT",
                                        "DOWNSTREAM_HANDSHAKE_DURATION",
                                        "DOWNSTREAM_HEADER_BYTES_RECEIVED",
                                        "DOWNSTREAM_HEADER_BYTES_SENT",
                                        "DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID",
                                        "DOWNSTREAM_LOCAL_CLOSE_REASON",
                                        "DOWNSTREAM_LOCAL_DNS_SAN",
                                        "DOWNSTREAM_LOCAL_EMAIL_SAN",
                                        "DOWNSTREAM_LOCAL_IP_SAN",
                                        "DOWNSTREAM_LOCAL_OTHERNAME_SAN",
                                        "DOWNSTREAM_LOCAL_SUBJECT",
                                        "DOWNSTREAM_LOCAL_URI_SAN",
                                        "DOWNSTREAM_PEER_CERT",
                                        "DOWNSTREAM_PEER_CERT_V_END",
                                        "DOWNSTREAM_PEER_CERT_V_START",
                                        "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1",
                                        "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256",
                                        "DOWNSTREAM_PEER_CHAIN_SERIALS",
                                        "DOWNSTREAM_PEER_EMAIL_SAN",
                                        "DOWNSTREAM_PEER_FINGERPRINT_1",
                                        "DOWNSTREAM_PEER_IP_SAN",
                                        "DOWNSTREAM_PEER_ISSUER",
                                        "DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256",
                                        "DOWNSTREAM_PEER_ISSUER_SERIAL",
                                        "DOWNSTREAM_PEER_OTHERNAME_SAN",
                                        "DOWNSTREAM_PEER_SERIAL",
                                        "DOWNSTREAM_TLS_GROUP",
                                        "DOWNSTREAM_TLS_SESSION_ID",
                                        "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
                                        "DOWNSTREAM_WIRE_BYTES_RECEIVED",
                                        "DOWNSTREAM_WIRE_BYTES_SENT",
                                        "EMIT_TIME",
                                        "EMIT_TIME_LOCAL",
                                        "ENVIRONMENT",
                                        "FILTER_CHAIN_NAME",
                                        "GRPC_STATUS_NUMBER",
                                        "LISTENER_NAME",
                                        "LOCAL_REPLY_BODY",
                                        "METADATA",
                                        "PACKETS_RETRANSMITTED",
                                        "PATH",
                                        "QUERY_PARAM",
                                        "QUERY_PARAMS",
                                        "REQUEST_DURATION",
                                        "REQUEST_TX_DURATION",
                                        "RESPONSE_FLAGS_LONG",
                                        "RESPONSE_TRAILERS_BYTES",
                                        "RESPONSE_TX_DURATION",
                                        "ROUNDTRIP_DURATION",
                                        "ROUTE_RESOLUTION_COUNT",
                                        "ROUTE_RESOLUTION_TIME_US",
                                        "TLS_JA3_FINGERPRINT",
                                        "TLS_JA4_FINGERPRINT",
                                        "UNIQUE_ID",
                                        "UPSTREAM_CONNECTION_ID",
                                        "UPSTREAM_CONNECTION_IDS_ATTEMPTED",
                                        "UPSTREAM_CONNECTION_POOL_READY_DURATION",
                                        "UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED",
                                        "UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT",
                                        "UPSTREAM_DETECTED_CLOSE_TYPE",
                                        "UPSTREAM_FILTER_STATE",
                                        "UPSTREAM_HEADER_BYTES_RECEIVED",
                                        "UPSTREAM_HEADER_BYTES_SENT",
                                        "UPSTREAM_HOSTS_ATTEMPTED",
                                        "UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT",
                                        "UPSTREAM_HOST_NAME",
                                        "UPSTREAM_HOST_NAMES_ATTEMPTED",
                                        "UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT",
                                        "UPSTREAM_HOST_NAME_WITHOUT_PORT",
                                        "UPSTREAM_LOCAL_CLOSE_REASON",
                                        "UPSTREAM_LOCAL_DNS_SAN",
                                        "UPSTREAM_LOCAL_IP_SAN",
                                        "UPSTREAM_LOCAL_URI_SAN",
                                        "UPSTREAM_METADATA",
                                        "UPSTREAM_PEER_CERT",
                                        "UPSTREAM_PEER_CERT_V_END",
                                        "UPSTREAM_PEER_CERT_V_START",
                                        "UPSTREAM_PEER_DNS_SAN",
                                        "UPSTREAM_PEER_IP_SAN",
                                        "UPSTREAM_PEER_ISSUER",
                                        "UPSTREAM_PEER_SUBJECT",
                                        "UPSTREAM_PEER_URI_SAN",
                                        "UPSTREAM_PROTOCOL",
                                        "UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID",
                                        "UPSTREAM_SERVER_NAME",
                                        "UPSTREAM_TLS_CIPHER",
                                        "UPSTREAM_TLS_GROUP",
                                        "UPSTREAM_TLS_SESSION_ID",
                                        "UPSTREAM_TLS_VERSION",
                                        "UPSTREAM_WIRE_BYTES_RECEIVED",
                                        "UPSTREAM_WIRE_BYTES_SENT",
                                        "VIRTUAL_CLUSTER_NAME"};

bool takes_header(Operator op) {
  return op == Operator::kRequestHeader || op == Operator::kResponseHeader || op == Operator::kResponseTrailer;
}

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

bool is_header(std::string_view name) {
  return is_header_name(name, true);
}

Result<Unit> set_header(FormatPart& part, std::string_view name, std::string_view argument) {
  const size_t question = argument.find('?');
  part.text = lower(argument.substr(0, question));
  if (question != std::string_view::npos) part.otherwise = lower(argument.substr(question + 1));
  if (part.otherwise.find('?') != std::string::npos)
    return invalid("`%" + std::string(name) + "%` takes at most one other header behind a `?`");
  if (part.text.empty() && part.otherwise.empty())
    return invalid("`%" + std::string(name) + "%` needs a header's name in parentheses");
  for (const std::string& header : {part.text, part.otherwise})
    if (!header.empty() && !is_header(header)) return invalid(document::quote(header) + " is not a header name");
  return Unit{};
}

Result<Unit> set_state(FormatPart& part, std::string_view argument) {
  const size_t colon = argument.find(':');
  part.text = argument.substr(0, colon);
  if (part.text.empty()) return invalid("`%FILTER_STATE%` needs a key in parentheses, such as `wasm.x:PLAIN`");
  if (colon == std::string_view::npos) return Unit{};
  const std::string_view form = argument.substr(colon + 1);
  if (form == "PLAIN" || form == "TYPED") return Unit{};
  if (form.starts_with("FIELD:"))
    return invalid("`%FILTER_STATE%` with FIELD is valid, but Inlay does not support it yet");
  return invalid("`%FILTER_STATE%` takes PLAIN, TYPED or FIELD behind the key");
}

Result<Unit> set_argument(FormatPart& part, std::string_view name, std::string_view argument) {
  if (takes_header(part.op)) return set_header(part, name, argument);
  if (part.op == Operator::kFilterState) return set_state(part, argument);
  constexpr std::string_view kForms[] = {"", "CAMEL_STRING", "SNAKE_STRING", "NUMBER"};
  if (name == "GRPC_STATUS" && std::find(std::begin(kForms), std::end(kForms), argument) == std::end(kForms))
    return invalid("`%GRPC_STATUS%` takes CAMEL_STRING, SNAKE_STRING or NUMBER");
  part.text = argument;
  return Unit{};
}

// A word of an operator: a name, an argument, a length.
struct Call {
  std::string_view name;
  std::string_view argument;
  std::optional<size_t> length;
};

// Reads NAME[(argument)][:length]% from `text`, which begins after the first "%", and takes it off.
Result<Call> parse_call(std::string_view& text) {
  const auto in_name = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
  const auto at = std::find_if_not(text.begin(), text.end(), in_name);
  Call call;
  call.name = text.substr(0, static_cast<size_t>(at - text.begin()));
  text.remove_prefix(call.name.size());
  if (text.starts_with('(')) {
    const size_t close = text.find(')');
    if (close == std::string_view::npos) return invalid("a `(` is never closed");
    call.argument = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
  }
  if (text.starts_with(':')) {
    size_t length = 0;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), length);
    if (error != std::errc()) return invalid("a `:` must be followed by a length");
    call.length = length;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
  }
  if (!text.starts_with('%'))
    return invalid("a `%` begins an operator that is never closed; a percent sign is written `%%`");
  text.remove_prefix(1);
  return call;
}

Error unknown_operator(std::string_view name) {
  if (std::find(std::begin(kOthers), std::end(kOthers), name) != std::end(kOthers))
    return invalid("the operator `%" + std::string(name) + "%` is valid, but Inlay does not support it yet");
  std::vector<std::string_view> names;
  for (const OperatorName& o : kOperators) names.push_back(o.name);
  const std::string near = nearest(name, names, 3);
  return invalid("there is no operator `%" + std::string(name) + "%`" +
                 (near.empty() ? "" : "; did you mean `%" + near + "%`?"));
}

Result<FormatPart> make_part(const Call& call) {
  const auto known = std::find_if(std::begin(kOperators), std::end(kOperators),
                                  [&](const OperatorName& o) { return o.name == call.name; });
  if (known == std::end(kOperators)) return unknown_operator(call.name);
  const std::string shown = "`%" + std::string(call.name) + "%`";
  const bool takes_length =
      known->argument == Argument::kOptionalAndLength || known->argument == Argument::kNeededAndLength;
  const bool needs = known->argument == Argument::kNeeded || known->argument == Argument::kNeededAndLength;
  if (call.length && !takes_length) return invalid(shown + " takes no length");
  if (!call.argument.empty() && known->argument == Argument::kNone) return invalid(shown + " takes no argument");
  if (needs && call.argument.empty() && !takes_header(known->op) && known->op != Operator::kFilterState)
    return invalid(shown + " needs an argument in parentheses");
  FormatPart part;
  part.op = known->op;
  if (call.length) part.max_length = *call.length;
  INLAY_RETURN_IF_ERROR(set_argument(part, call.name, call.argument));
  return part;
}

}  // namespace

Result<Format> parse_format(std::string_view text) {
  Format format;
  std::string literal;
  std::string faults;  // of all operators
  const auto end_literal = [&] {
    if (!literal.empty()) format.parts.push_back({Operator::kText, std::exchange(literal, {}), ""});
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
      INLAY_TRY(const Call call, parse_call(text));  // after which nobody knows where the next one begins
      Result<FormatPart> part = make_part(call);
      end_literal();
      if (part) {
        format.parts.push_back(*std::move(part));
      } else {
        faults += (faults.empty() ? "" : "; ") + part.error().message;
      }
    }
  }
  if (!faults.empty()) return invalid(std::move(faults));
  end_literal();
  return format;
}

}  // namespace inlay::config
