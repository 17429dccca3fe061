// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/redact.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

#include "proxy/config/scalar_check.h"
#include "proxy/config/scalars.h"

namespace inlay::proxy::config {

namespace {

constexpr std::string_view kRedacted = "[redacted]";
constexpr std::string_view kRedactedLiteral = "\"[redacted]\"";

constexpr std::string_view kSecretWords[] = {"secret",        "password",   "passwd", "passphrase", "token",
                                             "authorization", "credential", "apikey", "privatekey", "accesskey",
                                             "cookie",        "signature",  "bearer"};

// Fields whose text is data of unknown content.
constexpr std::string_view kOpaqueFields[] = {"inline_string", "inline_bytes", "key_values", "raw_value"};

std::string letters(std::string_view key) {
  std::string out;
  for (char c : key)
    if (c != '_' && c != '-' && c != '.') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
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

// Replaces every leaf below a secret-looking key, and every text that holds white space and such a word ("Bearer x").
void redact_value(rapidjson::Value& value, bool secret, int depth) {
  constexpr int kDeepest = 64;
  if (depth > kDeepest || (secret && !value.IsObject() && !value.IsArray())) {
    if (value.IsNull() || value.IsBool()) return;
    value.SetString(kRedacted.data(), static_cast<rapidjson::SizeType>(kRedacted.size()));
    return;
  }
  if (value.IsObject()) {
    auto member = value.MemberBegin();
    for (rapidjson::SizeType i = 0; i < value.MemberCount(); ++i, ++member) {
      const std::string_view key(member->name.GetString(), member->name.GetStringLength());
      redact_value(member->value, secret || looks_secret(key), depth + 1);
    }
  } else if (value.IsArray()) {
    for (auto& item : value.GetArray()) redact_value(item, secret, depth + 1);
  }
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

std::string redacted_configuration(std::string_view text) {
  if (text.empty()) return "";
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (document.HasParseError() || (!document.IsObject() && !document.IsArray())) return std::string(kRedacted);
  redact_value(document, false, 0);
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  document.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
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
      if (node.is_map) out_ += json_string(child->key) + ":";
      value(*child);
    }
    out_ += node.is_map ? '}' : ']';
  }

  void message(const TreeNode& node) {
    const char* separator = "";
    out_ += '{';
    if (!node.any_type.empty()) {
      out_ += "\"@type\":" + json_string("type.googleapis.com/" + node.any_type);
      separator = ",";
    }
    for (const TreeNode* child : node.children) {
      out_ += separator + json_string(child->field->name) + ":";
      separator = ",";
      value(*child);
    }
    out_ += '}';
  }

  // A well-known type, or a message that the table does not have.
  void any(const TreeNode& node) {
    out_ += "{\"@type\":" + json_string("type.googleapis.com/" + node.any_type) + ",\"value\":";
    if (node.any_type == "google.protobuf.StringValue") {
      out_ += json_string(redacted_configuration(node.text));
    } else if (node.any_type == "google.protobuf.Struct" && node.source != nullptr) {
      out_ += redacted_configuration(to_json(*node.source));
    } else {
      out_ += kRedactedLiteral;
    }
    out_ += '}';
  }

  void scalar(const TreeNode& node) {
    if (secret(node)) {
      out_ += kRedactedLiteral;
    } else if (node.field->kind == FieldKind::kStruct || node.field->kind == FieldKind::kValue) {
      out_ += redacted_configuration(to_json(*node.source));
    } else if (node.field->name == "uri") {
      out_ += json_string(without_secrets(node.text));
    } else if (node.field->kind == FieldKind::kEnum || node.field->kind == FieldKind::kString) {
      out_ += json_string(node.text);
    } else {
      out_ += to_json(*node.source);
    }
  }

  static bool secret(const TreeNode& node) {
    const std::string& field = node.field->name;
    for (std::string_view opaque : kOpaqueFields)
      if (field == opaque) return !public_text(node);
    if (field != "value" || node.parent == nullptr || node.parent->message == nullptr) return false;
    const TreeNode* key = node.parent->find("key");  // a HeaderValue
    return key != nullptr && looks_secret(key->text);
  }

  // The body of a direct response goes to every client anyway.
  static bool public_text(const TreeNode& node) {
    const TreeNode* source = node.parent;
    return source != nullptr && source->parent != nullptr && source->parent->message != nullptr &&
           source->parent->message->name == "envoy.config.route.v3.DirectResponseAction";
  }

  std::string out_;
};

}  // namespace

std::string redacted_json(const Tree& tree) {
  return Dump().run(*tree.root);
}

}  // namespace inlay::proxy::config
