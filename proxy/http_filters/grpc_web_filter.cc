// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/grpc_web_filter.h"

#include <algorithm>
#include <iterator>

#include "base/ascii.h"
#include "base/base64.h"
#include "http/grpc.h"

namespace inlay::proxy::http_filters {
namespace {

using downstream::DataStatus;
using downstream::HeadersStatus;
using downstream::TrailersStatus;
using http::HeaderId;
using http::HeaderMap;

constexpr std::string_view kBinaryTypes[] = {"application/grpc-web", "application/grpc-web+proto"};
constexpr std::string_view kTextTypes[] = {"application/grpc-web-text", "application/grpc-web-text+proto"};
constexpr std::string_view kGrpcType = "application/grpc";
constexpr std::string_view kAcceptEncoding = "grpc-accept-encoding";
constexpr std::string_view kEncodings = "identity";
constexpr char kTrailersFlag = static_cast<char>(0x80);
constexpr size_t kPrefix = 5;              // of a frame: flags, and the length of what follows
constexpr size_t kLongestMessage = 16384;  // bytes of a foreign answer in grpc-message, where they came in pieces
constexpr size_t kGroup = 4;               // characters

bool is_one_of(std::string_view text, const std::string_view (&all)[2]) {
  return std::find(std::begin(all), std::end(all), text) != std::end(all);
}

// A response's head that needs no other form. The media type counts without its parameters and in any case.
bool is_grpc_answer(const HeaderMap& headers, bool end_stream) {
  if (end_stream) return headers.has(HeaderId::kGrpcStatus);
  if (headers.value(HeaderId::kStatus) != "200") return false;
  if (http::is_grpc(headers)) return true;
  std::string_view type = headers.value(HeaderId::kContentType);
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return std::any_of(std::begin(kBinaryTypes), std::end(kBinaryTypes),
                     [&](std::string_view binary) { return equals_ignore_case(type, binary); });
}

void append_length(std::string& frame, size_t length) {
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(length >> shift & 0xff);
}

}  // namespace

// --- the text form ---

std::string GrpcWebText::add(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const bool in_prefix = prefix_.size() < kPrefix;
    const std::string_view taken = bytes.substr(0, in_prefix ? kPrefix - prefix_.size() : left_);
    bytes.remove_prefix(taken.size());
    waiting_ += taken;
    if (in_prefix) {
      prefix_ += taken;
      left_ = 0;
      for (size_t i = 1; i < prefix_.size(); ++i) left_ = left_ << 8 | static_cast<uint8_t>(prefix_[i]);
    } else {
      left_ -= taken.size();
    }
    const bool whole = prefix_.size() == kPrefix && left_ == 0;
    const size_t ready = whole ? waiting_.size() : waiting_.size() / 3 * 3;
    append_base64(text, std::string_view(waiting_).substr(0, ready));
    waiting_.erase(0, ready);
    if (whole) prefix_.clear();
  }
  return text;
}

// --- the request ---

bool GrpcWebFilter::start(downstream::FilterCallbacks& callbacks) {
  const HeaderMap* headers = callbacks.request_headers();
  if (headers == nullptr || !is_on(*headers)) return false;
  callbacks_ = &callbacks;
  is_grpc_web_ = text_request_ = text_response_ = foreign_ = false;
  undecoded_.clear();
  text_ = {};
  return true;
}

bool GrpcWebFilter::is_on(const HeaderMap& headers) const {
  if (!options_.disabled && !options_.routes->switches_filters()) return true;
  const router::RouteEntry* route = options_.routes->match(headers);
  const auto switched = route != nullptr ? route->filter_switch(options_.name) : std::nullopt;
  return switched.value_or(!options_.disabled);
}

HeadersStatus GrpcWebFilter::decode_headers(HeaderMap& headers, bool) {
  const std::string_view type = headers.value(HeaderId::kContentType);
  text_request_ = is_one_of(type, kTextTypes);
  is_grpc_web_ = text_request_ || is_one_of(type, kBinaryTypes);
  if (!is_grpc_web_) return HeadersStatus::kContinue;
  text_response_ = is_one_of(headers.get("accept").value_or(""), kTextTypes);
  // What is changed here is of no matter for the route, in Envoy.
  downstream::StreamInfo& info = callbacks_->info();
  if (!info.kept_route) info.kept_route = options_.routes->match(headers);
  headers.remove(HeaderId::kContentLength);
  headers.set(HeaderId::kContentType, kGrpcType);
  headers.set(HeaderId::kTe, "trailers");
  if (!headers.get(kAcceptEncoding)) headers.add(kAcceptEncoding, kEncodings);
  return HeadersStatus::kContinue;
}

