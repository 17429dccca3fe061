// SPDX-License-Identifier: Apache-2.0
// docs/reference/abi.md is made from the tables. INLAY_UPDATE=1 in the environment writes it anew.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "abi/functions.h"
#include "host/abi_choices.h"
#include "host/callbacks.h"
#include "host/foreign.h"
#include "host/functions.h"

namespace inlay::host {
namespace {

const std::string kFile = std::string(INLAY_SOURCE_DIR) + "/docs/reference/abi.md";

const char* const kHead =
    R"(<!-- Made from abi/functions.h, host/functions.cc, host/foreign.cc and host/abi_choices.h by host/abi_reference_test.cc: do not edit. -->
# The proxy-wasm ABI as the host has it

The host runs modules of ABI 0.1.0, 0.2.0 and 0.2.1. The version is the first `proxy_abi_version_*` that the module
exports. What it may import goes by that version, as the columns say and as in Envoy: a module that imports what is there for
another version only is refused, and `inlay inspect` says so.
What each does, and with which status it fails, is in the [specification](https://github.com/proxy-wasm/spec). Where that
leaves something open or Envoy differs, [below](#the-text-envoy-and-this-host) stands what this host does.

)";

std::string types_of(std::span<const abi::ValType> types) {
  std::string text;
  for (const auto type : types)
    text += (text.empty() ? "" : ", ") + std::string(type == abi::ValType::kI64 ? "i64" : "i32");
  return text;
}

std::string signature(const abi::FunctionDecl& f) {
  return "(" + types_of(f.params()) + ")" + (f.has_result ? " -> " + types_of(f.results()) : "");
}

std::string versions(const abi::FunctionDecl& f) {
  std::string text;
  for (const auto& marker : abi::kVersionMarkers) text += f.is_in(marker.version) ? " yes |" : " - |";
  return text;
}

// Why a callback is never called.
std::string_view reason(std::string_view callback) {
  if (callback.ends_with("_metadata")) return "never called: METADATA frames are HTTP/2's";
  if (callback == "proxy_on_foreign_function") return "never called, nor by Envoy: it is for hosts with extensions";
  return "not called yet";
}

bool is_called(std::string_view callback) {
  bool found = callback == "proxy_on_memory_allocate" || callback == "malloc";
  Callbacks none;
  Callbacks::for_each(none, [&](std::string_view name, const auto&) { found = found || name == callback; });
  return found;
}

void write_foreign(std::ostream& out) {
  out << "\n## Foreign functions\n\n`proxy_call_foreign_function` reaches these by name, as in Envoy; any other is "
         "NotFound. "
         "A guest that\ndoes not want the result passes null pointers for it.\n\n| name | |\n| --- | --- |\n";
  for (const auto& f : foreign_functions()) out << "| `" << f.name << "` | " << f.note << " |\n";
}

void write_choices(std::ostream& out) {
  constexpr const char* kFollows[] = {"Envoy", "the text", "neither"};
  out << "\n## The text, Envoy and this host\n\nWhere the specification is silent, or Envoy does not do what it says. "
         "The "
         "middle column says whom this host follows.\n\n| what | follows | how |\n| --- | --- | --- |\n";
  for (const auto& c : kAbiChoices)
    out << "| " << c.what << " | " << kFollows[static_cast<size_t>(c.follows)] << " | " << c.how << " |\n";
}

std::string reference() {
  std::ostringstream out;
  out << kHead
      << "## Host functions\n\n| import | signature | 0.1.0 | 0.2.0 | 0.2.1 | |\n| --- | --- | --- | --- | --- | --- "
         "|\n";
  for (const auto& f : abi::kHostFunctions)
    out << "| `" << f.module << "." << f.name << "` | `" << signature(f) << "` |" << versions(f) << "  |\n";
  out << "\n`wasi_unstable` is another name for `wasi_snapshot_preview1`. `env.emscripten_notify_memory_growth` and\n"
         "`env.pthread_equal` are there for Emscripten's modules. These WASI functions can be imported and return "
         "ENOSYS:\n";
  std::string absent;
  for (const auto& f : all_functions()) {
    if (f.module != "wasi_snapshot_preview1" || support(f.module, f.name) != Support::kNosys) continue;
    absent += (absent.empty() ? "`" : ", `") + std::string(f.name) + "`";
  }
  out << absent
      << ".\n\n## Callbacks\n\n| export | signature | 0.1.0 | 0.2.0 | 0.2.1 | |\n| --- | --- | --- | --- | --- | --- "
         "|\n";
  for (const auto& f : abi::kCallbacks)
    out << "| `" << f.name << "` | `" << signature(f) << "` |" << versions(f) << " "
        << (is_called(f.name) ? "" : reason(f.name)) << " |\n";
  write_foreign(out);
  write_choices(out);
  return out.str();
}

TEST(AbiReference, IsUpToDate) {
  const std::string text = reference();
  if (std::getenv("INLAY_UPDATE") != nullptr) std::ofstream(kFile) << text;
  std::ifstream file(kFile);
  const std::string there((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(there, text) << "run host_tests with INLAY_UPDATE=1";
}

// The table that guests are linked against is the declared one, whole.
TEST(AbiReference, EveryDeclaredFunctionIsThere) {
  for (const auto& f : abi::kHostFunctions) {
    const auto* found = find_function(f.module, f.name);
    ASSERT_NE(found, nullptr) << f.name;
    EXPECT_EQ(found->params.size(), f.params().size()) << f.name;
    EXPECT_EQ(found->results.size(), f.results().size()) << f.name;
  }
  EXPECT_EQ(find_function("env", "no_such_function"), nullptr);
}

TEST(AbiReference, SaysWhatAFunctionDoes) {
  EXPECT_EQ(support("env", "proxy_log"), Support::kFull);
  EXPECT_EQ(support("env", "pthread_equal"), Support::kFull);
  EXPECT_EQ(support("env", "proxy_grpc_send"), Support::kFull);
  EXPECT_EQ(support("wasi_unstable", "fd_write"), Support::kFull);
  EXPECT_EQ(support("wasi_snapshot_preview1", "sock_recv"), Support::kNosys);
  EXPECT_EQ(support("env", "no_such_function"), Support::kAbsent);
}

}  // namespace
}  // namespace inlay::host
