// SPDX-License-Identifier: Apache-2.0
#include "package/image.h"

#include <array>
#include <ctime>

#include "inspect/facts.h"
#include "inspect/json_writer.h"
#include "inspect/printable.h"
#include "package/gzip.h"
#include "package/media_types.h"
#include "package/reference.h"
#include "package/tar.h"

namespace inlay::package {
namespace {

using Annotations = std::map<std::string, std::string>;

std::span<const uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Without white space. Its users write keys in their order, so that there is one text for one image.
using Json = inspect::JsonWriter<>;

Json& write_annotations(Json& json, const Annotations& annotations) {
  if (annotations.empty()) return json;
  json.open("annotations");
  for (const auto& [key, value] : annotations) json.text(key.c_str(), value);
  return json.close();
}

void write_descriptor(Json& json, const char* key, const Blob& blob, std::string_view type,
                      const Annotations& annotations = {}) {
  write_annotations(json.open(key), annotations)
      .text("digest", blob.digest)
      .text("mediaType", type)
      .number("size", blob.content.size())
      .close();
}

std::string iso_time(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts = {};
  ::gmtime_r(&time, &parts);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

Annotations manifest_annotations(const ImageOptions& options, const Image& image) {
  Annotations all = options.annotations;
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) all[key] = value;
  };
  set(kTitle, options.name.substr(options.name.rfind('/') + 1));
  set(kVersion, options.version);
  set(kLicenses, options.licenses);
  set(kSource, options.source);
  if (options.created) set(kCreated, iso_time(*options.created));
  if (options.form == Form::kCompat) set(kVariant, "compat");
  set(kAbiVersion, image.abi_version);
  set(kModuleSha256, image.module_sha256);
  return all;
}

// Any container engine takes this configuration; nothing in the image depends on the platform that it names.
std::string container_config(const ImageOptions& options, std::string_view layer_digest) {
  Json json;
  json.open().text("architecture", "amd64").open("config").close();
  if (options.created) json.text("created", iso_time(*options.created));
  json.text("os", "linux").open("rootfs").open_list("diff_ids").text(nullptr, layer_digest).close_list();
  return json.text("type", "layers").close().close().take();
}

std::string runtime_config(const ImageOptions& options, const std::string& abi_version) {
  Json json;
  json.open().open_list("abiVersions").text(nullptr, abi_version).close_list().open("config");
  if (!options.root_ids.empty()) {
    json.open_list("root_ids");
    for (const std::string& id : options.root_ids) json.text(nullptr, id);
    json.close_list();
  }
  return json.close().text("type", "envoy_proxy").close().take();
}

Result<> add_compat(std::span<const uint8_t> module, const ImageOptions& options, Image& image) {
  const TarFile file{std::string(kModuleFile), {reinterpret_cast<const char*>(module.data()), module.size()}};
  const std::string archive = write_tar(std::span(&file, 1));
  std::string packed;
  if (options.compress) {
    INLAY_TRY(packed, gzip_compressed(as_bytes(archive)));
  } else {
    packed = gzip_stored(as_bytes(archive));
  }
  Blob layer(std::move(packed));
  Blob config(container_config(options, digest_of(archive)));
  image.layer_size = layer.content.size();

  Json json;
  write_annotations(json.open(), manifest_annotations(options, image));
  write_descriptor(json, "config", config, kConfigType);
  json.open_list("layers");
  write_descriptor(json, nullptr, layer, kLayerType, {{kTitle, std::string(kLayerFile)}});
  json.close_list().text("mediaType", kManifestType).number("schemaVersion", 2).close();
  image.manifest = Blob(json.take());
  image.blobs = {std::move(config), std::move(layer)};
  return {};
}

// The runtime configuration is the manifest's configuration, and a layer too: Istio wants exactly two layers.
void add_artifact(std::span<const uint8_t> module, const ImageOptions& options, Image& image) {
  Blob layer(std::string(module.begin(), module.end()));
  Blob config(runtime_config(options, image.abi_version));
  image.layer_size = layer.content.size();

  Json json;
  write_annotations(json.open(), manifest_annotations(options, image));
  write_descriptor(json, "config", config, kRuntimeConfigType);
  json.open_list("layers");
  write_descriptor(json, nullptr, config, kRuntimeConfigType, {{kTitle, std::string(kRuntimeConfigFile)}});
  write_descriptor(json, nullptr, layer, kModuleType, {{kTitle, std::string(kModuleFile)}});
  json.close_list().text("mediaType", kManifestType).number("schemaVersion", 2).close();
  image.manifest = Blob(json.take());
  image.blobs = {std::move(config), std::move(layer)};
}

std::string index_of(const ImageOptions& options, const Blob& manifest) {
  Json json;
  json.open().open_list("manifests");
  write_descriptor(json, nullptr, manifest, kManifestType, {{kTag, options.tag}});
  return json.close_list().text("mediaType", kIndexType).number("schemaVersion", 2).close().take();
}

Result<> check(const ImageOptions& options) {
  const auto wrong = [](std::string message) { return Error{ErrorCode::kInvalidArgument, std::move(message), {}}; };
  if (!is_repository(options.name)) {
    return wrong("the name '" + options.name + "' is no repository's name: lower-case letters, digits, . _ - and / " +
                 "between them are, as in filters/header_augmenting");
  }
  if (!is_tag(options.tag)) {
    return wrong("the tag '" + options.tag + "' is none: letters, digits, _ . and - are, at most 128, and it begins " +
                 "with neither . nor -");
  }
  if (options.form == Form::kCompat && !options.root_ids.empty()) {
    return wrong("root ids have a place in the artifact form only");
  }
  std::vector<std::string> texts = {options.version, options.licenses, options.source};
  texts.insert(texts.end(), options.root_ids.begin(), options.root_ids.end());
  for (const auto& [key, value] : options.annotations) {
    if (key.empty()) return wrong("an annotation has an empty key");
    texts.insert(texts.end(), {key, value});
  }
  for (const std::string& text : texts) {
    if (inspect::valid_utf8(text) != text) return wrong("'" + inspect::printable(text) + "' is no UTF-8");
  }
  return {};
}

}  // namespace

Result<Image> make_image(std::span<const uint8_t> module, const ImageOptions& options) {
  if (auto right = check(options); !right) return std::move(right).error();
  INLAY_TRY(const inspect::Facts facts, inspect::examine(module));
  if (!facts.runs()) {
    std::string message = "it is no module that a proxy runs";
    for (const std::string& fault : facts.faults) message += "; " + fault;
    return Error{ErrorCode::kInvalidArgument, std::move(message), {}};
  }
  Image image;
  image.abi_version = facts.abi_version;
  image.module_sha256 = facts.sha256;
  if (options.form == Form::kArtifact) {
    add_artifact(module, options, image);
  } else if (auto added = add_compat(module, options, image); !added) {
    return std::move(added).error();
  }
  image.index = index_of(options, image.manifest);
  return image;
}

std::map<std::string, std::string_view> layout_files(const Image& image) {
  std::map<std::string, std::string_view> files = {{std::string(kLayoutFile), kLayout},
                                                   {std::string(kIndexFile), image.index},
                                                   {blob_path(image.manifest.digest), image.manifest.content}};
  for (const Blob& blob : image.blobs) files[blob_path(blob.digest)] = blob.content;
  return files;
}

}  // namespace inlay::package
