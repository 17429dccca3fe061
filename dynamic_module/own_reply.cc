// SPDX-License-Identifier: Apache-2.0

// A guest's reply to a request passes its own on_response_headers and on_response_body, as every other filter's. Envoy
// leaves these hooks out for a module that has replied: the guest hears them from us, before Envoy hears of the reply.

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/ascii.h"
#include "dynamic_module/stream.h"
#include "http/envoy_headers.h"
#include "http/grpc.h"

namespace inlay::dynamic_module {

using abi::MapType;

namespace {

bool has_content_type(const host::LocalReply& reply) {
  return std::any_of(reply.headers.begin(), reply.headers.end(),
                     [](const auto& field) { return equals_ignore_case(field.first, "content-type"); });
}

bool has_body(const host::LocalReply& reply) {
  return !reply.body.empty() && reply.status != 204 && reply.status != 304;
}

// The head that Envoy makes of a reply.
void make_head(const host::LocalReply& reply, bool is_grpc, http::HeaderMap& head) {
  head.add(http::HeaderId::kStatus, ":status", std::to_string(reply.status));
  for (const auto& [name, value] : reply.headers) {
    if (http::is_header_name(name) && http::is_header_value(value)) http::add_field(head, name, value);
  }
  if (is_grpc)
    return http::set_grpc_answer(head, reply.grpc_status.value_or(http::grpc_status_of(reply.status)), reply.body);
  if (!has_body(reply)) return;
  head.set(http::HeaderId::kContentLength, std::to_string(reply.body.size()));
  if (!head.has(http::HeaderId::kContentType)) head.add("content-type", "text/plain");
}

// What Envoy writes itself into a reply.
bool is_envoys(std::string_view name, std::string_view value, const host::LocalReply& reply, bool is_grpc) {
  if (name.starts_with(":") || name == "content-length") return true;
  if (is_grpc) return name == "content-type" || name == "grpc-status" || name == "grpc-message";
  return name == "content-type" && value == "text/plain" && !has_content_type(reply);
}

bool put_number(uint64_t number, std::string& value) {
  value.assign(reinterpret_cast<const char*>(&number), sizeof number);
  return true;
}

}  // namespace

bool OwnReply::get_property(std::string_view name, std::string& value) const {
  if (name == "code") return put_number(reply.status, value);
  if (name == "grpc_status") return put_number(reply.grpc_status.value_or(http::grpc_status_of(reply.status)), value);
  if (name != "code_details") return false;
  value = reply.details;
  return true;
}

void Stream::begin_own_reply() {
  if (!wanted_.reply || wanted_.reset || response_begun_ || context_ == nullptr) return;
  http::HeaderMap* const request = request_.headers.read(filter_, MapType::kHttpRequestHeaders);
  if (request == nullptr) return;
  OwnReply& own = own_reply_.emplace();
  own.reply = *std::exchange(wanted_.reply, std::nullopt);
  own.is_grpc = http::is_grpc(*request);
  make_head(own.reply, own.is_grpc, own.head);
  const bool shows_body = !own.is_grpc && has_body(own.reply) && request->value(http::HeaderId::kMethod) != "HEAD";
  if (shows_body) own.body.append(own.reply.body);
  request_.headers.forget();
  response_begun_ = true;
  response_.has_headers = true;
  pass_own_reply();
}

// Each callback may hold it, and may reply anew, which takes its place.
void Stream::pass_own_reply() {
  OwnReply& own = *own_reply_;
  const bool body_follows = own.body.size() > 0;
  bool held = false;
  if (!std::exchange(own.head_passed, true) && context_->wants_response_headers())
    held = static_cast<uint32_t>(context_->on_response_headers(!body_follows)) != 0;
  const auto over = [this] { return wanted_.reply || wanted_.reset; };
  if (!held && !over() && body_follows && !std::exchange(own.shows_body, true) && context_->wants_response_body())
    held = static_cast<uint32_t>(context_->on_response_body(own.body.size(), true)) != 0;
  response_.stopped = held && !over();
  if (response_.stopped) return prepare_to_wait(response_);
  if (!over()) wanted_.reply = finished_own_reply();
  own_reply_.reset();
  response_.has_headers = false;
}

void Stream::resume_own_reply() {
  if (!own_reply_ || !response_.stopped) return;
  if (wanted_.reply || wanted_.reset) return own_reply_.reset();
  if (std::exchange(wanted_.go_on[static_cast<size_t>(Direction::kResponse)], false)) pass_own_reply();
}

host::LocalReply Stream::finished_own_reply() {
  OwnReply& own = *own_reply_;
  host::LocalReply reply = own.reply;
  reply.headers.clear();
  for (const auto& entry : own.head) {
    if (!is_envoys(entry.name, entry.value, own.reply, own.is_grpc))
      reply.headers.emplace_back(entry.name, entry.value);
  }
  if (own.is_grpc) return reply;
  reply.status = static_cast<uint32_t>(std::atoi(std::string(own.head.value(http::HeaderId::kStatus)).c_str()));
  if (own.shows_body) reply.body = own.body.to_string();
  return reply;
}

}  // namespace inlay::dynamic_module
