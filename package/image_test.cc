// SPDX-License-Identifier: Apache-2.0
#include "package/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/temporary_directory.h"
#include "compiler/wat.h"
#include "package/gzip.h"
#include "package/media_types.h"
#include "package/read_image.h"
#include "package/tar.h"
#include "package/write_image.h"

namespace inlay::package {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kProxy = R"((module (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1")) (func (export "malloc") (param i32) (result i32) (i32.const 1024))))";

std::vector<uint8_t> wasm(std::string_view text) {
  auto bytes = compiler::wat_to_wasm(text);
  EXPECT_TRUE(bytes);
  return bytes ? *std::move(bytes) : std::vector<uint8_t>{};
}

std::string text_of(const std::vector<uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

ImageOptions options(Form form = Form::kCompat) {
  ImageOptions made;
  made.form = form;
  made.name = "example.com/filters/small";
  made.tag = "1.0";
  made.version = "1.0";
  made.licenses = "Apache-2.0";
  return made;
}

Image image_of(const ImageOptions& with) {
  auto image = make_image(wasm(kProxy), with);
  EXPECT_TRUE(image) << image.error().message;
  return image ? *std::move(image) : Image{};
}

rapidjson::Document json(const std::string& text) {
  rapidjson::Document document;
  EXPECT_FALSE(document.Parse(text.c_str()).HasParseError()) << text;
  return document;
}

std::string tar_of(const Image& image) {
  std::vector<TarFile> files;
  for (const auto& [name, content] : layout_files(image)) files.push_back({name, content});
  return write_tar(files);
}

class Folder {
 public:
  std::string operator/(const char* name) const { return scratch_.file(name); }
  size_t entries() const { return static_cast<size_t>(std::distance(fs::directory_iterator(scratch_.path()), {})); }

 private:
  const TemporaryDirectory scratch_{"inlay-package-"};
};

// What Istio's agent and Envoy Gateway look at (istio/istio, pkg/wasm/imagefetcher.go).
TEST(Image, TheCompatFormIsOneLayerWithThePlugin) {
  const Image image = image_of(options());
  const auto manifest = json(image.manifest.content);
  EXPECT_STREQ(manifest["mediaType"].GetString(), "application/vnd.oci.image.manifest.v1+json");
  EXPECT_STREQ(manifest["config"]["mediaType"].GetString(), "application/vnd.oci.image.config.v1+json");
  ASSERT_EQ(manifest["layers"].Size(), 1u);
  const auto& layer = manifest["layers"][0];
  EXPECT_STREQ(layer["mediaType"].GetString(), "application/vnd.oci.image.layer.v1.tar+gzip");
  EXPECT_STREQ(layer["annotations"][kTitle].GetString(), "plugin.wasm.tar.gz");
  EXPECT_EQ(layer["size"].GetUint64(), image.layer_size);
  EXPECT_STREQ(manifest["annotations"]["module.wasm.image/variant"].GetString(), "compat");

  const auto& files = layout_files(image);
  const std::string_view compressed = files.at(blob_path(layer["digest"].GetString()));
  const auto archive = gunzip({reinterpret_cast<const uint8_t*>(compressed.data()), compressed.size()}, 1 << 20);
  ASSERT_TRUE(archive);
  EXPECT_EQ(read_tar(*archive)->at(0).name, "plugin.wasm");
  EXPECT_EQ(read_tar(*archive)->at(0).content, text_of(wasm(kProxy)));
  const auto config = json(std::string(files.at(blob_path(manifest["config"]["digest"].GetString()))));
  EXPECT_EQ(config["rootfs"]["diff_ids"][0].GetString(), digest_of(*archive));
}

TEST(Image, TheArtifactFormHasTwoLayers) {
  ImageOptions with = options(Form::kArtifact);
  with.root_ids = {"one", "two"};
  const Image image = image_of(with);
  const auto manifest = json(image.manifest.content);
  EXPECT_STREQ(manifest["config"]["mediaType"].GetString(), "application/vnd.module.wasm.config.v1+json");
  ASSERT_EQ(manifest["layers"].Size(), 2u);
  EXPECT_STREQ(manifest["layers"][0]["annotations"][kTitle].GetString(), "runtime-config.json");
  EXPECT_STREQ(manifest["layers"][1]["mediaType"].GetString(), "application/vnd.module.wasm.content.layer.v1+wasm");
  const auto& files = layout_files(image);
  EXPECT_EQ(files.at(blob_path(manifest["layers"][1]["digest"].GetString())), text_of(wasm(kProxy)));
  EXPECT_EQ(files.at(blob_path(manifest["config"]["digest"].GetString())),
            R"({"abiVersions":["0.2.1"],"config":{"root_ids":["one","two"]},"type":"envoy_proxy"})");
}

TEST(Image, AnnotationsSayWhatItIs) {
  ImageOptions with = options();
  with.source = "https://example.com/source";
  with.annotations = {{"team", "edge"}, {kVersion, "not this one"}};
  const auto manifest = json(image_of(with).manifest.content);
  const auto& annotations = manifest["annotations"];
  EXPECT_STREQ(annotations[kTitle].GetString(), "small");
  EXPECT_STREQ(annotations[kVersion].GetString(), "1.0");
  EXPECT_STREQ(annotations[kLicenses].GetString(), "Apache-2.0");
  EXPECT_STREQ(annotations[kSource].GetString(), "https://example.com/source");
  EXPECT_STREQ(annotations[kAbiVersion].GetString(), "0.2.1");
  EXPECT_EQ(annotations[kModuleSha256].GetStringLength(), 64u);
  EXPECT_STREQ(annotations["team"].GetString(), "edge");
  EXPECT_FALSE(annotations.HasMember(kCreated));
}

TEST(Image, ADateIsThereOnlyWhenItIsGiven) {
  ImageOptions with = options();
  with.created = 86400;
  const Image image = image_of(with);
  const auto manifest = json(image.manifest.content);
  EXPECT_STREQ(manifest["annotations"][kCreated].GetString(), "1970-01-02T00:00:00Z");
  const auto files = layout_files(image);
  EXPECT_STREQ(json(std::string(files.at(blob_path(manifest["config"]["digest"].GetString()))))["created"].GetString(),
               "1970-01-02T00:00:00Z");
}

TEST(Image, TheSameInputGivesTheSameImage) {
  for (const Form form : {Form::kCompat, Form::kArtifact}) {
    EXPECT_EQ(image_of(options(form)).manifest.digest, image_of(options(form)).manifest.digest);
  }
  ImageOptions other = options();
  other.tag = "2.0";  // is in the index only
  EXPECT_EQ(image_of(other).manifest.digest, image_of(options()).manifest.digest);
  other.version = "2.0";
  EXPECT_NE(image_of(other).manifest.digest, image_of(options()).manifest.digest);
}

TEST(Image, WhatIsNoProxyWasmModuleIsRefusedWithTheReason) {
  const auto plain = make_image(wasm("(module)"), options());
  ASSERT_FALSE(plain);
  EXPECT_NE(plain.error().message.find("proxy_abi_version_0_2_1"), std::string::npos) << plain.error().message;
  EXPECT_FALSE(make_image({}, options()));
}

TEST(Image, NamesTagsAndTextsThatNoRegistryTakesAreRefused) {
  ImageOptions name = options(), tag = options(), annotation = options(), key = options();
  name.name = "Upper";
  tag.tag = "1.0+build";
  annotation.annotations = {{"key", "\xff"}};
  key.annotations = {{"", "value"}};
  for (const ImageOptions& wrong : {name, tag, annotation, key}) EXPECT_FALSE(make_image(wasm(kProxy), wrong));
}

TEST(Layout, BothFormsAreReadBackFromFolderAndTar) {
  const Folder folder;
  for (const Form form : {Form::kCompat, Form::kArtifact}) {
    const Image image = image_of(options(form));
    for (const char* name : {"layout", "layout.tar"}) {
      const auto written = write_image(image, folder / name);
      ASSERT_TRUE(written) << written.error().message;
      const auto module = load_module(folder / name, "");
      ASSERT_TRUE(module) << module.error().message;
      EXPECT_EQ(module->bytes, text_of(wasm(kProxy)));
      EXPECT_EQ(module->image, image.manifest.digest);
      EXPECT_TRUE(load_module(folder / name, "1.0"));
      const auto other = load_module(folder / name, "3.0");
      ASSERT_FALSE(other);
      EXPECT_NE(other.error().message.find("there are 1.0"), std::string::npos) << other.error().message;
    }
  }
  EXPECT_EQ(folder.entries(), 2u);  // nothing temporary is left
}

TEST(Layout, OnlyALayoutIsOverwritten) {
  const Folder folder;
  const Image image = image_of(options());
  fs::create_directory(folder / "full");
  std::ofstream(folder / "full/precious") << "content";
  std::ofstream(folder / "file.tar") << "content";
  std::ofstream(folder / "file") << "content";
  for (const char* name : {"full", "file.tar", "file"}) {
    const auto written = write_image(image, folder / name);
    ASSERT_FALSE(written) << name;
    EXPECT_EQ(written.error().code, ErrorCode::kFailedPrecondition) << written.error().message;
  }
  EXPECT_TRUE(fs::exists(folder / "full/precious"));
  fs::create_directory(folder / "empty");
  EXPECT_TRUE(write_image(image, folder / "empty"));
  EXPECT_TRUE(write_image(image, folder / "new/deeper/"));
  EXPECT_EQ(folder.entries(), 5u);
}

TEST(Layout, ALayoutWithSeveralImagesIsNotOverwritten) {
  const Folder folder;
  const Image image = image_of(options());
  ASSERT_TRUE(write_image(image, folder / "layout"));
  std::ofstream(folder / "layout/index.json") << R"({"manifests":[{},{}],"schemaVersion":2})";
  const auto written = write_image(image, folder / "layout");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("2 images"), std::string::npos);
}

