// SPDX-License-Identifier: Apache-2.0
#pragma once

// Registration: ties a root id to the classes that serve it, and exports the callbacks that they override.
//
//     INLAY_REGISTER("my_root_id", MyRoot, MyHttp);   // MyHttp is constructed with MyRoot&, or without arguments
//     INLAY_REGISTER("*", MyRoot);                    // any other root id; no stream contexts
//
// at namespace scope in a .cc file. One module may register any number of root ids.

#include <cstdint>
#include <cstdlib>
#include <new>
#include <type_traits>

#include "abi/functions.h"
#include "sdk/detail/exports.h"
#include "sdk/detail/runtime.h"
#include "sdk/detail/vm.h"

namespace inlay::sdk {

struct NoStream;

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

template <class Root, class Stream = NoStream>
class Registration final : public RegistrationBase {
  static_assert(std::is_base_of_v<RootContext, Root>, "the first class derives from inlay::sdk::RootContext");

 public:
  explicit Registration(std::string_view root_id) : RegistrationBase(root_id) {
    link();
    export_callbacks<Root>();
    if constexpr (!std::is_same_v<Stream, NoStream>) {
      static_assert(std::is_base_of_v<HttpContext, Stream> || std::is_base_of_v<TcpContext, Stream>,
                    "the second class derives from inlay::sdk::HttpContext or TcpContext");
      export_callbacks<Stream>();
    }
  }

  RootContext* create_root() const override { return new (std::nothrow) Root; }

  Context* create_stream([[maybe_unused]] RootContext& root) const override {
    if constexpr (std::is_same_v<Stream, NoStream>) {
      return nullptr;
    } else {
      void* block = pool_.take(sizeof(Stream));
      if (block == nullptr) return nullptr;
      if constexpr (std::is_constructible_v<Stream, Root&>)
        return ::new (block) Stream(static_cast<Root&>(root));
      else
        return ::new (block) Stream;
    }
  }

  void destroy(Context* context) const override {
    if constexpr (!std::is_same_v<Stream, NoStream>) {
      if (!Vm::is_root(*context)) {
        auto* stream = static_cast<Stream*>(context);
        stream->~Stream();
        pool_.give(stream);
        return;
      }
    }
    delete static_cast<Root*>(context);
  }

 private:
  mutable BlockPool pool_;
};

}  // namespace detail
}  // namespace inlay::sdk

#define INLAY_REGISTER_CONCAT_(a, b) a##b
#define INLAY_REGISTER_NAME_(n) INLAY_REGISTER_CONCAT_(inlay_registration_, n)
#define INLAY_REGISTER(root_id, ...)                                                               \
  static const ::inlay::sdk::detail::Registration<__VA_ARGS__> INLAY_REGISTER_NAME_(__COUNTER__) { \
    root_id                                                                                        \
  }
