// SPDX-License-Identifier: Apache-2.0
#pragma once

// ServerParts: what is the same for all workers, made from one bootstrap: clusters, routes, plugins, access logs.
//
//     ProcessParts process(bootstrap, options, log);
//     ServerParts parts(bootstrap, options, process);
//     INLAY_RETURN_IF_ERROR(parts.prepare());       // modules, canaries, routes: all that can be wrong with a file

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "config/model.h"
#include "host/host.h"
#include "proxy/access_log/log_files.h"
#include "proxy/process_parts.h"
#include "proxy/server.h"
#include "proxy/worker.h"
#include "tls/context.h"
#include "upstream/cluster.h"

namespace inlay::proxy {

struct ServerParts {
  using CreatePlugin = std::function<Result<std::shared_ptr<host::Plugin>>(const config::WasmPlugin&)>;

  // `bootstrap` and `process` outlive this.
  ServerParts(const config::Bootstrap& bootstrap, const ServerOptions& options, ProcessParts& process,
              upstream::ResolveFunction resolve = upstream::system_resolve);

  // Services first: a filter may look for a queue that a service makes.
  Result<Unit> prepare();
  // Not part of prepare(): a validation makes no files.
  Result<Unit> open_logs();

  // Each listener's own limit, which it shares with those of its name before it.
  void limit_clients() const;

  const config::Bootstrap& bootstrap;
  ProcessParts& process;
  upstream::ClusterRegistry clusters;
  CreatePlugin create_remote_plugin;  // of remote code; set before prepare()
  // Is told of each plugin when its canary has passed, or when its code is waited for; set before prepare(), or not.
  std::function<void(const std::shared_ptr<host::Plugin>&)> on_plugin;
  access_log::LogFiles log_files;
  SharedState shared;

 private:
  Result<std::shared_ptr<host::Plugin>> create_plugin(const config::WasmPlugin& wasm);
  Result<Unit> prepare_services();
  Result<std::shared_ptr<const tls::ServerContext>> prepare_tls(const config::Listener& listener);
  Result<Unit> prepare_listener(const config::Listener& listener);
  Result<Unit> prepare_network(const config::Listener& listener, SharedState::ListenerParts& parts);
  Result<Unit> prepare_http(const config::Listener& listener, SharedState::ListenerParts& parts);
};

}  // namespace inlay::proxy
