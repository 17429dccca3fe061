// SPDX-License-Identifier: Apache-2.0
#pragma once

// The contexts that guests know by their ids: RootContext (one for each plugin in a VM), HttpContextImpl (one for each
// HTTP stream, host/http_context_impl.h) and TcpContextImpl (one for each TCP connection, host/tcp_context_impl.h).
// All live on one worker's thread.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "abi/types.h"
#include "host/embedder.h"
#include "host/host.h"
#include "host/shared_data.h"

namespace inlay::host {

class TcpContextImpl;
class FlowContext;
class PluginImpl;
class RootContext;
class HttpContextImpl;
class Vm;
class WorkerPluginImpl;

struct Context {
  enum class Kind : uint8_t { kRoot, kStream, kConnection };

  explicit Context(Kind k) : kind(k) {}

  const Kind kind;
  uint32_t id = 0;
  Vm* vm = nullptr;  // a flow's: nullptr once the VM is dead
  RootContext* root = nullptr;
  // The buffer that its host functions have looked at last.
  abi::BufferType buffer_seen = abi::BufferType::kForeignFunctionArguments;

  // As what it is; nullptr for another kind.
  HttpContextImpl* stream();
  TcpContextImpl* connection();
  FlowContext* flow();  // a stream or a connection
  // The stream that its host functions act on; nullptr without one.
  HttpStream* http();
  // That stream, or the connection, as far as its properties go.
  AttributeSource* attributes();
  // Inside of on_log.
  bool logging();
};

// RootContext lives as long as its VM.
class RootContext : public Context {
 public:
  RootContext(Vm& owner, std::shared_ptr<const PluginImpl> plugin);

  const PluginImpl& plugin() const { return *plugin_; }
  // "wasm log name root_id vm_id: " for streams; without the name for the root context itself.
  std::string_view log_prefix(bool for_root) const { return for_root ? root_prefix_ : stream_prefix_; }

  // proxy_set_tick_period_milliseconds: re-arms at once; 0 stops.
  void set_tick_period(std::chrono::milliseconds period);
  void disarm();

  // declare_property: false if that path is declared already, or too many are.
  bool declare_property(std::string_view path, const PropertyTraits& traits);
  // What is declared of it; the default for what is not.
  PropertyTraits property_traits(std::string_view path) const;

  // An access logger's: on_log about a stream that has no context of its own here.
  void log(HttpStream& stream);
  HttpStream* logged_stream() const { return logged_stream_; }

  enum class Phase : uint8_t { kRunning, kCreate, kVmStart, kConfigure };
  Phase phase = Phase::kRunning;

 private:
  void tick();

  std::shared_ptr<const PluginImpl> plugin_;
  std::string root_prefix_;
  std::string stream_prefix_;
  std::chrono::milliseconds tick_period_{0};
  std::unique_ptr<Timer> timer_;
  StringMap<PropertyTraits> declared_;
  HttpStream* logged_stream_ = nullptr;
};

}  // namespace inlay::host
