// SPDX-License-Identifier: Apache-2.0
#pragma once

// Registration: ties a root id to the classes that serve it, and exports the callbacks that they override.
//
//     class MyRoot : public RootContext {};
//     class MyHttp : public HttpContext {};
//     class MyTcp : public TcpContext {};
//
//     INLAY_REGISTER("my_root_id", MyRoot, MyHttp);    // MyHttp is constructed with MyRoot&, or without arguments
//     INLAY_REGISTER("proxy", MyRoot, MyHttp, MyTcp);  // serves HTTP filters and network filters
//     INLAY_REGISTER("*", MyRoot);                     // any other root id; no stream contexts
//
// at namespace scope in a .cc file. One module may register any number of root ids, each once. A plugin whose root_id
// no registration serves, "*" neither, logs an error when it starts, and does nothing: its requests pass.
//
// The host says when contexts are made: a root context for each plugin on each worker, a stream context for each
// request or connection, in a pool of its class. A class needs a public constructor; the host's functions may be called
// in it, but the constructor of a stream context may not spawn a task.

#include <cstdint>
#include <cstdlib>
#include <new>
#include <tuple>
#include <type_traits>

#include "abi/functions.h"
#include "sdk/detail/exports.h"
#include "sdk/detail/runtime.h"
#include "sdk/detail/vm.h"

namespace inlay::sdk {

namespace detail {

// BlockPool keeps freed blocks of one size for the next stream: no allocation in the steady state.
class BlockPool {
 public:
  void* take(size_t size) {
    if (free_ == nullptr) return std::malloc(size);
    void* block = free_;
    free_ = *static_cast<void**>(block);
    return block;
  }
  void give(void* block) {
#ifdef __wasm__
    *static_cast<void**>(block) = free_;
    free_ = block;
#else
    std::free(block);  // so that a sanitizer sees a use after the end
#endif
  }

 private:
  void* free_ = nullptr;
};

// StreamFactory makes and takes back the contexts of one class.
template <class Root, class Stream>
class StreamFactory {
  static_assert(std::is_base_of_v<HttpContext, Stream> != std::is_base_of_v<TcpContext, Stream>,
                "the classes after the first derive from inlay::sdk::HttpContext or TcpContext");

 public:
  static constexpr ContextKind kKind = std::is_base_of_v<HttpContext, Stream> ? ContextKind::kHttp : ContextKind::kTcp;

  Context* create([[maybe_unused]] RootContext& root) {
    void* block = pool_.take(sizeof(Stream));
    if (block == nullptr) return nullptr;
    if constexpr (std::is_constructible_v<Stream, Root&>)
      return ::new (block) Stream(static_cast<Root&>(root));
    else
      return ::new (block) Stream;
  }
  void destroy(Context* context) {
    auto* stream = static_cast<Stream*>(context);
    stream->~Stream();
    pool_.give(stream);
  }

 private:
  BlockPool pool_;
};

template <class Root, class... Streams>
class Registration final : public RegistrationBase {
  static_assert(std::is_base_of_v<RootContext, Root>, "the first class derives from inlay::sdk::RootContext");
  static_assert((0 + ... + std::is_base_of_v<HttpContext, Streams>) <= 1, "one class derives from HttpContext");
  static_assert((0 + ... + std::is_base_of_v<TcpContext, Streams>) <= 1, "one class derives from TcpContext");

 public:
  explicit Registration(std::string_view root_id) : RegistrationBase(root_id, kKind) {
    link();
    export_callbacks<Root>();
    (export_callbacks<Streams>(), ...);
  }

  RootContext* create_root() const override { return new (std::nothrow) Root; }

  Context* create_stream([[maybe_unused]] RootContext& root, [[maybe_unused]] ContextKind kind) const override {
    if constexpr (kKind == ContextKind::kUndecided) {
      if (kind == ContextKind::kUndecided) return new (std::nothrow) UndecidedContext(root);
    }
    Context* context = nullptr;
    (void)(create_with<Streams>(root, kind, context) || ...);
    return context;
  }

  Context* decide([[maybe_unused]] Vm& vm, [[maybe_unused]] Context& undecided,
                  [[maybe_unused]] ContextKind kind) const override {
    if constexpr (kKind == ContextKind::kUndecided)
      return vm.decide(undecided, kind);
    else
      return nullptr;
  }

  void destroy(Context* context) const override {
    [[maybe_unused]] const ContextKind kind = Vm::kind(*context);
    if ((destroy_with<Streams>(context, kind) || ...)) return;
    delete context;  // a root context
  }

 private:
  // The kind of its streams: kRoot for none.
  static constexpr ContextKind kKind = [] {
    ContextKind kind = ContextKind::kRoot;
    ((kind = StreamFactory<Root, Streams>::kKind), ...);
    return sizeof...(Streams) > 1 ? ContextKind::kUndecided : kind;
  }();

  template <class Stream>
  bool create_with(RootContext& root, ContextKind kind, Context*& context) const {
    using Factory = StreamFactory<Root, Stream>;
    if (Factory::kKind != kind) return false;
    context = std::get<Factory>(factories_).create(root);
    return true;
  }
  template <class Stream>
  bool destroy_with(Context* context, ContextKind kind) const {
    using Factory = StreamFactory<Root, Stream>;
    if (Factory::kKind != kind) return false;
    std::get<Factory>(factories_).destroy(context);
    return true;
  }

  mutable std::tuple<StreamFactory<Root, Streams>...> factories_;
};

}  // namespace detail
}  // namespace inlay::sdk

// INLAY_REGISTER(root id, class of root contexts, classes of stream contexts...): at most one of HttpContext and one of
// TcpContext. A mistake is a compiler's error that says so.
#define INLAY_REGISTER_CONCAT_(a, b) a##b
#define INLAY_REGISTER_NAME_(n) INLAY_REGISTER_CONCAT_(inlay_registration_, n)
#define INLAY_REGISTER(root_id, ...)                                                               \
  static const ::inlay::sdk::detail::Registration<__VA_ARGS__> INLAY_REGISTER_NAME_(__COUNTER__) { \
    root_id                                                                                        \
  }