// Replaces the content of one file of a layout in a tar.
std::string with_file(const Image& image, const std::string& path, std::string_view content) {
  std::vector<TarFile> files;
  for (const auto& [name, old] : layout_files(image)) files.push_back({name, name == path ? content : old});
  return write_tar(files);
}

TEST(Layout, DamagedAndHostileLayoutsAreRefused) {
  const Image image = image_of(options());
  ASSERT_TRUE(load_module_from_tar(tar_of(image), ""));
  const auto error = [&](const std::string& path, std::string_view content) {
    const auto module = load_module_from_tar(with_file(image, path, content), "");
    return module ? std::string("it was read") : module.error().message;
  };
  const auto has = [](const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; };
  EXPECT_TRUE(has(error("index.json", "[]"), "no JSON object"));
  EXPECT_TRUE(has(error("index.json", std::string(100000, '[')), "no JSON object"));
  EXPECT_TRUE(has(error("index.json", "{}"), "has no image"));
  EXPECT_TRUE(has(error("index.json", R"({"manifests":[1]})"), "no sha256"));
  EXPECT_TRUE(has(error("index.json", R"({"manifests":[{"digest":"sha256:../../../../etc/passwd"}]})"), "no sha256"));
  EXPECT_TRUE(has(error("index.json", R"({"manifests":[{},{}]})"), "say which by --tag"));
  EXPECT_TRUE(has(error(blob_path(image.manifest.digest), "{}"), "another content than its digest"));
  EXPECT_TRUE(has(error(blob_path(image.blobs[1].digest), "x"), "another content than its digest"));
}

