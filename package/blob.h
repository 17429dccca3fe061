// SPDX-License-Identifier: Apache-2.0
#pragma once

// A blob is bytes that are known by their digest (opencontainers/image-spec, descriptor.md).

#include <string>
#include <string_view>

namespace inlay::package {

// "sha256:" and 64 hexadecimal digits, for `content`.
std::string digest_of(std::string_view content);

// Whether `text` is a digest of that form. Only then it may become a part of a path.
bool is_digest(std::string_view text);

// "blobs/sha256/<hexadecimal digits>", where an image layout keeps what has this digest, which must be one.
std::string blob_path(std::string_view digest);

struct Blob {
  Blob() = default;
  explicit Blob(std::string bytes) : content(std::move(bytes)), digest(digest_of(content)) {}
  std::string content;
  std::string digest;
};

}  // namespace inlay::package
