// SPDX-License-Identifier: Apache-2.0
#include "proxy/plugins/code_fetching.h"

#include <optional>

#include "config/plugins.h"

namespace inlay::proxy::plugins {

Result<Unit> fetch_all(net::EventLoop& loop, const config::Bootstrap& bootstrap, RemoteCode& code) {
  size_t waiting = 0;
  std::optional<Error> failure;
  for (const config::WasmPlugin* wasm : config::wasm_plugins(bootstrap)) {
    if (!wasm->code.remote) continue;
    ++waiting;
    code.fetch(*wasm->code.remote, [&, wasm](const Result<Code>& fetched) {
      if (!fetched && !failure) {
        failure = fetched.error();
        failure->message = "the code of plugin " + wasm->plugin.name + " could not be fetched: " + failure->message;
        failure->where = wasm->code.filename;
      }
      if (--waiting == 0) loop.stop();
    });
  }
  if (waiting > 0) loop.run();
  if (failure) return *std::move(failure);
  return Unit{};
}

}  // namespace inlay::proxy::plugins