// A layout around a manifest of the test's own.
std::string around(const std::string& manifest_text, const std::vector<Blob>& blobs) {
  Image image;
  image.manifest = Blob(manifest_text);
  image.blobs = blobs;
  image.index = R"({"manifests":[{"digest":")" + image.manifest.digest + R"("}]})";
  return tar_of(image);
}

std::string manifest_with(const Blob& layer, std::string_view type) {
  return R"({"layers":[{"digest":")" + layer.digest + R"(","mediaType":")" + std::string(type) + R"("}]})";
}

TEST(Layout, ImagesThatOthersHaveMade) {
  const TarFile files[] = {{"./other", "x"}, {"folder/plugin.wasm", "the module"}};
  const std::string archive = write_tar(files);
  const Blob plain(archive);
  const Blob packed(gzip_stored({reinterpret_cast<const uint8_t*>(archive.data()), archive.size()}));
  for (const auto& [layer, type] :
       {std::pair(packed, kLayerType), std::pair(packed, kDockerLayerType), std::pair(plain, kPlainLayerType)}) {
    const auto module = load_module_from_tar(around(manifest_with(layer, type), {layer}), "");
    ASSERT_TRUE(module) << module.error().message;
    EXPECT_EQ(module->bytes, "the module");
    EXPECT_EQ(module->not_pulled.empty(), type == kLayerType);
  }
  EXPECT_FALSE(load_module_from_tar(around(manifest_with(plain, kLayerType), {plain}), ""));  // no gzip
  EXPECT_FALSE(load_module_from_tar(around(manifest_with(plain, "text/plain"), {plain}), ""));
  EXPECT_FALSE(load_module_from_tar(around("{}", {}), ""));
  EXPECT_FALSE(load_module_from_tar(around(manifest_with(plain, kPlainLayerType), {}), ""));  // a layer is missing
}

