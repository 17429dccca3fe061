// SPDX-License-Identifier: Apache-2.0
// config/core/v3 HeaderValueOption: the *_headers_to_add and *_headers_to_remove of routes.
#include "base/ascii.h"
#include "config/builders.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kHeaderValueOption[] = {{"header"}, {"append"}, {"append_action"}, {"keep_empty_value"}};
constexpr FieldRule kHeaderValue[] = {{"key"}, {"value"}, {"raw_value"}};
constexpr MessageRules kRules[] = {
    {"envoy.config.core.v3.HeaderValueOption", kHeaderValueOption},
    {"envoy.config.core.v3.HeaderValue", kHeaderValue},
};

constexpr size_t kMostHeaders = 1000;  // validate.proto
constexpr size_t kLongestHeader = 16384;

}  // namespace

std::span<const MessageRules> header_rules() {
  return kRules;
}

bool is_header_name(std::string_view name, bool pseudo) {
  if (pseudo && name.starts_with(':')) name.remove_prefix(1);
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  for (char c : name) {
    if (!is_alphanumeric(c) && kOthers.find(c) == std::string_view::npos) return false;
  }
  return !name.empty();
}

namespace {

void check_name(View at, const std::string& name, BuildContext& context) {
  if (name.starts_with(':') || lower(name) == "host") {
    context.error(at, document::quote(name) + " cannot be changed here; for the host use `host_rewrite_literal`");
  } else if (!is_header_name(name)) {
    context.error(at, document::quote(name) + " is not a header name");
  }
}

HeaderToAdd::Action action_of(View option, BuildContext& context) {
  using Action = HeaderToAdd::Action;
  if (!option.has("append")) return static_cast<Action>(option.enumerator("append_action"));
  if (option.enumerator("append_action") != 0)
    context.field_error(option, "append", "cannot be set together with `append_action`");
  return option.boolean("append") ? Action::kAppendIfExistsOrAdd : Action::kOverwriteIfExistsOrAdd;
}

HeaderToAdd build_header(View option, BuildContext& context) {
  HeaderToAdd out;
  if (!context.require(option, "header")) return out;
  const View header = option["header"];
  out.name = lower(header.text("key"));
  if (context.require(header, "key")) check_name(header["key"], header.text("key"), context);
  const std::string_view field = header.has("raw_value") ? "raw_value" : "value";
  out.value = header.text(field);
  if (header.has("raw_value") && !header.text("value").empty())
    context.field_error(header, "raw_value", "only one of `value` and `raw_value` can be set");
  if (out.value.size() > kLongestHeader) context.field_error(header, field, "must be at most 16384 bytes");
  if (out.value.find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos)
    context.field_error(header, field, "must not hold a line break or a NUL");
  if (const auto format = parse_format(out.value); !format) context.field_error(header, field, format.error().message);
  out.keep_empty_value = option.boolean("keep_empty_value");
  out.action = action_of(option, context);
  return out;
}

}  // namespace

HeaderEdits build_header_edits(View message, const std::string& prefix, BuildContext& context) {
  HeaderEdits out;
  const std::string add = prefix + "_headers_to_add";
  for (View option : message.list(add)) out.add.push_back(build_header(option, context));
  if (out.add.size() > kMostHeaders) context.field_error(message, add, "must have at most 1000 entries");
  for (View name : message.list(prefix + "_headers_to_remove")) {
    check_name(name, name.node().text, context);
    out.remove.push_back(lower(name.node().text));
  }
  return out;
}

}  // namespace inlay::config
