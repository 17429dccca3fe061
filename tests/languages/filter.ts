// SPDX-License-Identifier: Apache-2.0
// What `inlay new greeter` writes in C++, Rust and Go, in AssemblyScript: requests need a header, whose name is the
// plugin's configuration; others are refused.
export * from "@solo-io/proxy-runtime/proxy";
import {
  Context,
  Counter,
  FilterHeadersStatusValues,
  GrpcStatusValues,
  LogLevelValues,
  RootContext,
  log,
  registerRootContext,
  send_local_response,
  stream_context,
} from "@solo-io/proxy-runtime";

class Plugin extends RootContext {
  header: string = "";
  refused: Counter | null = null;

  onConfigure(size: u32): bool {
    super.onConfigure(size);
    this.header = this.getConfiguration().trim();
    if (this.header == "") log(LogLevelValues.error, "the configuration has to be the name of a header");
    this.refused = new Counter("greeter.refused");
    return this.header != "";
  }

  createContext(id: u32): Context {
    return new Request(id, this);
  }
}

class Request extends Context {
  onRequestHeaders(headers: u32, end: bool): FilterHeadersStatusValues {
    const plugin = changetype<Plugin>(this.root_context);
    if (stream_context.headers.request.get(plugin.header) != "") return FilterHeadersStatusValues.Continue;
    const why = plugin.header + " is missing";
    log(LogLevelValues.info, "refused: " + why);
    (plugin.refused as Counter).increment(1);
    send_local_response(403, "", String.UTF8.encode(why + "\n"), [], GrpcStatusValues.Ok);
    return FilterHeadersStatusValues.StopIteration;
  }
}

registerRootContext((id: u32) => new Plugin(id), "greeter");