DataStatus GrpcWebFilter::decode_data(Buffer& data, bool end_stream) {
  if (!text_request_) return DataStatus::kContinue;
  std::string text = std::move(undecoded_) + data.to_string();
  undecoded_.clear();
  const size_t whole = text.size() / kGroup * kGroup;
  if (end_stream && whole != text.size()) return refuse("grpc_base_64_decode_failed_bad_size");
  undecoded_ = text.substr(whole);
  std::string bytes;
  if (!append_from_base64(bytes, std::string_view(text).substr(0, whole))) return refuse("grpc_base_64_decode_failed");
  data.clear();
  if (bytes.empty() && !end_stream) return DataStatus::kStopIterationNoBuffer;
  data.append(bytes);
  return DataStatus::kContinue;
}

DataStatus GrpcWebFilter::refuse(std::string_view details) {
  host::LocalReply reply;
  reply.status = 400;
  reply.body = "Bad gRPC-web request, invalid base64 data.";
  reply.details = details;
  callbacks_->send_local_reply(std::move(reply));
  return DataStatus::kStopIterationNoBuffer;
}

// --- the answer ---

HeadersStatus GrpcWebFilter::encode_headers(HeaderMap& headers, bool end_stream) {
  if (!is_grpc_web_) return HeadersStatus::kContinue;
  foreign_ = !end_stream && !is_grpc_answer(headers, end_stream);
  headers.remove(HeaderId::kContentLength);
  headers.set(HeaderId::kContentType, text_response_ ? kTextTypes[1] : kBinaryTypes[1]);
  return foreign_ ? HeadersStatus::kStopIteration : HeadersStatus::kContinue;
}

DataStatus GrpcWebFilter::encode_data(Buffer& data, bool end_stream) {
  if (!is_grpc_web_) return DataStatus::kContinue;
  if (foreign_) {
    if (!end_stream) return hold_back(data);
    describe_failure(data);
    return DataStatus::kContinue;
  }
  if (!text_response_) return DataStatus::kContinue;
  const std::string text = text_.add(data.to_string());
  data.clear();
  if (text.empty() && !end_stream) return DataStatus::kStopIterationNoBuffer;
  data.append(text);
  return DataStatus::kContinue;
}

// As much as the message has, and a piece more.
DataStatus GrpcWebFilter::hold_back(Buffer& data) {
  const Buffer* held = callbacks_->buffered_response_body();
  const size_t room = kLongestMessage - std::min(held != nullptr ? held->size() : 0, kLongestMessage);
  if (room == 0) return DataStatus::kStopIterationNoBuffer;
  if (data.size() > room) {
    const std::string first = data.to_string().substr(0, room);
    data.clear();
    data.append(first);
  }
  return DataStatus::kStopIterationAndBuffer;
}

void GrpcWebFilter::describe_failure(Buffer& last) {
  foreign_ = false;
  std::string body;
  if (Buffer* held = callbacks_->buffered_response_body()) {
    body = held->to_string() + last.to_string();
    body.resize(std::min(body.size(), kLongestMessage));
    held->clear();
  } else {
    body = last.to_string();
  }
  last.clear();
  HeaderMap& headers = *callbacks_->response_headers();
  headers.set(HeaderId::kGrpcMessage, http::encode_grpc_message(body));
  headers.set(HeaderId::kGrpcStatus, std::to_string(http::grpc_status_of(http::http_status(headers))));
  headers.set(HeaderId::kContentLength, "0");
}

TrailersStatus GrpcWebFilter::encode_trailers(HeaderMap& trailers) {
  if (!is_grpc_web_) return TrailersStatus::kContinue;
  if (foreign_) {
    Buffer nothing;
    describe_failure(nothing);
    return TrailersStatus::kContinue;
  }
  std::string lines;
  for (const HeaderMap::Entry& field : trailers) {
    lines.append(field.name).append(":").append(field.value).append("\r\n");
  }
  trailers.clear();
  std::string frame(1, kTrailersFlag);
  append_length(frame, lines.size());
  frame += lines;
  Buffer data;
  if (text_response_) {
    std::string text;
    append_base64(text, frame);
    data.append(text);
  } else {
    data.append(frame);
  }
  callbacks_->add_response_data(data);
  return TrailersStatus::kContinue;
}

}  // namespace inlay::proxy::http_filters
