// SPDX-License-Identifier: Apache-2.0
// DWARF's line tables: any bytes are one, or an error. The first byte says where .debug_line_str begins.
#include <cstdlib>

#include "coverage/line_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::span<const uint8_t> bytes(data + 1, size - 1);
  const size_t strings = bytes.size() * data[0] / 256;
  const auto table =
      inlay::coverage::read_line_table({bytes.first(bytes.size() - strings), bytes.last(strings), bytes.last(strings)});
  if (!table) return 0;
  for (const auto& row : table->rows) {
    if (row.file >= table->files.size() || row.line == 0) std::abort();
  }
  return 0;
}
