// SPDX-License-Identifier: Apache-2.0
#pragma once

// Modules out of images: layouts as `inlay package` and skopeo write them.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace inlay::package {

// More than any module has that a proxy would load.
constexpr size_t kMaxModuleSize = size_t{256} << 20;

struct LoadedModule {
  std::string bytes;
  std::string image;  // "sha256:..." of the manifest that it came with; empty if `path` was the module itself
  // Why Istio's agent and Envoy Gateway, which are stricter than we are, would not pull it; empty if they would. They
  // have the same rules (istio/istio, pkg/wasm/imagefetcher.go).
  std::vector<std::string> not_pulled;
};

// Reads the module from `path`: a module, or an image layout as a folder or a tar file. `tag` chooses one of several
// images; empty if there is only one. An image may be an index of platforms beside attestations, as buildx writes
// it: of several, linux/amd64 is taken, as those who pull do. As Istio does it, the module is plugin.wasm in the last
// layer, or the layer of the artifact form. Every digest is checked. Errors: kIo, kNotFound (no such image, no module
// in it), kInvalidArgument, kResourceExhausted.
Result<LoadedModule> load_module(const std::string& path, const std::string& tag);

// The images that a layout has: how many. kNotFound if `path` is no layout.
Result<size_t> count_images(const std::string& path);

// The same as load_module() from the text of a tar file; for fuzzers and tests.
Result<LoadedModule> load_module_from_tar(std::string_view archive, const std::string& tag);

}  // namespace inlay::package
