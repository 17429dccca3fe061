// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/istio_merge.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <functional>

#include "config/scalar_check.h"
#include "document/scalars.h"

namespace inlay::deploy {

using document::Source;
using rapidjson::Document;
using rapidjson::Value;

namespace {

constexpr const char* kManager = "envoy.filters.network.http_connection_manager";
constexpr const char* kRouter = "envoy.filters.http.router";
constexpr std::string_view kWasm = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

// The value below `path`, one name after the other; nullptr when there is none.
const Value* find(const Value& value, std::initializer_list<const char*> path) {
  const Value* at = &value;
  for (const char* name : path) {
    if (!at->IsObject()) return nullptr;
    const auto member = at->FindMember(name);
    if (member == at->MemberEnd()) return nullptr;
    at = &member->value;
  }
  return at;
}

Value* find(Value& value, std::initializer_list<const char*> path) {
  return const_cast<Value*>(find(static_cast<const Value&>(value), path));
}

std::string text(const Value& value, std::initializer_list<const char*> path) {
  const Value* found = find(value, path);
  return found != nullptr && found->IsString() ? found->GetString() : "";
}

int64_t number(const Value& value, std::initializer_list<const char*> path) {
  const Value* found = find(value, path);
  return found != nullptr && found->IsInt64() ? found->GetInt64() : 0;
}

std::string write(const Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

// The elements of the list at `path`; none when there is no list.
std::vector<const Value*> elements(const Value& value, std::initializer_list<const char*> path) {
  std::vector<const Value*> out;
  const Value* list = find(value, path);
  if (list == nullptr || !list->IsArray()) return out;
  for (const Value& element : list->GetArray()) out.push_back(&element);
  return out;
}

// Which listeners an HTTP filter is for.
struct Target {
  bool outbound = true;
  bool both = false;
  int64_t port = 0;  // 0: any
  std::string before = kRouter;
};

bool takes(const Target& target, const Value& listener) {
  const std::string direction = text(listener, {"traffic_direction"});
  const bool outbound = direction != "INBOUND";
  return (target.both || outbound == target.outbound) &&
         (target.port == 0 || target.port == number(listener, {"address", "socket_address", "port_value"}));
}

// Puts `filter` before each filter `target.before` of the HTTP connection managers of a listener. How often it did.
size_t insert_into_listener(Value& listener, const Target& target, const Value& filter,
                            Document::AllocatorType& allocator) {
  size_t count = 0;
  for (Value& chain : find(listener, {"filter_chains"})->GetArray()) {
    for (Value& network : find(chain, {"filters"})->GetArray()) {
      if (text(network, {"name"}) != kManager) continue;
      Value& old = *find(network, {"typed_config", "http_filters"});
      Value filters(rapidjson::kArrayType);
      for (Value& existing : old.GetArray()) {
        if (text(existing, {"name"}) == target.before) {
          filters.PushBack(Value(filter, allocator), allocator);
          ++count;
        }
        filters.PushBack(Value(existing, allocator), allocator);
      }
      old = filters;
    }
  }
  return count;
}

size_t insert(Document& bootstrap, const Target& target, const Value& filter) {
  size_t count = 0;
  for (Value& listener : find(bootstrap, {"static_resources", "listeners"})->GetArray())
    if (takes(target, listener)) count += insert_into_listener(listener, target, filter, bootstrap.GetAllocator());
  return count;
}

Error meets_nothing(size_t index) {
  return {ErrorCode::kNotFound, "meets nothing in the configuration of a sidecar",
          "spec.configPatches[" + std::to_string(index) + "]"};
}

Error not_evaluated(size_t index) {
  return {ErrorCode::kUnsupported, "a patch of a kind that is not evaluated",
          "spec.configPatches[" + std::to_string(index) + "]"};
}

Result<Unit> apply_patch(Document& bootstrap, const Value& patch, size_t index) {
  const std::string what = text(patch, {"applyTo"});
  const std::string operation = text(patch, {"patch", "operation"});
  const Value* value = find(patch, {"patch", "value"});
  if (value == nullptr) return not_evaluated(index);
  if ((what == "CLUSTER" || what == "LISTENER") && operation == "ADD") {
    find(bootstrap, {"static_resources", what == "CLUSTER" ? "clusters" : "listeners"})
        ->PushBack(Value(*value, bootstrap.GetAllocator()), bootstrap.GetAllocator());
    return Unit{};
  }
  const std::string manager = text(patch, {"match", "listener", "filterChain", "filter", "name"});
  if (what != "HTTP_FILTER" || operation != "INSERT_BEFORE" || manager != kManager) return not_evaluated(index);
  Target target;
  const std::string context = text(patch, {"match", "context"});
  target.outbound = context == "SIDECAR_OUTBOUND" || context == "GATEWAY";
  target.both = context == "ANY";
  target.port = number(patch, {"match", "listener", "portNumber"});
  target.before = text(patch, {"match", "listener", "filterChain", "filter", "subFilter", "name"});
  return insert(bootstrap, target, *value) == 0 ? Result<Unit>(meets_nothing(index)) : Unit{};
}

Document parse(std::string_view json) {
  Document document;
  document.Parse(json.data(), json.size());
  return document;
}

// The filter that istiod makes: FAIL_CLOSE and the like have other names in Envoy, and the configuration is text.
std::string http_filter(const Value& resource, const Value& wasm, std::string_view code) {
  using document::json_string;
  std::string policy = text(wasm, {"failStrategy"});
  if (policy.empty() || policy == "FAIL_CLOSE") policy = "FAIL_CLOSED";
  const Value* configuration = find(wasm, {"pluginConfig"});
  std::string host_keys;
  std::string key_values;
  if (const Value* variables = find(wasm, {"vmConfig", "env"})) {
    for (const Value& variable : variables->GetArray()) {
      const bool host = text(variable, {"valueFrom"}) == "HOST";
      std::string& out = host ? host_keys : key_values;
      out += (out.empty() ? "" : ",") + json_string(text(variable, {"name"}));
      if (!host) out += ":" + json_string(text(variable, {"value"}));
    }
  }
  const std::string name =
      json_string(text(resource, {"metadata", "namespace"}) + "." + text(resource, {"metadata", "name"}));
  return R"({"name":)" + name +
         R"(,"typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm","config":{"name":)" +
         name + R"(,"root_id":)" + json_string(text(wasm, {"pluginName"})) + R"(,"failure_policy":)" +
         json_string(policy) +
         R"(,"configuration":{"@type":"type.googleapis.com/google.protobuf.StringValue","value":)" +
         json_string(configuration == nullptr ? "" : write(*configuration)) +
         R"(},"vm_config":{"runtime":"envoy.wasm.runtime.v8","code":{"local":)" + std::string(code) +
         R"(},"environment_variables":{"host_env_keys":[)" + host_keys + R"(],"key_values":{)" + key_values + "}}}}}}";
}

}  // namespace

Result<std::string> apply_envoy_filter(std::string_view bootstrap_json, const Source& envoy_filter) {
  Document bootstrap = parse(bootstrap_json);
  const Document resource = parse(config::to_json(envoy_filter));
  const Value* patches = find(resource, {"spec", "configPatches"});
  if (patches == nullptr || !patches->IsArray()) return Error{ErrorCode::kNotFound, "has no patches", "spec"};
  size_t index = 0;
  for (const Value& patch : patches->GetArray()) {
    INLAY_RETURN_IF_ERROR(apply_patch(bootstrap, patch, index));
    ++index;
  }
  return write(bootstrap);
}

Result<std::string> apply_wasm_resource(std::string_view bootstrap_json, const Source& resource,
                                        std::string_view code) {
  Document bootstrap = parse(bootstrap_json);
  const Document document = parse(config::to_json(resource));
  const Value* spec = find(document, {"spec"});
  const Value* nested = spec == nullptr ? nullptr : find(*spec, {"wasm"});
  if (spec == nullptr) return Error{ErrorCode::kNotFound, "is missing", "spec"};
  const Document filter = parse(http_filter(document, nested == nullptr ? *spec : *nested, code));
  const Value* matches = find(*spec, {"match"});
  size_t count = 0;
  if (matches == nullptr) count += insert(bootstrap, {true, true, 0, kRouter}, filter);
  for (const Value* match : elements(*spec, {"match"})) {
    const std::string mode = text(*match, {"mode"});
    if (find(*match, {"ports"}) == nullptr)
      return Error{ErrorCode::kUnsupported, "a match without ports", "spec.match"};
    for (const Value* port : elements(*match, {"ports"}))
      count += insert(bootstrap, {mode == "CLIENT", mode == "CLIENT_AND_SERVER", number(*port, {"number"}), kRouter},
                      filter);
  }
  if (count == 0) return Error{ErrorCode::kNotFound, "meets nothing in the configuration of a sidecar", "spec.match"};
  return write(bootstrap);
}

namespace {

void add_passed_routes(const Value& manager, std::vector<PassedRoute>& out) {
  for (const Value* filter : elements(manager, {"http_filters"})) {
    if (text(*filter, {"typed_config", "@type"}) != kWasm) continue;
    for (const Value* host : elements(manager, {"route_config", "virtual_hosts"}))
      for (const Value* route : elements(*host, {"routes"}))
        out.push_back(
            {text(*route, {"route", "cluster"}), text(*filter, {"typed_config", "config", "configuration", "value"})});
  }
}

}  // namespace

std::vector<PassedRoute> passed_routes(std::string_view bootstrap_json) {
  const Document bootstrap = parse(bootstrap_json);
  std::vector<PassedRoute> out;
  for (const Value* listener : elements(bootstrap, {"static_resources", "listeners"})) {
    if (text(*listener, {"traffic_direction"}) == "INBOUND") continue;
    for (const Value* chain : elements(*listener, {"filter_chains"}))
      for (const Value* network : elements(*chain, {"filters"}))
        if (const Value* manager = find(*network, {"typed_config"})) add_passed_routes(*manager, out);
  }
  return out;
}

}  // namespace inlay::deploy
