// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/header_set.h"

#include <utility>

#include "filters/header_augmenting/answer.h"
#include "filters/header_augmenting/features.h"

namespace inlay::header_augmenting {

bool HeaderSet::assign(std::string_view pairs) {
  sdk::Bytes bytes = sdk::Bytes::allocate(pairs.size());
  if (bytes.data() == nullptr) return false;
  pairs.copy(bytes.data(), bytes.size());
  auto reader = abi::PairsReader::open(bytes.view());
  if (!reader) return false;
  bytes_ = std::move(bytes);
  arena_ = Arena();
  headers_ = arena_.array<abi::Pair>(reader->size());
  value_ = {};
  size_t size = 0;
  for (abi::Pair pair; reader->next(pair);) {
    if (has(kReferences) && pair.key == kValueName)
      value_ = pair.value;
    else
      headers_[size++] = pair;
  }
  headers_ = headers_.first(size);
  find_aliases();
  return true;
}

void HeaderSet::find_aliases() {
  aliases_ = arena_.array<std::string_view>(kMaxAliases);
  has_more_aliases_ = false;
  size_t size = 0;
  for (const abi::Pair& header : headers_) {
    size_t at[8];  // of the name's dashes and underscores
    size_t count = 0;
    for (size_t i = 0; i < header.key.size(); ++i) {
      if ((header.key[i] == '-' || header.key[i] == '_') && count < 8) at[count++] = i;
    }
    const size_t variants = size_t{1} << count;
    if (size + variants - 1 > kMaxAliases) {
      has_more_aliases_ = true;
      size = 0;
      break;
    }
    for (size_t variant = 1; variant < variants; ++variant) {  // bit by bit, which of them are the other
      char* const name = static_cast<char*>(arena_.take(header.key.size()));
      header.key.copy(name, header.key.size());
      for (size_t i = 0; i < count; ++i) {
        if ((variant >> i & 1) != 0) name[at[i]] = name[at[i]] == '-' ? '_' : '-';
      }
      aliases_[size++] = {name, header.key.size()};
    }
  }
  aliases_ = aliases_.first(size);
}

}  // namespace inlay::header_augmenting