// As `docker buildx build -o type=oci` writes it: index.json names an index, in which an attestation stands beside the
// image.
TEST(Layout, AnIndexOfOnePlatformIsTheImage) {
  const TarFile file{"plugin.wasm", "the module"};
  const Blob layer(write_tar({&file, 1}));
  const Blob image(manifest_with(layer, kPlainLayerType));
  const auto listed = [&](std::string_view platform, std::string_view more = "") {
    return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" + image.digest +
           R"(","platform":{"os":")" + (more.empty() ? "linux" : "unknown") + R"(","architecture":")" +
           std::string(platform) + "\"}" + std::string(more) + "}";
  };
  const std::string attestation = listed(
      "unknown",
      R"(,"annotations":{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":"x"})");
  const auto load = [&](const std::string& platforms, std::string_view type, const std::string& tag) {
    Image layout;
    layout.manifest = Blob(R"({"manifests":[)" + platforms + "]}");
    layout.blobs = {layer, image};
    layout.index = R"({"manifests":[{"mediaType":")" + std::string(type) + R"(","digest":")" + layout.manifest.digest +
                   R"(","annotations":{"org.opencontainers.image.ref.name":"1.0"}}]})";
    return load_module_from_tar(tar_of(layout), tag);
  };
  for (const std::string_view type : {kIndexType, kDockerIndexType}) {
    for (const char* tag : {"", "1.0"}) {
      const auto module = load(listed("amd64") + "," + attestation, type, tag);
      ASSERT_TRUE(module) << module.error().message;
      EXPECT_EQ(module->bytes, "the module");
      EXPECT_EQ(module->image, image.digest);
    }
  }
  // Of several those who pull take linux/amd64, and they take no other.
  const auto two = load(listed("arm64") + "," + attestation + "," + listed("amd64"), kIndexType, "");
  ASSERT_TRUE(two);
  EXPECT_THAT(two->not_pulled, ::testing::Each(::testing::HasSubstr("its last layer")));
  const auto other = load(listed("wasm"), kIndexType, "");
  ASSERT_TRUE(other);
  EXPECT_THAT(other->not_pulled, ::testing::Contains(::testing::HasSubstr("linux/wasm, and none for linux/amd64")));
  const auto others = load(listed("wasm") + "," + listed("arm64"), kIndexType, "");
  ASSERT_FALSE(others);
  EXPECT_NE(others.error().message.find("2 images (linux/wasm, linux/arm64)"), std::string::npos);
  const auto none = load(attestation, kIndexType, "");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("an index without an image"), std::string::npos) << none.error().message;
  EXPECT_FALSE(load("1,{\"platform\":2},{}", kIndexType, ""));
  // And with both in index.json itself.
  Image flat;
  flat.manifest = image;
  flat.blobs = {layer};
  flat.index = R"({"manifests":[)" + attestation + "," + listed("amd64") + "]}";
  EXPECT_TRUE(load_module_from_tar(tar_of(flat), ""));
}

TEST(Layout, AModuleByItselfIsReadAsItIs) {
  const Folder folder;
  std::ofstream(folder / "module.wasm") << text_of(wasm(kProxy));
  const auto module = load_module(folder / "module.wasm", "");
  ASSERT_TRUE(module);
  EXPECT_EQ(module->bytes, text_of(wasm(kProxy)));
  EXPECT_EQ(module->image, "");
  EXPECT_FALSE(load_module(folder / "none", ""));
  fs::create_directory(folder / "folder");
  EXPECT_FALSE(load_module(folder / "folder", ""));
}

}  // namespace
}  // namespace inlay::package
