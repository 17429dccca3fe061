// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/settings.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>

namespace inlay::dynamic_module {
namespace {

using Json = rapidjson::Value;

constexpr std::string_view kRoot = "filter_config";

constexpr int kMostDepth = 32;

// How deep lists and maps stand in each other; stops counting behind what is allowed.
int depth(const Json& value, int at = 0) {
  if (at > kMostDepth || (!value.IsObject() && !value.IsArray())) return at;
  int most = at + 1;
  if (value.IsObject()) {
    for (const auto& member : value.GetObject()) most = std::max(most, depth(member.value, at + 1));
  } else {
    for (const Json& one : value.GetArray()) most = std::max(most, depth(one, at + 1));
  }
  return most;
}

// Envoy gives the members of a Struct in any order, and one configuration must be one text.
void sort_members(Json& value) {
  if (value.IsArray()) {
    for (Json& one : value.GetArray()) sort_members(one);
  } else if (value.IsObject()) {
    for (auto& member : value.GetObject()) sort_members(member.value);
    std::sort(value.MemberBegin(), value.MemberEnd(), [](const Json::Member& one, const Json::Member& other) {
      return std::string_view(one.name.GetString(), one.name.GetStringLength()) <
             std::string_view(other.name.GetString(), other.name.GetStringLength());
    });
  }
}

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
    rapidjson::Document sorted;
    sorted.CopyFrom(value, sorted.GetAllocator());
    if (depth(sorted) <= kMostDepth) sort_members(sorted);
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    sorted.Accept(writer);
    to.assign(buffer.GetString(), buffer.GetSize());
  }

  // A number from 1 up.
  void count(std::string_view field, const Json& value, uint64_t most, const std::function<void(uint64_t)>& set) {
    const bool good = value.IsUint64() && value.GetUint64() >= 1 && value.GetUint64() <= most;
    if (!good) return fault(field, "must be a number from 1 to " + std::to_string(most));
    set(value.GetUint64());
  }

  // Calls each(path, name, value) for the members of an object.
  template <class Each>
  void members(std::string_view field, const Json& value, Each&& each) {
    if (!value.IsObject()) return fault(field, "must be an object");
    for (const auto& member : value.GetObject()) {
      const std::string name(member.name.GetString(), member.name.GetStringLength());
      each(std::string(field) + "." + name, name, member.value);
    }
  }

  // As Envoy's EnvironmentVariables: what the guest sees of Envoy's own environment, and more.
  void environment(std::string_view field, const Json& value) {
    members(field, value, [&](const std::string& path, const std::string& name, const Json& one) {
      if (name == "host_env_keys") return host_variables(path, one);
      if (name != "key_values") return fault(path, "there is no such field; there are host_env_keys, key_values");
      members(path, one, [&](const std::string& at, const std::string& key, const Json& text_value) {
        text(at, text_value, settings.plugin.environment[key]);
      });
    });
  }
  void host_variables(const std::string& path, const Json& value) {
    if (!value.IsArray()) return fault(path, "must be a list of names");
    for (const Json& one : value.GetArray()) {
      if (!one.IsString()) return fault(path, "must be a list of names");
      if (const char* set = std::getenv(one.GetString())) settings.plugin.environment[one.GetString()] = set;
    }
  }

  void limits(std::string_view field, const Json& value) {
    constexpr uint64_t kMostMebibytes = 4096;
    constexpr uint64_t kMostMilliseconds = 3'600'000;
    members(field, value, [&](const std::string& path, const std::string& name, const Json& one) {
      if (name == "memory_mib") {
        count(path, one, kMostMebibytes, [&](uint64_t n) { settings.limits.max_memory_bytes = n << 20; });
      } else if (name == "call_ms") {
        count(path, one, kMostMilliseconds,
              [&](uint64_t n) { settings.limits.call_budget = std::chrono::milliseconds(n); });
      } else {
        fault(path, "there is no such field; there are memory_mib, call_ms");
      }
    });
  }

  // As Envoy's CapabilityRestrictionConfig.
  void capabilities(std::string_view field, const Json& value) {
    members(field, value, [&](const std::string& path, const std::string& name, const Json& one) {
      if (name != "allowed_capabilities") return fault(path, "there is no such field; there is allowed_capabilities");
      auto& allowed = settings.plugin.allowed_capabilities.emplace();
      members(path, one, [&](const std::string&, const std::string& key, const Json&) { allowed.insert(key); });
    });
  }

  // As Envoy's Node, of which this is what guests can read.
  void node(std::string_view field, const Json& value) {
    members(field, value, [&](const std::string& path, const std::string& name, const Json& one) {
      if (name == "id" || name == "cluster") {
        if (!one.IsString()) fault(path, "must be a string");
      } else if (name == "metadata" || name == "locality") {
        if (!one.IsObject()) fault(path, "must be an object");
        if (depth(one) > kMostDepth) fault(path, "nests deeper than " + std::to_string(kMostDepth) + " levels");
      } else {
        fault(path, "there is no such field; there are id, cluster, metadata, locality");
      }
    });
    bytes(value, settings.node);
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
    Field{"reload_backoff_ms",
          [](Reader& r, std::string_view f, const Json& v) {
            constexpr uint64_t kMost = 3'600'000;
            r.count(f, v, kMost, [&](uint64_t n) { r.settings.plugin.reload_backoff = std::chrono::milliseconds(n); });
          }},
    Field{"capability_restriction_config", [](Reader& r, std::string_view f, const Json& v) { r.capabilities(f, v); }},
    Field{"environment", [](Reader& r, std::string_view f, const Json& v) { r.environment(f, v); }},
    Field{"envoy_strict", [](Reader& r, std::string_view f, const Json& v) { r.flag(f, v, r.settings.envoy_strict); }},
    Field{"node", [](Reader& r, std::string_view f, const Json& v) { r.node(f, v); }},
    Field{"limits", [](Reader& r, std::string_view f, const Json& v) { r.limits(f, v); }},
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

Result<Settings> read_settings(std::string_view filter, std::string_view text) {
  Reader reader;
  reader.settings.filter = reader.settings.plugin.name = filter;
  rapidjson::Document document;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) text = "{}";
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  if (document.HasParseError()) {
    reader.fault("", "is no JSON at byte " + std::to_string(document.GetErrorOffset()) + ": " +
                         rapidjson::GetParseError_En(document.GetParseError()));
  } else if (!document.IsObject()) {
    reader.fault("", "must be an object, {\"configuration\": ...}");
  } else {
    const rapidjson::Document& read = document;  // whose iterators compare in one way only
    for (const auto& member : read.GetObject())
      read_field(reader, {member.name.GetString(), member.name.GetStringLength()}, member.value);
  }
  if (!reader.faults.empty()) return Error{ErrorCode::kInvalidArgument, std::move(reader.faults), ""};
  Settings& settings = reader.settings;
  reader.bytes(document, settings.plugin.key_suffix);  // of another filter_config it is another root context
  if (settings.artifact.empty() && !settings.module.empty()) settings.artifact = settings.module + ".aot";
  return std::move(settings);
}

}  // namespace inlay::dynamic_module
