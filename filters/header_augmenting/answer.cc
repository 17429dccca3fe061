// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/answer.h"

#include <vector>

#include "abi/pairs.h"
#include "filters/header_augmenting/header_rules.h"
#include "filters/header_augmenting/json.h"
#include "sdk/log.h"

namespace inlay::header_augmenting {
namespace {

// lower: in place, ASCII only.
void lower(char* text, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (text[i] >= 'A' && text[i] <= 'Z') text[i] = static_cast<char>(text[i] | 0x20);
  }
}

// refusal: why an entry cannot be set, nullptr if it can.
const char* refusal(std::string_view lower_name, const Json::Node& node) {
  if (node.type != Json::Type::kString) return "its value is not a string";
  if (is_forbidden(lower_name)) return "no source may set it";
  if (!is_safe_value(node.text)) return "its value has a control character";
  return nullptr;
}

}  // namespace

Result<Answer, FetchFailure> read_headers_answer(std::string_view body, std::string_view source) {
  const auto json = Json::parse(body);
  if (!json || json->root().type != Json::Type::kObject) return FetchFailure::kBadJson;

  Answer answer;
  std::vector<abi::Pair> pairs;
  std::vector<sdk::Bytes> names;
  for (const Json::Node* node = json->first(json->root()); node != nullptr; node = json->next(*node)) {
    if (!is_token(node->key)) {
      ++answer.refused;
      sdk::log_warn("source ", source, ": an entry is left out: its name is not a header name");
      continue;
    }
    sdk::Bytes name = sdk::Bytes::allocate(node->key.size());
    if (name.data() == nullptr) return FetchFailure::kTooLarge;
    node->key.copy(name.data(), name.size());
    lower(name.data(), name.size());
    if (const char* reason = refusal(name.view(), *node)) {
      ++answer.refused;
      sdk::log_warn("source ", source, ": header ", name.view().substr(0, 64), " is left out: ", reason);
      continue;
    }
    pairs.push_back({name.view(), node->text});
    names.push_back(std::move(name));
  }
  if (pairs.empty() && answer.refused != 0) return FetchFailure::kNoHeaders;

  answer.pairs = sdk::Bytes::allocate(abi::pairs_size(pairs));
  if (answer.pairs.data() == nullptr) return FetchFailure::kTooLarge;
  abi::write_pairs(pairs, answer.pairs.data());
  return answer;
}

std::optional<uint64_t> read_max_age(std::string_view cache_control) {
  static constexpr std::string_view kName = "max-age=";
  for (size_t at = 0; at < cache_control.size();) {
    size_t end = cache_control.find(',', at);
    if (end == std::string_view::npos) end = cache_control.size();
    std::string_view directive = cache_control.substr(at, end - at);
    at = end + 1;
    while (!directive.empty() && (directive.front() == ' ' || directive.front() == '\t')) directive.remove_prefix(1);
    while (!directive.empty() && (directive.back() == ' ' || directive.back() == '\t')) directive.remove_suffix(1);
    if (directive.size() <= kName.size() || directive.size() > kName.size() + 9) continue;
    bool is_max_age = true;
    for (size_t i = 0; i < kName.size(); ++i) is_max_age = is_max_age && (directive[i] | 0x20) == (kName[i] | 0x20);
    uint64_t seconds = 0;
    for (const char c : directive.substr(kName.size())) {
      if (c < '0' || c > '9') is_max_age = false;
      seconds = seconds * 10 + static_cast<uint64_t>(c - '0');
    }
    if (is_max_age && seconds != 0) return seconds;
  }
  return std::nullopt;
}

}  // namespace inlay::header_augmenting
