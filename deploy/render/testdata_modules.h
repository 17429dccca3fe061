// SPDX-License-Identifier: Apache-2.0
#pragma once

// The modules that tests name: a folder with good.wasm (which knows the header-augmenting filter's
// configuration, by its name), foreign.wasm (a plugin that does not), other.wasm (WebAssembly, but no proxy-wasm),
// junk.wasm, empty.wasm and large.wasm (more than a ConfigMap holds). It is gone when the object is.

#include <string>
#include <string_view>

#include "base/temporary_directory.h"

namespace inlay::deploy {

class TestModules {
 public:
  TestModules();

  std::string folder() const { return folder_.path(); }
  std::string path(std::string_view name) const { return folder_.file(name); }
  void write(std::string_view name, std::string_view content) const;

 private:
  const TemporaryDirectory folder_{"inlay-deploy-"};
};

}  // namespace inlay::deploy
