// SPDX-License-Identifier: Apache-2.0
// config/accesslog/v3 AccessLog and AccessLogFilter; the file and stream access loggers; SubstitutionFormatString.
#include <algorithm>

#include "config/builders.h"
#include "config/scalar_check.h"
#include "document/scalars.h"
#include "document/source.h"

namespace inlay::config {

namespace {

constexpr std::string_view kFileType = "envoy.extensions.access_loggers.file.v3.FileAccessLog";
constexpr std::string_view kStdoutType = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog";
constexpr std::string_view kStderrType = "envoy.extensions.access_loggers.stream.v3.StderrAccessLog";
constexpr std::string_view kWasmType = "envoy.extensions.access_loggers.wasm.v3.WasmAccessLog";

// The line of a log without a format.
constexpr std::string_view kDefaultFormat =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% "
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" "
    "\"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

constexpr size_t kLargestFormat = 64 * 1024;

constexpr FieldRule kAccessLog[] = {
    {"name"},
    {"filter"},
    {"typed_config", Support::kYes, "FileAccessLog, StdoutAccessLog, StderrAccessLog, WasmAccessLog"},
};
constexpr FieldRule kFilter[] = {
    {"status_code_filter"},
    {"duration_filter"},
    {"not_health_check_filter", Support::kYes, "lets every request pass: Inlay answers no health checks itself"},
    {"and_filter"},
    {"or_filter"},
    {"header_filter"},
    {"response_flag_filter"},
};
constexpr FieldRule kComparison[] = {{"op"}, {"value"}};
constexpr FieldRule kRuntimeValue[] = {
    {"default_value"},
    {"runtime_key", Support::kYes, "there is no runtime; the default value counts"},
};
constexpr FieldRule kOneComparison[] = {{"comparison"}};
constexpr FieldRule kFilters[] = {{"filters"}};
constexpr FieldRule kHeaderFilter[] = {{"header"}};
constexpr FieldRule kFlagFilter[] = {{"flags"}};
constexpr FieldRule kFile[] = {{"path"}, {"format"}, {"json_format"}, {"typed_json_format"}, {"log_format"}};
constexpr FieldRule kStream[] = {{"log_format"}};
constexpr FieldRule kFormatString[] = {
    {"text_format"},
    {"json_format"},
    {"text_format_source"},
    {"omit_empty_values"},
    {"content_type", Support::kIgnored, "it concerns local replies only"},
    {"json_format_options", Support::kIgnored, "members stand in the order of the file"},
};
constexpr MessageRules kRules[] = {
    {"envoy.config.accesslog.v3.AccessLog", kAccessLog},
    {"envoy.config.accesslog.v3.AccessLogFilter", kFilter},
    {"envoy.config.accesslog.v3.ComparisonFilter", kComparison},
    {"envoy.config.core.v3.RuntimeUInt32", kRuntimeValue},
    {"envoy.config.accesslog.v3.StatusCodeFilter", kOneComparison},
    {"envoy.config.accesslog.v3.DurationFilter", kOneComparison},
    {"envoy.config.accesslog.v3.AndFilter", kFilters},
    {"envoy.config.accesslog.v3.OrFilter", kFilters},
    {"envoy.config.accesslog.v3.HeaderFilter", kHeaderFilter},
    {"envoy.config.accesslog.v3.ResponseFlagFilter", kFlagFilter},
    {"envoy.extensions.access_loggers.file.v3.FileAccessLog", kFile},
    {"envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", kStream},
    {"envoy.extensions.access_loggers.stream.v3.StderrAccessLog", kStream},
    {"envoy.config.core.v3.SubstitutionFormatString", kFormatString},
};

// All that Envoy's API allows (validate.proto).
constexpr std::string_view kFlags[] = {"LH",   "UH",   "UT",   "LR",   "UR", "UF",  "UC", "UO", "NR",  "DI",
                                       "FI",   "RL",   "UAEX", "RLSE", "DC", "URX", "SI", "IH", "DPE", "UMSDR",
                                       "RFCF", "NFCF", "DT",   "UPE",  "NC", "OM",  "DF", "DO", "DR",  "UDO"};

// --- formats ---

Format checked_format(View at, std::string_view text, BuildContext& context) {
  auto format = parse_format(text);
  if (format) return *std::move(format);
  context.error(at, format.error().message);
  return {};
}

Format checked_line(View at, std::string_view text, BuildContext& context) {
  if (!text.empty() && !text.ends_with('\n')) {
    context.report.warning(at.node(), "does not end in a line break: all entries will stand in one line");
  }
  return checked_format(at, text, context);
}

// `path` leads to `source` inside of the Struct at `at`.
JsonFormat build_json(const document::Source& source, View at, const std::string& path, BuildContext& context) {
  using Kind = JsonFormat::Kind;
  JsonFormat out;
  const auto add = [&](const document::Source& child, const std::string& step) -> JsonFormat& {
    out.children.push_back(build_json(child, at, path + step, context));
    return out.children.back();
  };
  if (source.kind == document::Source::Kind::kMap) {
    out.kind = Kind::kObject;
    std::vector<const document::Source::Entry*>
        sorted;  // by name, as in Envoy, where a Struct's fields have no order of their own
    for (const document::Source::Entry& entry : source.entries) sorted.push_back(&entry);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
    for (const document::Source::Entry* entry : sorted)
      add(*entry->value, "." + entry->key).key = document::json_string(entry->key) + ":";
  } else if (source.kind == document::Source::Kind::kList) {
    out.kind = Kind::kList;
    for (const auto& item : source.items) add(*item, "[" + std::to_string(out.children.size()) + "]");
  } else if (out.literal = to_json(source); out.literal.starts_with('"')) {
    auto format = parse_format(source.text);
    if (!format) {
      context.report.error(source.place, path, format.error().message);
      return out;
    }
    out.format = *std::move(format);
    const auto& parts = out.format.parts;
    if (parts.size() == 1 && parts[0].op != Operator::kText) {
      out.kind = Kind::kValue;
    } else if (!parts.empty()) {
      out.kind = Kind::kString;
    }
  }
  return out;
}

void build_json_format(View json, AccessLog& out, BuildContext& context) {
  if (json.node().source == nullptr) return;
  out.json = build_json(*json.node().source, json, json.node().path(), context);
}

void build_format_string(View format, AccessLog& out, BuildContext& context) {
  out.omit_empty_values = format.boolean("omit_empty_values");
  if (View json = format["json_format"]) return build_json_format(json, out, context);
  if (View text = format["text_format"]) {
    out.text = checked_line(text, text.node().text, context);
  } else if (View source = format["text_format_source"]) {
    if (const auto data = read_data_source(source, kLargestFormat, context)) {
      const View place = source.has("inline_string") ? source["inline_string"] : source;
      out.text = checked_line(place, data->bytes, context);
    }
  } else {
    context.error(format, "needs one of `text_format_source`, `json_format`");
  }
}

void build_format(View logger, AccessLog& out, BuildContext& context) {
  if (View format = logger["log_format"]) return build_format_string(format, out, context);
  for (std::string_view field : {"json_format", "typed_json_format"})
    if (View json = logger[field]) return build_json_format(json, out, context);
  if (const View text = logger["format"]; text && !text.node().text.empty()) {
    out.text = checked_line(text, text.node().text, context);
    return;
  }
  out.text = *parse_format(kDefaultFormat);
}

// --- filters ---

void build_comparison(View filter, AccessLogFilter& out, BuildContext& context) {
  if (!context.require(filter, "comparison")) return;
  const View comparison = filter["comparison"];
  out.op = static_cast<AccessLogFilter::Op>(comparison.enumerator("op"));
  if (!context.require(comparison, "value")) return;
  out.value = comparison["value"].uint32("default_value");
  context.require(comparison["value"], "runtime_key");
}

AccessLogFilter build_filter(View filter, BuildContext& context);

void build_several(View filter, AccessLogFilter& out, BuildContext& context) {
  for (View one : filter.list("filters")) out.filters.push_back(build_filter(one, context));
  if (out.filters.size() < 2) context.field_error(filter, "filters", "needs at least two filters");
}

void build_flags(View filter, AccessLogFilter& out, BuildContext& context) {
  for (View flag : filter.list("flags")) {
    const std::string& name = flag.node().text;
    if (std::find(std::begin(kFlags), std::end(kFlags), name) == std::end(kFlags))
      context.error(flag, document::quote(name) + " is not one of Envoy's response flags, such as UF, UH, UT, NR");
    out.flags.push_back(name);
  }
}

AccessLogFilter build_filter(View filter, BuildContext& context) {
  using Kind = AccessLogFilter::Kind;
  AccessLogFilter out;
  if (View status = filter["status_code_filter"]) {
    out.kind = Kind::kStatusCode;
    build_comparison(status, out, context);
  } else if (View duration = filter["duration_filter"]) {
    out.kind = Kind::kDuration;
    build_comparison(duration, out, context);
  } else if (View header = filter["header_filter"]) {
    out.kind = Kind::kHeader;
    if (context.require(header, "header")) out.header = build_header_matcher(header["header"], context);
  } else if (View flags = filter["response_flag_filter"]) {
    out.kind = Kind::kResponseFlag;
    build_flags(flags, out, context);
  } else if (View all = filter["and_filter"]) {
    out.kind = Kind::kAnd;
    build_several(all, out, context);
  } else if (View any = filter["or_filter"]) {
    out.kind = Kind::kOr;
    build_several(any, out, context);
  } else if (filter.node().children.empty()) {
    context.error(filter, "needs a filter, such as `status_code_filter`");
  }
  return out;
}

}  // namespace

std::span<const MessageRules> access_log_rules() {
  return kRules;
}

std::optional<AccessLog> build_access_log(View log, BuildContext& context) {
  if (!context.require(log, "typed_config")) return std::nullopt;
  const TreeNode* node =
      context.typed_or_left_out(log, {kFileType, kStdoutType, kStderrType, kWasmType}, "an access logger");
  if (node == nullptr) return std::nullopt;
  const View logger(node);
  AccessLog out;
  if (View filter = log["filter"]) out.filter = build_filter(filter, context);
  if (node->any_type == kWasmType) {
    out.sink = AccessLog::Sink::kWasm;
    out.wasm = build_wasm(logger, context);
    return out;
  }
  if (node->any_type == kFileType) {
    context.require(logger, "path");
    out.path = logger.text("path");
  } else {
    out.sink = node->any_type == kStdoutType ? AccessLog::Sink::kStdout : AccessLog::Sink::kStderr;
  }
  build_format(logger, out, context);
  return out;
}

}  // namespace inlay::config
