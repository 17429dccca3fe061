// SPDX-License-Identifier: Apache-2.0
#pragma once

// The modules that tests name: a folder with good.wasm (which knows the header-augmenting filter's
// configuration, by its name), foreign.wasm (a plugin that does not), other.wasm (WebAssembly, but no proxy-wasm),
// junk.wasm, empty.wasm and large.wasm (more than a ConfigMap holds). It is gone when the object is.

#include <filesystem>
#include <string>
#include <string_view>

namespace inlay::deploy {

class TestModules {
 public:
  TestModules();
  ~TestModules();
  TestModules(const TestModules&) = delete;
  TestModules& operator=(const TestModules&) = delete;

  std::string folder() const { return folder_.string(); }
  std::string path(std::string_view name) const { return (folder_ / name).string(); }
  void write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace inlay::deploy
