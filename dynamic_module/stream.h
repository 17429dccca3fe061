// SPDX-License-Identifier: Apache-2.0
#pragma once

// Stream: an HTTP stream of Envoy's as host/ knows it, and the hooks about it as guests' callbacks.
//
// Its hooks come on the worker that serves the stream. A guest may also act on it from elsewhere: from the callback of
// another stream in the same VM, and from ticks and answers, which run on the module's thread. Then nothing of Envoy
// may be touched: headers and bodies are the copies that are kept while it is stopped, and what the guest wants is
// noted and done when Envoy calls on_http_filter_scheduled, for which it is asked.
//
// What acts on a stream (a reply, a reset, going on) is done when the guest has returned and the VM's lock is free,
// since Envoy calls the filter again from inside of it; and may even destroy it there, so that each hook keeps the
// object until it returns.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "dynamic_module/body_copy.h"
#include "dynamic_module/envoy_abi.h"
#include "dynamic_module/header_copy.h"
#include "dynamic_module/worker_vm.h"
#include "host/embedder.h"
#include "host/host.h"
#include "http/header_map.h"

namespace inlay::dynamic_module {

// A reply that the guest gives, on its way through the guest's own callbacks about the response, which Envoy leaves
// out for a module's. Envoy knows nothing of it until it is sent.
struct OwnReply {
  host::LocalReply reply;  // as it was asked for
  http::HeaderMap head;
  Buffer body;
  bool is_grpc = false;
  bool head_passed = false;
  bool shows_body = false;  // to the guest

  // What Envoy says of `response.NAME` once it has made a reply. False: nothing of its own.
  bool get_property(std::string_view name, std::string& value) const;
};

class Stream final : private host::HttpStream {
 public:
  // `vm` and `plugin`, which is in it, outlive it.
  Stream(envoy::Filter* filter, WorkerVm& vm, host::WorkerPlugin& plugin) : filter_(filter), vm_(vm), plugin_(plugin) {}

  // The hooks on_http_filter_*. What they return is for Envoy.
  uint32_t request_headers(bool end_of_stream);
  uint32_t request_body(bool end_of_stream);
  uint32_t request_trailers();
  uint32_t response_headers(bool end_of_stream);
  uint32_t response_body(bool end_of_stream);
  uint32_t response_trailers();
  void complete();
  void scheduled();
  // The object is deleted before this returns, or, if a hook is on the stack, before that returns.
  void destroy();

 private:
  using Direction = host::Direction;

  // One direction, as the guest may see it now.
  struct Side {
    explicit Side(Direction direction) : body(direction) {}
    HeaderCopy headers;
    HeaderCopy trailers;
    BodyCopy body;
    bool has_headers = false;  // from its callback until the guest has let it go
    bool has_trailers = false;
    bool has_body = false;   // in a body callback, and while it is stopped from one
    bool buffering = false;  // the guest asked to buffer: it sees all that is held back
    bool stopped = false;    // Envoy waits for continue_*
  };
  // What the guest has asked for, and is done without the lock.
  struct Wanted {
    std::array<bool, 2> go_on{};
    std::optional<host::LocalReply> reply{};
    std::optional<std::string> reset{};
    bool clear_route_cache = false;
    std::vector<std::pair<std::string, std::string>> state{};  // filter state, by key
    bool any() const { return go_on[0] || go_on[1] || reply || reset || clear_route_cache || !state.empty(); }
  };
  // Keeps the object while a hook is on the stack.
  class InHook {
   public:
    explicit InHook(Stream& stream) : stream_(stream) { ++stream_.hooks_; }
    ~InHook() {
      if (--stream_.hooks_ == 0 && stream_.over_) delete &stream_;
    }
    InHook(const InHook&) = delete;
    InHook& operator=(const InHook&) = delete;

   private:
    Stream& stream_;
  };

  ~Stream() override = default;

  // host::HttpStream
  http::HeaderMap* headers(abi::MapType type, bool writable) override;
  Buffer* body(abi::BufferType type) override;
  void continue_stream(Direction direction) override;
  void send_local_reply(host::LocalReply reply) override;
  void reset(std::string_view details) override;
  bool response_begun() const override { return response_begun_; }
  void clear_route_cache() override;
  abi::Status get_property(const std::vector<std::string_view>& path, std::string& value) override;
  abi::Status set_property(std::string_view path, std::string_view value, const host::PropertyTraits& traits) override;
  abi::Status set_proxy_state(std::string_view key, std::string_view value) override;

  abi::Status get_time(bool duration, std::string& value) const;

  // Runs a callback of the guest's about a direction, with the lock held, and then does what it wants. `stop`: what to
  // tell Envoy when the stream was answered or reset.
  template <class Callback>
  uint32_t callback(Direction direction, uint32_t stop, Callback&& call);
  uint32_t on_body(Direction direction, bool end_of_stream);
  bool ensure_context();

  // With the lock held, in a hook. A reply that is wanted before there is a response begins its way; one that the guest
  // has held goes on; at its end it is wanted as the guest has left it.
  void begin_own_reply();
  void resume_own_reply();
  void pass_own_reply();
  host::LocalReply finished_own_reply();

  // With the lock held, in a hook. Gives Envoy what a guest has changed; what is read next is read anew.
  void write_back();
  void prepare_to_wait(const Side& side);
  // Notes that something is wanted; has Envoy call scheduled(), unless a hook is under way that will look.
  void noted();
  // Without the lock. True: the stream was answered or reset.
  bool carry_out(Wanted wanted);

  Side& side(Direction direction) { return direction == Direction::kRequest ? request_ : response_; }
  HeaderCopy* visible(abi::MapType type);

  envoy::Filter* const filter_;
  WorkerVm& vm_;
  host::WorkerPlugin& plugin_;
  const std::chrono::system_clock::time_point began_at_ = std::chrono::system_clock::now();
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  // The worker's thread alone.
  int hooks_ = 0;      // on the stack
  bool over_ = false;  // destroyed, as far as Envoy goes
  // With the lock held.
  host::HttpContext* context_ = nullptr;
  envoy::FilterScheduler* scheduler_ = nullptr;
  Side request_{Direction::kRequest};
  Side response_{Direction::kResponse};
  Wanted wanted_;
  std::optional<OwnReply> own_reply_;  // under way, or held
  bool in_guest_ = false;              // in a callback of this stream's own: Envoy may be asked
  bool bypass_ = false;
  bool logging_ = false;
  bool response_begun_ = false;
};

}  // namespace inlay::dynamic_module
