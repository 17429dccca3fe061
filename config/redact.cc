// SPDX-License-Identifier: Apache-2.0
#include "config/redact.h"
#include "base/ascii.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

#include "config/redact_plugin.h"
#include "config/scalar_check.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr std::string_view kRedacted = "[redacted]";
constexpr std::string_view kRedactedLiteral = "\"[redacted]\"";

constexpr std::string_view kSecretWords[] = {"secret",        "password",   "passwd", "passphrase", "token",
                                             "authorization", "credential", "apikey", "privatekey", "accesskey",
                                             "cookie",        "signature",  "bearer"};

// Fields whose text is data of unknown content.
constexpr std::string_view kOpaqueFields[] = {
    "inline_string", "inline_bytes",         "key_values",          "raw_value", "binary",
    "access_token",  "google_refresh_token", "authorization_token", "json_key"};
// Shown without a query and what stands before a host.
constexpr std::string_view kUris[] = {
    "uri", "token_exchange_service_uri", "path", "path_redirect", "host_redirect", "prefix_rewrite", "substitution"};
constexpr std::string_view kToClients = "response_headers_to_add";
constexpr std::string_view kHarmlessHeaders[] = {":method", ":scheme", ":authority",       "host",   "accept",
                                                 "origin",  "upgrade", "content-encoding", "expect", "content-type"};

std::string letters(std::string_view key) {
  std::string out;
  for (char c : key)
    if (c != '_' && c != '-' && c != '.') out += to_lower(c);
  return out;
}

}  // namespace

bool looks_secret(std::string_view key) {
  const std::string folded = letters(key);
  if (folded == "key" || folded.ends_with("key") || folded.ends_with("keys")) return true;
  return std::any_of(std::begin(kSecretWords), std::end(kSecretWords),
                     [&](std::string_view word) { return folded.find(word) != std::string::npos; });
}

namespace {

// Whether a text is made of command operators ("%REQ(:PATH)% %PROTOCOL%"), so that it holds no value of its own.
bool only_operators(std::string_view text) {
  while (!text.empty()) {
    if (text[0] != '%') {
      if (std::string_view(" ,;:/|").find(text[0]) == std::string_view::npos) return false;
      text.remove_prefix(1);
      continue;
    }
    const size_t end = text.find('%', 1);
    if (end == std::string_view::npos || end < 2 || text[1] < 'A' || text[1] > 'Z') return false;
    text.remove_prefix(end + 1);
  }
  return true;
}

void redact_leaf(rapidjson::Value& value) {
  value.SetString(kRedacted.data(), static_cast<rapidjson::SizeType>(kRedacted.size()));
}

// A Struct's schema is its reader's own: numbers and flags are shown, but for those with secret-looking keys; no text
// is, unless it is made of operators.
void redact_struct(rapidjson::Value& value, bool secret, int depth) {
  constexpr int kDeepest = 64;
  if (depth > kDeepest) return redact_leaf(value);
  if (value.IsObject()) {
    // By the distance: clang takes the iterators' == and != of RapidJSON 1.1 for ambiguous.
    for (auto member = value.MemberBegin(); value.MemberEnd() - member > 0; ++member) {
      const std::string_view key(member->name.GetString(), member->name.GetStringLength());
      redact_struct(member->value, secret || looks_secret(key), depth + 1);
    }
  } else if (value.IsArray()) {
    for (auto& item : value.GetArray()) redact_struct(item, secret, depth + 1);
  } else if (value.IsString()) {
    if (!only_operators({value.GetString(), value.GetStringLength()})) redact_leaf(value);
  } else if (secret && value.IsNumber()) {
    redact_leaf(value);
  }
}

std::string redacted_struct(const std::string& json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError()) return std::string(kRedactedLiteral);
  redact_struct(document, false, 0);
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  document.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

std::string without_secrets(std::string_view uri) {
  const size_t query = uri.find('?');
  std::string shown(uri.substr(0, query));
  const size_t scheme = shown.find("://");
  const size_t host = scheme == std::string::npos ? 0 : scheme + 3;
  const size_t at = shown.substr(0, shown.find('/', host)).rfind('@');
  if (at != std::string::npos && at >= host) shown.replace(host, at - host, kRedacted);
  if (query != std::string_view::npos) shown.append("?").append(kRedacted);
  return shown;
}

namespace {

class Dump {
 public:
  std::string run(const TreeNode& root) {
    message(root);
    return std::move(out_);
  }

 private:
  void value(const TreeNode& node) {
    if (node.is_list || node.is_map) {
      collection(node);
    } else if (node.message != nullptr) {
      message(node);
    } else if (!node.any_type.empty()) {
      any(node);
    } else {
      scalar(node);
    }
  }

