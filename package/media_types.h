// SPDX-License-Identifier: Apache-2.0
#pragma once

// Media types and names that images of modules are made of (opencontainers/image-spec 1.0; solo-io/wasm, spec/).

#include <string_view>

namespace inlay::package {

inline constexpr std::string_view kIndexType = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kDockerIndexType = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kDockerManifestType = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kConfigType = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kPlainLayerType = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kDockerLayerType = "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr std::string_view kRuntimeConfigType = "application/vnd.module.wasm.config.v1+json";
inline constexpr std::string_view kModuleType = "application/vnd.module.wasm.content.layer.v1+wasm";

inline constexpr std::string_view kModuleFile = "plugin.wasm";
// As a tool calls the layer that has it in it, and that pulls whatever has a title, such as oras.
inline constexpr std::string_view kLayerFile = "plugin.wasm.tar.gz";
inline constexpr std::string_view kRuntimeConfigFile = "runtime-config.json";

inline constexpr std::string_view kLayoutFile = "oci-layout";
inline constexpr std::string_view kLayout = R"({"imageLayoutVersion":"1.0.0"})";
inline constexpr std::string_view kIndexFile = "index.json";

inline constexpr const char* kTitle = "org.opencontainers.image.title";
inline constexpr const char* kVersion = "org.opencontainers.image.version";
inline constexpr const char* kLicenses = "org.opencontainers.image.licenses";
inline constexpr const char* kSource = "org.opencontainers.image.source";
inline constexpr const char* kCreated = "org.opencontainers.image.created";
inline constexpr const char* kTag = "org.opencontainers.image.ref.name";  // in index.json
// buildx: "attestation-manifest" says that the manifest is about another one, and no image.
inline constexpr const char* kReferenceType = "vnd.docker.reference.type";
inline constexpr const char* kVariant = "module.wasm.image/variant";  // "compat"
inline constexpr const char* kAbiVersion = "inlay.module/abi-version";
inline constexpr const char* kModuleSha256 = "inlay.module/sha256";

}  // namespace inlay::package
