// SPDX-License-Identifier: Apache-2.0
// Server::validate(), which makes what a server is made of, and no server.
#include "net/event_loop.h"
#include "proxy/generation.h"
#include "proxy/plugins/code_fetching.h"
#include "proxy/plugins/remote_plugins.h"
#include "proxy/process_parts.h"
#include "proxy/server.h"
#include "proxy/server_parts.h"

namespace inlay::proxy {
namespace {

// For a server that will not run: a file is right or wrong whatever the network says.
Result<std::vector<std::string>> resolve_nothing(const std::string&, upstream::DnsFamily) {
  return std::vector<std::string>{};
}

}  // namespace

Result<Unit> Server::validate(const config::Bootstrap& bootstrap, const ServerOptions& options, logging::Logger& log) {
  ProcessParts process(bootstrap, options, log);
  ServerParts parts(bootstrap, options, process,
                    options.fetch_remote_code ? upstream::system_resolve : resolve_nothing);
  net::EventLoop loop;
  plugins::CodeFetching fetching(loop, parts.clusters, log, process.metrics);
  if (options.fetch_remote_code) {
    (void)parts.clusters.wait_resolved(kFirstResolution);
    INLAY_RETURN_IF_ERROR(fetch_all(loop, bootstrap, fetching.code));
  }
  parts.create_remote_plugin = [&](const config::WasmPlugin& wasm) -> Result<std::shared_ptr<host::Plugin>> {
    if (plugins::Code code = fetching.code.find(*wasm.code.remote))
      return process.modules.create_plugin(plugins::with_code(wasm, code));
    if (wasm.code.nack_on_code_cache_miss) return not_cached(wasm);
    log.warn("wasm", "plugin " + (wasm.plugin.name.empty() ? wasm.plugin.root_id : wasm.plugin.name) +
                         " is not checked: " + wasm.code.filename +
                         " has not been fetched yet; --fetch-remote-code fetches it");
    return process.host.create_plugin_without_code(wasm.plugin);
  };
  return parts.prepare();
}

}  // namespace inlay::proxy
