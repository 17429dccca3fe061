// SPDX-License-Identifier: Apache-2.0
#pragma once

// host_function<&f>(module, name) and what it is made of. Included by engine/engine.h.

#include <array>
#include <cstddef>
#include <utility>

#include "engine/engine.h"

namespace inlay::engine {
namespace detail {

template <class T>
inline constexpr bool kIsWasmType =
    std::is_same_v<T, uint32_t> || std::is_same_v<T, uint64_t> || std::is_same_v<T, float> || std::is_same_v<T, double>;

template <class T>
constexpr ValueType value_type() {
  static_assert(kIsWasmType<T>, "a guest's values are uint32_t, uint64_t, float and double");
  if constexpr (std::is_same_v<T, uint32_t>) return ValueType::kI32;
  if constexpr (std::is_same_v<T, uint64_t>) return ValueType::kI64;
  if constexpr (std::is_same_v<T, float>) return ValueType::kF32;
  return ValueType::kF64;
}

template <class T>
T get(const Value& value) {
  if constexpr (std::is_same_v<T, uint32_t>) return value.i32;
  if constexpr (std::is_same_v<T, uint64_t>) return value.i64;
  if constexpr (std::is_same_v<T, float>) return value.f32;
  if constexpr (std::is_same_v<T, double>) return value.f64;
}

template <class T>
Value make_value(T v) {
  Value value{};
  if constexpr (std::is_same_v<T, uint32_t>) value.i32 = v;
  if constexpr (std::is_same_v<T, uint64_t>) value.i64 = v;
  if constexpr (std::is_same_v<T, float>) value.f32 = v;
  if constexpr (std::is_same_v<T, double>) value.f64 = v;
  return value;
}

template <class R, class... P>
struct Signature {
  static constexpr std::array<ValueType, sizeof...(P)> kParams{value_type<P>()...};
  static constexpr auto kResults = [] {
    if constexpr (std::is_void_v<R>) {
      return std::array<ValueType, 0>{};
    } else {
      return std::array<ValueType, 1>{value_type<R>()};
    }
  }();
};

template <class R, class... P>
FunctionType function_type() {
  using S = Signature<R, P...>;
  return {{S::kParams.begin(), S::kParams.end()}, {S::kResults.begin(), S::kResults.end()}};
}

template <auto F>
struct HostFunctionOf;
template <class Env, class R, class... P, R (*F)(Env*, P...)>
struct HostFunctionOf<F> {
  // The generated code calls this, and itself looks for a reason to unwind when it has returned: by then every
  // destructor of F has run.
  static R native(void* env, P... args) { return F(static_cast<Env*>(env), args...); }

  static void generic(NativeFunction, void* env, const Value* args, Value* result) {
    apply(env, args, result, std::index_sequence_for<P...>{});
  }

  static HostFunction make(std::string_view module, std::string_view name) {
    using S = Signature<R, P...>;
    return {module, name, S::kParams, S::kResults, reinterpret_cast<NativeFunction>(&native), &generic};
  }

 private:
  template <size_t... I>
  static void apply(void* env, [[maybe_unused]] const Value* args, [[maybe_unused]] Value* result,
                    std::index_sequence<I...>) {
    if constexpr (std::is_void_v<R>) {
      native(env, get<P>(args[I])...);
    } else {
      *result = make_value<R>(native(env, get<P>(args[I])...));
    }
  }
};
template <class Env, class R, class... P, R (*F)(Env*, P...) noexcept>
struct HostFunctionOf<F> : HostFunctionOf<static_cast<R (*)(Env*, P...)>(F)> {};

}  // namespace detail

// host_function makes the table entry for `F`, a free function R F(Env*, P...). F must not let an exception out.
//
//     uint32_t proxy_log(MyEnv* env, uint32_t level, uint32_t data, uint32_t size);
//     const HostFunction kTable[] = {host_function<&proxy_log>("env", "proxy_log")};
template <auto F>
HostFunction host_function(std::string_view module, std::string_view name) {
  return detail::HostFunctionOf<F>::make(module, name);
}

}  // namespace inlay::engine
