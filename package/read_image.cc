// SPDX-License-Identifier: Apache-2.0
#include "package/read_image.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/read_file.h"
#include "inspect/printable.h"
#include "package/blob.h"
#include "package/gzip.h"
#include "package/media_types.h"
#include "package/tar.h"

namespace inlay::package {
namespace {

namespace fs = std::filesystem;
using rapidjson::Value;

constexpr size_t kMaxJson = size_t{4} << 20;

Error invalid(std::string what) {
  return {ErrorCode::kInvalidArgument, std::move(what), {}};
}

std::span<const uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Layout gives the files of an image layout by their paths in it, at most so large.
using Layout = std::function<Result<std::string>(const std::string& path, size_t limit)>;

Layout layout_in_folder(std::string folder) {
  return [folder = std::move(folder)](const std::string& path, size_t limit) {
    return read_file((fs::path(folder) / path).string(), limit);
  };
}

Layout layout_in_tar(const std::vector<TarFile>& files) {
  auto by_name = std::make_shared<std::map<std::string, std::string_view>>();
  for (const TarFile& file : files) {
    const size_t begin = file.name.starts_with("./") ? 2 : 0;
    (*by_name)[file.name.substr(begin)] = file.content;
  }
  return [by_name](const std::string& path, size_t limit) -> Result<std::string> {
    const auto found = by_name->find(path);
    if (found == by_name->end()) return Error{ErrorCode::kNotFound, "there is no " + path + " in the archive", {}};
    if (found->second.size() > limit) return invalid(path + " is larger than " + std::to_string(limit) + " bytes");
    return std::string(found->second);
  };
}

std::string_view text_at(const Value& object, const char* key) {
  if (!object.IsObject()) return {};
  const auto found = object.FindMember(key);
  if (found == object.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

// Empty where there is none.
rapidjson::GenericArray<true, Value> list_at(const Value& object, const char* key) {
  static const Value kNone(rapidjson::kArrayType);
  if (!object.IsObject()) return kNone.GetArray();
  const auto found = object.FindMember(key);
  return found == object.MemberEnd() || !found->value.IsArray() ? kNone.GetArray() : found->value.GetArray();
}

Result<std::unique_ptr<rapidjson::Document>> parse(const std::string& text, std::string_view what) {
  auto document = std::make_unique<rapidjson::Document>();
  // The iterative parser does not recurse into what an image's author has nested.
  document->Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (document->HasParseError() || !document->IsObject()) return invalid(std::string(what) + " is no JSON object");
  return document;
}

// A text of the image's author, for a terminal.
std::string shown(std::string_view text) {
  constexpr size_t kMost = 200;
  return inspect::printable(text.substr(0, kMost));
}

// Reads what a descriptor describes, and checks that it is that.
Result<std::string> read_blob(const Layout& layout, const Value& descriptor, size_t limit) {
  const std::string digest(text_at(descriptor, "digest"));
  if (!is_digest(digest)) return invalid("the image has a digest that is no sha256: '" + shown(digest) + "'");
  INLAY_TRY(std::string content, layout(blob_path(digest), limit));
  if (digest_of(content) != digest) return invalid("blob " + digest + " has another content than its digest says");
  return content;
}

std::string_view annotation_of(const Value& descriptor, const char* key) {
  if (!descriptor.IsObject() || !descriptor.HasMember("annotations")) return {};
  return text_at(descriptor["annotations"], key);
}

// The images that an index lists; what is said about them (buildx' attestations) is none.
std::vector<const Value*> images_of(const Value& index) {
  std::vector<const Value*> images;
  for (const Value& manifest : list_at(index, "manifests")) {
    if (annotation_of(manifest, kReferenceType) != "attestation-manifest") images.push_back(&manifest);
  }
  return images;
}

std::string tags_of(const std::vector<const Value*>& images) {
  std::string tags;
  for (const Value* image : images) {
    const std::string_view tag = annotation_of(*image, kTag);
    if (!tag.empty()) tags.append(tags.empty() ? "" : ", ").append(shown(tag));
  }
  return tags.empty() ? "none has a tag" : "there are " + tags;
}

Result<const Value*> choose(const Value& index, const std::string& tag) {
  const std::vector<const Value*> images = images_of(index);
  if (tag.empty()) {
    if (images.size() == 1) return images[0];
    if (images.empty()) return Error{ErrorCode::kNotFound, "the layout has no image", {}};
    return invalid("the layout has " + std::to_string(images.size()) +
                   " images; say which by --tag: " + tags_of(images));
  }
  for (const Value* image : images) {
    if (annotation_of(*image, kTag) == tag) return image;
  }
  return Error{ErrorCode::kNotFound, "the layout has no image with the tag " + tag + "; " + tags_of(images), {}};
}

std::string_view platform_of(const Value& image, const char* key) {
  return image.HasMember("platform") ? text_at(image["platform"], key) : std::string_view();
}

// What says nothing of a platform is taken for it, too.
bool is_for_pullers(const Value& image) {
  if (!image.IsObject()) return false;
  return !image.HasMember("platform") ||
         (platform_of(image, "os") == "linux" && platform_of(image, "architecture") == "amd64");
}

// The one image of an index of platforms.
Result<const Value*> only_platform(const Value& index) {
  const std::vector<const Value*> images = images_of(index);
  if (images.size() == 1) return images[0];
  for (const Value* image : images)
    if (is_for_pullers(*image)) return image;
  if (images.empty()) return Error{ErrorCode::kNotFound, "the image is an index without an image", {}};
  std::string platforms;
  for (const Value* image : images) {
    const bool said = image->IsObject() && image->HasMember("platform");
    const std::string name =
        said ? shown(text_at((*image)["platform"], "os")) + "/" + shown(text_at((*image)["platform"], "architecture"))
             : "no platform";
    platforms.append(platforms.empty() ? "" : ", ").append(name);
  }
  return invalid("the image is an index of " + std::to_string(images.size()) + " images (" + platforms +
                 "); a module has no platform: build it for one, as with `docker buildx build --platform linux/amd64`");
}

// Why those who pull would find no module in the manifest, in which there is one: they look at the types first.
std::vector<std::string> faults_of(const Value& manifest) {
  const auto layers = list_at(manifest, "layers");
  const std::string_view last = text_at(layers[layers.Size() - 1], "mediaType");
  if (text_at(manifest, "mediaType") == kDockerManifestType) {
    if (last == kDockerLayerType) return {};
    return {"the manifest is of Docker's type, so that its last layer has to be of the type " +
            std::string(kDockerLayerType) + ", and it is of " + shown(last)};
  }
  if (last == kLayerType) return {};
  const bool artifact = std::any_of(layers.Begin(), layers.End(),
                                    [](const Value& layer) { return text_at(layer, "mediaType") == kModuleType; });
  if (artifact && layers.Size() == 2) return {};
  if (artifact)
    return {"the artifact form has two layers, a runtime configuration and the module, and this image has " +
            std::to_string(layers.Size())};
  return {"its last layer is of the type " + shown(last) + ", and has to be of " + std::string(kLayerType)};
}

Result<std::string> module_in_layer(const std::string& layer, bool compressed) {
  std::string inflated;
  if (compressed) {
    INLAY_TRY(inflated, gunzip(as_bytes(layer), kMaxModuleSize));
  }
  INLAY_TRY(const std::vector<TarFile> files, read_tar(compressed ? inflated : layer));
  for (const TarFile& file : files) {
    if (fs::path(file.name).filename() == kModuleFile) return std::string(file.content);
  }
  return Error{ErrorCode::kNotFound, "the image's last layer has no " + std::string(kModuleFile), {}};
}

Result<std::string> module_of(const Layout& layout, const Value& manifest) {
  const auto layers = list_at(manifest, "layers");
  if (layers.Empty()) return Error{ErrorCode::kNotFound, "the image has no layer", {}};
  for (const Value& layer : layers) {
    if (text_at(layer, "mediaType") == kModuleType) return read_blob(layout, layer, kMaxModuleSize);
  }
  const Value& last = layers[layers.Size() - 1];
  const std::string_view type = text_at(last, "mediaType");
  const bool compressed = type == kLayerType || type == kDockerLayerType;
  if (!compressed && type != kPlainLayerType) {
    return invalid("the image's last layer is of the type '" + shown(type) +
                   "', no form in which modules are packaged");
  }
  INLAY_TRY(const std::string content, read_blob(layout, last, kMaxModuleSize));
  return module_in_layer(content, compressed);
}

Result<LoadedModule> load_from(const Layout& layout, const std::string& tag) {
  INLAY_TRY(const std::string index_text, layout(std::string(kIndexFile), kMaxJson));
  INLAY_TRY(const auto index, parse(index_text, kIndexFile));
  INLAY_TRY(const Value* descriptor, choose(*index, tag));
  std::unique_ptr<rapidjson::Document> platforms;  // `descriptor` may point into it
  std::vector<std::string> not_pulled;
  const std::string_view type = text_at(*descriptor, "mediaType");
  if (type == kIndexType || type == kDockerIndexType) {
    INLAY_TRY(const std::string platforms_text, read_blob(layout, *descriptor, kMaxJson));
    INLAY_TRY(platforms, parse(platforms_text, "the index of platforms"));
    INLAY_TRY(descriptor, only_platform(*platforms));
    if (!is_for_pullers(*descriptor))
      not_pulled.push_back("the index has an image for " + shown(platform_of(*descriptor, "os")) + "/" +
                           shown(platform_of(*descriptor, "architecture")) + ", and none for linux/amd64");
  }
  INLAY_TRY(const std::string manifest_text, read_blob(layout, *descriptor, kMaxJson));
  INLAY_TRY(const auto manifest, parse(manifest_text, "the manifest"));
  INLAY_TRY(std::string bytes, module_of(layout, *manifest));
  for (std::string& fault : faults_of(*manifest)) not_pulled.push_back(std::move(fault));
  return LoadedModule{std::move(bytes), std::string(text_at(*descriptor, "digest")), std::move(not_pulled)};
}

bool is_tar(std::string_view content) {
  constexpr size_t kMagic = 257;
  return content.size() > kMagic + 5 && content.substr(kMagic, 5) == "ustar";
}

// Opens `path` as a layout; `text` keeps a tar file's content. None: it is neither.
Result<std::optional<Layout>> open_layout(const std::string& path, std::string& text) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    if (fs::exists(fs::path(path) / kLayoutFile, ignored)) return std::optional(layout_in_folder(path));
    return Error{ErrorCode::kInvalidArgument, path + " is a folder, but no image layout: it has no oci-layout", {}};
  }
  INLAY_TRY(text, read_file(path, 2 * kMaxModuleSize));
  if (!is_tar(text)) return std::optional<Layout>();
  INLAY_TRY(const std::vector<TarFile> files, read_tar(text));
  return std::optional(layout_in_tar(files));
}

Error with_path(Error error, const std::string& path) {
  if (error.message.find(path) == std::string::npos) error.message.insert(0, path + ": ");
  return error;
}

}  // namespace

Result<LoadedModule> load_module_from_tar(std::string_view archive, const std::string& tag) {
  INLAY_TRY(const std::vector<TarFile> files, read_tar(archive));
  return load_from(layout_in_tar(files), tag);
}

Result<LoadedModule> load_module(const std::string& path, const std::string& tag) {
  std::string text;
  auto layout = open_layout(path, text);
  if (!layout) return with_path(std::move(layout).error(), path);
  if (!*layout) return LoadedModule{std::move(text), {}, {}};
  auto module = load_from(**layout, tag);
  if (!module) return with_path(std::move(module).error(), path);
  return module;
}

Result<size_t> count_images(const std::string& path) {
  std::string text;
  INLAY_TRY(const auto layout, open_layout(path, text));
  if (!layout) return Error{ErrorCode::kNotFound, path + " is no image layout", {}};
  INLAY_RETURN_IF_ERROR((*layout)(std::string(kLayoutFile), kMaxJson));
  INLAY_TRY(const std::string index_text, (*layout)(std::string(kIndexFile), kMaxJson));
  INLAY_TRY(const auto index, parse(index_text, kIndexFile));
  return list_at(*index, "manifests").Size();
}

}  // namespace inlay::package
