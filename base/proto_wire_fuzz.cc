// SPDX-License-Identifier: Apache-2.0
// Whatever a reader makes of bytes, written again reads the same; views lie inside of the bytes.

#include <cstdlib>
#include <string>

#include "base/proto_wire.h"

using inlay::ProtoField;
using inlay::ProtoReader;
using inlay::ProtoWire;

namespace {

// The fields, written as the writer writes them (fixed-width numbers as varints).
std::string rewrite(std::string_view bytes) {
  std::string out;
  ProtoReader reader(bytes);
  for (ProtoField f; reader.next(f);) {
    if (f.number == 0) std::abort();
    if (f.is_bytes()) {
      const bool inside = f.bytes.empty() || (f.bytes.data() >= bytes.data() &&
                                              f.bytes.data() + f.bytes.size() <= bytes.data() + bytes.size());
      if (!inside) std::abort();
      inlay::put_bytes(out, f.number, f.bytes);
    } else {
      inlay::put_tag(out, f.number, ProtoWire::kVarint);
      inlay::put_varint(out, f.value);
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string first = rewrite({reinterpret_cast<const char*>(bytes), size});
  if (rewrite(first) != first) std::abort();
  return 0;
}
