// SPDX-License-Identifier: Apache-2.0
#include "abi/functions.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace inlay::abi {
namespace {

std::string signature(const FunctionDecl& f) {
  auto letter = [](ValType t) { return t == ValType::kI64 ? 'l' : t == ValType::kI32 ? 'i' : '?'; };
  std::string text;
  for (ValType t : f.params()) text += letter(t);
  text += "->";
  for (ValType t : f.results()) text += letter(t);
  return text;
}

TEST(Functions, SizesAndPointersAreI32AndOnlyLongsAreI64) {
  EXPECT_EQ(signature(*find_host_function("env", "proxy_log")), "iii->i");
  EXPECT_EQ(signature(*find_host_function("env", "proxy_http_call")), "iiiiiiiiii->i");
  EXPECT_EQ(signature(*find_host_function("env", "proxy_grpc_call")), "iiiiiiiiiiii->i");
  EXPECT_EQ(signature(*find_host_function("env", "proxy_send_local_response")), "iiiiiiii->i");
  EXPECT_EQ(signature(*find_host_function("env", "proxy_record_metric")), "il->i");
  EXPECT_EQ(signature(*find_host_function("env", "proxy_get_metric")), "ii->i");
  EXPECT_EQ(signature(*find_host_function("wasi_snapshot_preview1", "fd_seek")), "ilii->i");
  EXPECT_EQ(signature(*find_host_function("wasi_snapshot_preview1", "proc_exit")), "i->");
  EXPECT_EQ(signature(*find_host_function("wasi_snapshot_preview1", "path_open")), "iiiiillii->i");
}

TEST(Functions, NamesAreUniqueWithinAModule) {
  std::set<std::string> seen;
  for (const FunctionDecl& f : kHostFunctions) {
    EXPECT_TRUE(seen.insert(std::string(f.module) + "." + std::string(f.name)).second) << f.name;
    EXPECT_NE(f.versions, 0) << f.name;
  }
}

TEST(Functions, EachCallbackHasAtMostOneFormInAVersion) {
  for (Version v : {Version::k0_1_0, Version::k0_2_0, Version::k0_2_1}) {
    std::set<std::string_view> seen;
    for (const FunctionDecl& f : kCallbacks) {
      if (!f.is_in(v)) continue;
      EXPECT_TRUE(seen.insert(f.name).second) << f.name;
    }
  }
}

TEST(Functions, HeaderCallbacksHaveTwoParametersInTheOldestVersion) {
  EXPECT_EQ(signature(*find_callback("proxy_on_request_headers", Version::k0_1_0)), "ii->i");
  EXPECT_EQ(signature(*find_callback("proxy_on_request_headers", Version::k0_2_0)), "iii->i");
  EXPECT_EQ(signature(*find_callback("proxy_on_response_headers", Version::k0_2_1)), "iii->i");
}

TEST(Functions, VersionsAreAsTheSpecificationSays) {
  EXPECT_TRUE(find_host_function("env", "proxy_continue_request")->is_in(Version::k0_1_0));
  EXPECT_FALSE(find_host_function("env", "proxy_continue_request")->is_in(Version::k0_2_0));
  EXPECT_FALSE(find_host_function("env", "proxy_continue_stream")->is_in(Version::k0_1_0));
  EXPECT_EQ(find_callback("proxy_on_foreign_function", Version::k0_1_0), nullptr);
}

TEST(Functions, OldWasiNameIsAnAlias) {
  EXPECT_NE(find_host_function("wasi_unstable", "fd_write"), nullptr);
  EXPECT_EQ(find_host_function("env", "fd_write"), nullptr);
  EXPECT_EQ(find_host_function("wasi_unstable", "proxy_log"), nullptr);
}

}  // namespace
}  // namespace inlay::abi
