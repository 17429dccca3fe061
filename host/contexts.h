// SPDX-License-Identifier: Apache-2.0
#pragma once

// The contexts that guests know by their ids: RootContext (one a plugin in a VM) and StreamContext (one a stream).
// Both live on one worker's thread.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/embedder.h"
#include "host/host.h"
#include "host/shared_data.h"

namespace inlay::host {

class PluginImpl;
class RootContext;
class StreamContext;
class Vm;
class WorkerPluginImpl;

struct Context {
  enum class Kind : uint8_t { kRoot, kStream };

  explicit Context(Kind k) : kind(k) {}

  const Kind kind;
  uint32_t id = 0;
  Vm* vm = nullptr;  // a stream's: nullptr once the VM is dead
  RootContext* root = nullptr;

  StreamContext* stream();
  // The stream that its host functions act on; nullptr without one.
  HttpStream* http();
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

// StreamContext is what HttpContext is. Pooled by its worker: `serial` tells one use from the next.
class StreamContext final : public HttpContext, public Context {
 public:
  StreamContext() : Context(Kind::kStream) {}

  // Who decides what a callback leads to: the guest, or, without one, the failure policy.
  enum class Outcome : uint8_t { kGuest, kContinue, kStop };
  Outcome policy() const;

  // Begins a use: `root` may be nullptr (no VM: the failure policy answers).
  void begin(WorkerPluginImpl& owner, HttpStream& stream, RootContext* root);
  void end();

  HttpStream* http() const { return http_; }
  uint64_t serial() const { return serial_; }
  bool in_log() const { return in_log_; }
  WorkerPluginImpl& owner() const { return *owner_; }

  // What the guest asks for; done when it has returned (run_deferred).
  void defer_continue(Direction direction);
  void defer_local_reply(LocalReply reply);
  void defer_reset();
  // proxy_done: false if nobody waits for it.
  bool defer_done();
  void run_deferred();
  // A map that a direction's continue_stream has put out of reach until that direction's next callback.
  bool is_closed(abi::MapType type) const;

  // The VM died: no guest from now on. Says whether the stream waits for the guest and must be told (on_vm_dead).
  bool detach();
  // Applies the failure policy to a stream that waits.
  void resolve_dead();

  abi::HeadersStatus headers(Direction direction, bool end_of_stream);
  abi::DataStatus data(Direction direction, size_t size, bool end_of_stream);
  abi::TrailersStatus trailers(Direction direction);
  void log();
  void finish();

 private:
  template <class Call>
  Outcome invoke(Direction direction, uint32_t& returned, Call&& call);
  template <class Status>
  Status settle(Direction direction, Outcome outcome, Status by_guest, Status stop);
  void fail_stream();
  void cancel_deferred();
  static size_t index(Direction direction) { return static_cast<size_t>(direction); }

  WorkerPluginImpl* owner_ = nullptr;
  HttpStream* http_ = nullptr;
  uint64_t serial_ = 0;

  std::array<bool, 2> paused_{};       // a Stop was returned and not yet undone
  std::array<bool, 2> in_callback_{};  // of that direction
  std::array<bool, 2> resumed_{};      // continue_stream inside the direction's own callback
  std::array<bool, 2> continue_pending_{};
  std::array<bool, 2> maps_closed_{};
  bool reply_sent_ = false;  // a local reply was asked for
  bool failed_ = false;      // ... by the failure policy
  bool reset_pending_ = false;
  bool done_pending_ = false;  // on_done said false; proxy_done has not come
  bool done_asked_ = false;    // proxy_done has come
  bool deferred_ = false;      // is in the VM's list
  bool in_log_ = false;
  bool logged_ = false;
  std::unique_ptr<LocalReply> reply_;
};

}  // namespace inlay::host