  void collection(const TreeNode& node) {
    const char* separator = "";
    out_ += node.is_map ? '{' : '[';
    for (const TreeNode* child : node.children) {
      out_ += separator;
      separator = ",";
      if (node.is_map) out_ += document::json_string(child->key) + ":";
      value(*child);
    }
    out_ += node.is_map ? '}' : ']';
  }

  void message(const TreeNode& node) {
    const char* separator = "";
    out_ += '{';
    if (!node.any_type.empty()) {
      out_ += "\"@type\":" + document::json_string("type.googleapis.com/" + node.any_type);
      separator = ",";
    }
    for (const TreeNode* child : node.children) {
      out_ += separator + document::json_string(child->field->name) + ":";
      separator = ",";
      value(*child);
    }
    out_ += '}';
  }

  // A well-known type, or a message that the table does not have.
  void any(const TreeNode& node) {
    out_ += "{\"@type\":" + document::json_string("type.googleapis.com/" + node.any_type) + ",\"value\":";
    if (node.any_type == "google.protobuf.StringValue") {
      out_ += document::json_string(redacted_plugin_configuration(plugin_of(node), node.text));
    } else if (node.any_type == "google.protobuf.Struct" && node.source != nullptr) {
      const std::string shown = redacted_plugin_configuration(plugin_of(node), to_json(*node.source));
      out_ += shown.starts_with('{') ? shown : document::json_string(shown);
    } else {
      out_ += kRedactedLiteral;
    }
    out_ += '}';
  }

  // What the plugin whose configuration the node is (not its VM's) is called: its name, or else its module's.
  static std::string plugin_of(const TreeNode& node) {
    const TreeNode* plugin = node.parent;
    if (!is(plugin, "envoy.extensions.wasm.v3.PluginConfig")) return "";
    const TreeNode* name = plugin->find("name");
    if (name != nullptr && is_header_augmenting(name->text)) return name->text;
    const TreeNode* at = plugin;
    for (const char* step : {"vm_config", "code", "local", "filename"})
      if (at != nullptr) at = at->find(step);
    return at == nullptr ? "" : at->text.substr(at->text.rfind('/') + 1);
  }

  void scalar(const TreeNode& node) {
    const std::string& field = node.field->name;
    if (secret(node)) {
      out_ += kRedactedLiteral;
    } else if (node.field->kind == FieldKind::kStruct || node.field->kind == FieldKind::kValue) {
      out_ += redacted_struct(to_json(*node.source));
    } else if (in(kUris, field)) {
      out_ += document::json_string(without_secrets(node.text));
    } else if (node.field->kind == FieldKind::kEnum || node.field->kind == FieldKind::kString) {
      out_ += document::json_string(node.text);
    } else {
      out_ += to_json(*node.source);
    }
  }

  static bool secret(const TreeNode& node) {
    if (in(kOpaqueFields, node.field->name)) return !public_text(node);
    if (is(node.parent, "envoy.config.core.v3.HealthCheck.Payload")) return true;
    if (node.field->name == "value" && is(node.parent, "envoy.config.core.v3.HeaderValue"))
      return secret_header(*node.parent, node.text);
    return node.field->kind == FieldKind::kString && secret_match(node);
  }

  // Each client gets the headers of a response anyway. What goes to an upstream is shown where it is no value.
  static bool secret_header(const TreeNode& header, std::string_view value) {
    if (only_operators(value)) return false;
    const TreeNode* key = header.find("key");
    const TreeNode* option = header.parent;
    const bool to_clients = option != nullptr && option->field != nullptr && option->field->name == kToClients;
    return !to_clients || key == nullptr || looks_secret(key->text);
  }

  // What a header or a parameter of the query is compared with is what a client that may pass has to send.
  static bool secret_match(const TreeNode& node) {
    for (const TreeNode* at = node.parent; at != nullptr; at = at->parent) {
      const bool header = is(at, "envoy.config.route.v3.HeaderMatcher");
      if (!header && !is(at, "envoy.config.route.v3.QueryParameterMatcher")) continue;
      if (at == node.parent && node.field->name == "name") return false;
      const TreeNode* name = at->find("name");
      return !header || name == nullptr || !in(kHarmlessHeaders, name->text);
    }
    return false;
  }

  // The body of a direct response goes to every client anyway.
  static bool public_text(const TreeNode& node) {
    return node.parent != nullptr && is(node.parent->parent, "envoy.config.route.v3.DirectResponseAction");
  }

  static bool is(const TreeNode* node, std::string_view message) {
    return node != nullptr && node->message != nullptr && node->message->name == message;
  }

  template <size_t N>
  static bool in(const std::string_view (&list)[N], std::string_view word) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
  }

  std::string out_;
};

}  // namespace

std::string redacted_json(const Tree& tree) {
  return Dump().run(*tree.root);
}

}  // namespace inlay::config
