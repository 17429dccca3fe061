// SPDX-License-Identifier: Apache-2.0
// Any bytes as a serialised header map: what opens, is read within its bounds and written back as it was.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "abi/pairs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto reader = inlay::abi::PairsReader::open(bytes);
  if (!reader) return 0;
  std::vector<inlay::abi::Pair> pairs;
  for (inlay::abi::Pair pair; reader->next(pair);) pairs.push_back(pair);
  std::string again(inlay::abi::pairs_size(pairs), '\0');
  inlay::abi::write_pairs(pairs, again.data());
  if (size != 0 && !bytes.starts_with(again)) std::abort();
  return 0;
}
