// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/settings.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <array>
#include <optional>

namespace inlay::dynamic_module {
namespace {

using Json = rapidjson::Value;

constexpr std::string_view kRoot = "filter_config";

// Reader fills the settings, and collects what is wrong.
class Reader {
 public:
  Settings settings;
  std::string faults;

  void fault(std::string_view field, std::string_view message) {
    if (!faults.empty()) faults.append("\n");
    faults.append(kRoot).append(field.empty() ? "" : ".").append(field).append(": ").append(message);
  }

  void text(std::string_view field, const Json& value, std::string& to) {
    if (!value.IsString()) return fault(field, "must be a string");
    to.assign(value.GetString(), value.GetStringLength());
  }

  // Bytes for a guest: a string as it is, anything else as JSON, which is what Envoy makes of a Struct.
  void bytes(const Json& value, std::string& to) {
    if (value.IsString()) {
      to.assign(value.GetString(), value.GetStringLength());
      return;
    }
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    value.Accept(writer);
    to.assign(buffer.GetString(), buffer.GetSize());
  }

  void flag(std::string_view field, const Json& value, bool& to) {
    if (!value.IsBool()) return fault(field, "must be true or false");
    to = value.GetBool();
  }

  void policy(std::string_view field, const Json& value) {
    const std::string_view name = value.IsString() ? std::string_view(value.GetString(), value.GetStringLength()) : "";
    host::FailurePolicy& to = settings.plugin.failure_policy;
    if (name == "FAIL_CLOSED" || name == "UNSPECIFIED")
      to = host::FailurePolicy::kFailClosed;
    else if (name == "FAIL_OPEN")
      to = host::FailurePolicy::kFailOpen;
    else if (name == "FAIL_RELOAD")
      to = host::FailurePolicy::kFailReload;
    else
      fault(field, "must be FAIL_CLOSED, FAIL_OPEN or FAIL_RELOAD");
  }
};

using Read = void (*)(Reader&, std::string_view field, const Json& value);
struct Field {
  std::string_view name;
  Read read;
};

constexpr std::array kFields = {
    Field{"name", [](Reader& r, std::string_view f, const Json& v) { r.text(f, v, r.settings.plugin.name); }},
    Field{"root_id", [](Reader& r, std::string_view f, const Json& v) { r.text(f, v, r.settings.plugin.root_id); }},
    Field{"vm_id", [](Reader& r, std::string_view f, const Json& v) { r.text(f, v, r.settings.plugin.vm_id); }},
    Field{"configuration",
          [](Reader& r, std::string_view, const Json& v) { r.bytes(v, r.settings.plugin.configuration); }},
    Field{"vm_configuration",
          [](Reader& r, std::string_view, const Json& v) { r.bytes(v, r.settings.plugin.vm_configuration); }},
    Field{"failure_policy", [](Reader& r, std::string_view f, const Json& v) { r.policy(f, v); }},
    Field{"allow_on_headers_stop_iteration",
          [](Reader& r, std::string_view f, const Json& v) {
            r.flag(f, v, r.settings.plugin.allow_on_headers_stop_iteration);
          }},
    Field{"module", [](Reader& r, std::string_view f, const Json& v) { r.text(f, v, r.settings.module); }},
    Field{"artifact", [](Reader& r, std::string_view f, const Json& v) { r.text(f, v, r.settings.artifact); }},
};

void read_field(Reader& reader, std::string_view name, const Json& value) {
  std::string known;
  for (const Field& field : kFields) {
    if (field.name == name) return field.read(reader, name, value);
    known.append(known.empty() ? "" : ", ").append(field.name);
  }
  reader.fault(name, "there is no such field; there are " + known);
}

}  // namespace

Result<Settings> read_settings(std::string_view name, std::string_view text) {
  Reader reader;
  reader.settings.plugin.name = name;
  rapidjson::Document document;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) text = "{}";
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  if (document.HasParseError()) {
    reader.fault("", "is no JSON at byte " + std::to_string(document.GetErrorOffset()) + ": " +
                         rapidjson::GetParseError_En(document.GetParseError()));
  } else if (!document.IsObject()) {
    reader.fault("", "must be an object, {\"configuration\": ...}");
  } else {
    for (const auto& member : document.GetObject())
      read_field(reader, {member.name.GetString(), member.name.GetStringLength()}, member.value);
  }
  if (!reader.faults.empty()) return Error{ErrorCode::kInvalidArgument, std::move(reader.faults), ""};
  Settings& settings = reader.settings;
  if (settings.artifact.empty() && !settings.module.empty()) settings.artifact = settings.module + ".aot";
  return std::move(settings);
}

}  // namespace inlay::dynamic_module
