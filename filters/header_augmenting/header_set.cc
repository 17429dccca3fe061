// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/header_set.h"

#include <utility>

#include "filters/header_augmenting/answer.h"

namespace inlay::header_augmenting {

bool HeaderSet::assign(std::string_view pairs) {
  sdk::Bytes bytes = sdk::Bytes::allocate(pairs.size());
  if (bytes.data() == nullptr) return false;
  pairs.copy(bytes.data(), bytes.size());
  auto reader = abi::PairsReader::open(bytes.view());
  if (!reader) return false;
  std::vector<abi::Pair> headers;
  headers.reserve(reader->size());
  value_ = {};
  for (abi::Pair pair; reader->next(pair);) {
    if (pair.key == kValueName)
      value_ = pair.value;
    else
      headers.push_back(pair);
  }
  bytes_ = std::move(bytes);
  headers_ = std::move(headers);
  find_aliases();
  return true;
}

void HeaderSet::find_aliases() {
  aliases_.clear();
  arena_ = Arena();
  has_more_aliases_ = false;
  for (const abi::Pair& header : headers_) {
    size_t at[8];  // of the name's dashes and underscores
    size_t count = 0;
    for (size_t i = 0; i < header.key.size(); ++i) {
      if ((header.key[i] == '-' || header.key[i] == '_') && count < 8) at[count++] = i;
    }
    const size_t variants = size_t{1} << count;
    if (aliases_.size() + variants - 1 > kMaxAliases) {
      aliases_.clear();
      has_more_aliases_ = true;
      return;
    }
    for (size_t variant = 1; variant < variants; ++variant) {  // bit by bit, which of them are the other
      const std::span<char> name = arena_.array<char>(header.key.size());
      header.key.copy(name.data(), name.size());
      for (size_t i = 0; i < count; ++i) {
        if ((variant >> i & 1) != 0) name[at[i]] = header.key[at[i]] == '-' ? '_' : '-';
      }
      aliases_.emplace_back(name.data(), name.size());
    }
  }
}

}  // namespace inlay::header_augmenting
