// SPDX-License-Identifier: Apache-2.0
#pragma once

// A module as an OCI image, in the two forms that Istio's agent and Envoy Gateway pull (solo-io/wasm, spec/spec.md and
// spec/spec-compat.md). The same module and the same options make the same bytes, on any machine.
//
//     INLAY_TRY(const Image image, make_image(module, {.name = "header_augmenting", .tag = "1.2.0"}));
//     return write_image(image, "build/oci/header_augmenting");   // package/write_image.h
//
// Everything is in memory, and owns its bytes; nothing here touches a file. package/read_image.h reads an image back.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "package/blob.h"

namespace inlay::package {

// Form: which of the two.
enum class Form : uint8_t {
  kCompat,    // one tar+gzip layer with plugin.wasm, of the media types of any container image
  kArtifact,  // the module as it is, and a runtime configuration, of media types of their own
};

// ImageOptions: what the image says beside the module. What is left out is not in the image.
struct ImageOptions {
  Form form = Form::kCompat;
  bool compress = false;  // kCompat: the layer, with zlib, on whose version its bytes then depend
  std::string name;       // title; of a repository's name the last part
  std::string tag;        // what the layout calls the image
  std::string version;    // these four become annotations where they are not empty
  std::string licenses;
  std::string source;
  std::map<std::string, std::string> annotations;  // more of them; one that we set ourselves is replaced
  std::optional<int64_t> created;                  // seconds since 1970; without it an image has no date
  std::vector<std::string> root_ids;               // kArtifact: named in the runtime configuration
};

// Image is an OCI image layout's content.
struct Image {
  Blob manifest;
  std::vector<Blob> blobs;  // all others; each once
  std::string index;        // index.json
  std::string abi_version;
  std::string module_sha256;
  size_t layer_size = 0;  // of the layer with the module in it
};

// make_image: kInvalidArgument if `module` is not a proxy-wasm module that this host runs, with the reason, or if an
// option is wrong, with what it may be.
Result<Image> make_image(std::span<const uint8_t> module, const ImageOptions& options);

// layout_files: the files of a layout, sorted, by their paths in it. The contents are views into `image`.
std::map<std::string, std::string_view> layout_files(const Image& image);

}  // namespace inlay::package
