// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/open.h"

#include <dlfcn.h>

#include <filesystem>
#include <mutex>

#include "engine/aot/artifact.h"

namespace inlay::engine::aot {
namespace {

bool matches(const Descriptor* descriptor, const Description& description, const std::string& key) {
  return descriptor != nullptr && descriptor->abi == kShimAbi && key == descriptor->key &&
         descriptor->export_count == description.exports.size() &&
         descriptor->import_count == description.imports.size();
}

// dlopen() knows files by the name they were opened under: where a file of the same name was loaded before and has been
// replaced since, another spelling of the name brings the new one.
Result<std::unique_ptr<Code>> open(std::string path, const Description& description, const std::string& key) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  path = std::filesystem::absolute(path);
  for (int spelling = 0; spelling < 64; ++spelling) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      const char* why = dlerror();
      return Error{ErrorCode::kUnavailable, std::string("cannot load the compiled module: ") + (why ? why : "?"), path};
    }
    const auto* descriptor = static_cast<const Descriptor*>(dlsym(library, kDescriptorSymbol));
    if (matches(descriptor, description, key)) {
      descriptor->initialize(&kRuntime);
      return std::make_unique<Code>(library, *descriptor);
    }
    dlclose(library);
    path.insert(path.rfind('/'), "/");
  }
  return Error{ErrorCode::kInvalidArgument, "the artifact does not hold what its trailer says", path};
}

}  // namespace

Code::~Code() {
  if (library_ != nullptr) dlclose(library_);
}

Result<Opened> open_artifact(const std::string& path, std::string_view sha256) {
  INLAY_TRY(const Sealed sealed, check_artifact(path, sha256));
  INLAY_TRY(Description description, read_description(sealed.description));
  INLAY_TRY(auto code, open(path, description, sealed.key));
  return Opened{std::move(code), std::move(description)};
}

}  // namespace inlay::engine::aot
