// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shared data: keys and values that all VMs of one vm_id in the process see, whichever worker they run on and whichever
// module they run. They stay as long as there are plugins of that vm_id; a key cannot be removed. Any callback or task
// may read and write them. Whoever can name the vm_id can read them: an empty vm_id is shared with all that have none.
//
//     Result<> renew(std::string_view token) {
//       const auto entry = get_shared_data("token");
//       if (!entry) return create_shared_data("token", token);
//       return set_shared_data("token", token, entry->cas);  // kCasMismatch: another VM was faster
//     }

#include <cstdint>
#include <string_view>

#include "sdk/bytes.h"
#include "sdk/host_functions.h"

namespace inlay::sdk {

// SharedValue: a copy of a value, and its version.
struct SharedValue {
  Bytes value;
  uint32_t cas = 0;  // the version of this value, for set_shared_data; another one each time the key is set
};

// get_shared_data: the value as it is now; kNotFound if the key has never been set.
inline Result<SharedValue> get_shared_data(std::string_view key) {
  char* data = nullptr;
  size_t size = 0;
  uint32_t cas = 0;
  const Status status = proxy_get_shared_data(key.data(), key.size(), &data, &size, &cas);
  if (status != Status::kOk) return status;
  return SharedValue{Bytes(data, size), cas};
}

// set_shared_data: sets the key. With a `cas` other than 0, only if that is still the version; else kCasMismatch. Envoy
// does not look at `cas` where the key is absent: create_shared_data is the way to be first. kInternalFailure: the data
// of the vm_id has no room left (in Inlay 256 MiB).
inline Result<> set_shared_data(std::string_view key, std::string_view value, uint32_t cas = 0) {
  return to_result(proxy_set_shared_data(key.data(), key.size(), value.data(), value.size(), cas));
}

// create_shared_data: sets the key only if it is absent; kCasMismatch if another VM was first. Compares with a version
// that no key has; on a host that refuses any comparison with an absent key, two VMs may both believe they were first.
inline Result<> create_shared_data(std::string_view key, std::string_view value) {
  constexpr uint32_t kNoVersion = UINT32_MAX;
  auto created = set_shared_data(key, value, kNoVersion);
  if (created || get_shared_data(key)) return created;
  return set_shared_data(key, value);
}

}  // namespace inlay::sdk
