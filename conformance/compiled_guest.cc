// SPDX-License-Identifier: Apache-2.0
#include "conformance/compiled_guest.h"

#include <filesystem>
#include <mutex>

#include "base/read_file.h"
#include "base/temporary_directory.h"
#include "compiler/compiler.h"
#include "conformance/guest_file.h"

namespace inlay::conformance {
namespace {

constexpr size_t kMostBytes = size_t{64} << 20;

// The compiler's time is most of what a guest in WAT costs.
Result<> compile(const std::string& file, const std::string& artifact) {
  INLAY_TRY(const auto bytes, read_regular_file(file, kMostBytes));
  compiler::LoadOptions options;
  options.optimization = 1;
  return compiler::compile_module({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, options, artifact);
}

Result<std::string> of_the_build(const std::string& file) {
  static const TemporaryDirectory folder("inlay-guests-");
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const std::string copy = folder.file(std::filesystem::path(file).filename().string());
  if (std::filesystem::exists(copy + ".aot")) return copy;
  std::error_code wrong;
  std::filesystem::copy_file(file, copy, std::filesystem::copy_options::overwrite_existing, wrong);
  if (wrong) return Error{ErrorCode::kIo, wrong.message(), copy};
  INLAY_RETURN_IF_ERROR(compile(copy, copy + ".aot"));
  return copy;
}

}  // namespace

Result<std::string> compiled_guest(const PluginCase& plugin, const std::string& directory) {
  INLAY_TRY(std::string file, guest_file(plugin, directory));
  if (plugin.guest != "wat") return of_the_build(file);
  INLAY_RETURN_IF_ERROR(compile(file, file + ".aot"));
  return file;
}

}  // namespace inlay::conformance
