// SPDX-License-Identifier: Apache-2.0
// Any bytes: as a layout in a tar file; as a gzip file; and packed, when they must come back.
#include <cstdlib>

#include "package/gzip.h"
#include "package/read_image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace inlay::package;
  constexpr size_t kLimit = 1 << 20;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)load_module_from_tar(text, "");
  (void)gunzip({data, size}, kLimit);
  const std::string packed = gzip_stored({data, size});
  const auto back = gunzip({reinterpret_cast<const uint8_t*>(packed.data()), packed.size()}, size);
  if (!back || *back != text) std::abort();
  return 0;
}
