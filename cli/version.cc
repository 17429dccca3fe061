// SPDX-License-Identifier: Apache-2.0
#include <gnu/libc-version.h>
#include <openssl/crypto.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "abi/functions.h"
#include "cli/subcommand.h"
#include "compiler/compiler.h"

namespace inlay::cli {
namespace {

// The processor that the program is compiled for, as uname(1) has it.
constexpr std::string_view kProcessor =
#if defined(__x86_64__)
    "x86_64";
#elif defined(__aarch64__)
    "aarch64";
#else
    "unknown";
#endif

// Nothing that goes in here has a character that JSON would have escaped.
std::string in_quotes(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

std::string abi_versions() {
  constexpr std::string_view kPrefix = "proxy_abi_version_";
  std::string all;
  for (const abi::VersionMarker& marker : abi::kVersionMarkers) {
    std::string version(marker.name.substr(kPrefix.size()));
    for (char& c : version) c = c == '_' ? '.' : c;
    all += (all.empty() ? "" : ", ") + in_quotes(version);
  }
  return all;
}

// docs/guide/install.md has the keys; they stay.
std::string as_json() {
  const std::string_view commit = INLAY_COMMIT;
  return "{\n  \"version\": " + in_quotes(INLAY_VERSION) +
         ",\n  \"commit\": " + (commit.empty() ? "null" : in_quotes(commit)) +
         ",\n  \"platform\": " + in_quotes("linux-" + std::string(kProcessor)) +
         ",\n  \"engines\": [\"aot\", \"interp\"],\n  \"tiers\": [\"interpreted\", \"quick\", \"optimized\"],\n"
         "  \"abi\": [" +
         abi_versions() + "],\n  \"wabt\": " + in_quotes(compiler::wabt_version()) +
         ",\n  \"openssl\": " + in_quotes(OpenSSL_version(OPENSSL_VERSION_STRING)) +
         ",\n  \"glibc\": " + in_quotes(gnu_get_libc_version()) + "\n}\n";
}

}  // namespace

void add_version(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("version", "Print the version");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "One JSON object, with what the program is made of (docs/guide/install.md)");
  command->callback([json, &action] {
    action = [json] {
      std::fputs(*json ? as_json().c_str() : "inlay " INLAY_VERSION "\n", stdout);
      return 0;
    };
  });
}

}  // namespace inlay::cli
