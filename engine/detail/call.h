// SPDX-License-Identifier: Apache-2.0
#pragma once

// Instance's templates. Included by engine/engine.h.

#include "engine/detail/context.h"
#include "engine/detail/host_function.h"
#include "engine/engine.h"

namespace inlay::engine {
namespace detail {

template <class Signature>
struct FunctionTypeOf;
template <class R, class... P>
struct FunctionTypeOf<R(P...)> {
  static FunctionType get() { return function_type<R, P...>(); }
};

}  // namespace detail

template <class Signature>
Result<Function<Signature>> Instance::function(std::string_view name) {
  INLAY_TRY(auto found, find_function(name, detail::FunctionTypeOf<Signature>::get()));
  return Function<Signature>{found.native, found.index};
}

// Generated code is left in two ways: it returns, or a trap jumps to where INLAY_SETJMP was. No frame with a destructor
// lies between: a host function's frames are gone before the generated code looks at GuestContext::pending. A function
// of its own, out of line: a place to jump to keeps nothing in registers, and this one has next to nothing to keep.
template <class R, class... P>
Answer<detail::Returned<R>> Instance::run(const NativeFunction* native, P... args) {
  detail::ThreadState& thread = detail::thread_state;
  if (!thread.ready) [[unlikely]]
    detail::prepare_thread(thread);
  detail::GuestContext* const context = context_;
  detail::Activation here;
  detail::enter(thread, here, *context);
  if (INLAY_SETJMP(here.buffer) != 0) {
    detail::abandon(here);
    return {};
  }
  const auto function = reinterpret_cast<R (*)(void*, P...)>(*native);
  here.context->in_host = 0;
  if constexpr (std::is_void_v<R>) {
    function(guest_, args...);
    here.context->in_host = 1;
    if (here.context->pending != 0) [[unlikely]] {
      detail::abandon(here);
      return {};
    }
    detail::leave(detail::thread_state, here);
    return Unit{};
  } else {
    const R result = function(guest_, args...);
    here.context->in_host = 1;
    if (here.context->pending != 0) [[unlikely]] {
      detail::abandon(here);
      return {};
    }
    detail::leave(detail::thread_state, here);
    return result;
  }
}

template <class R, class... P>
Answer<detail::Returned<R>> Instance::interpret(uint32_t index, P... args) {
  const Value values[sizeof...(P) + 1] = {detail::make_value<P>(args)...};
  Value result{};
  auto called = call_generic(index, {values, sizeof...(P)}, &result);
  if (!called) {
    last_trap_ = std::move(called).error();
    return {};
  }
  if constexpr (std::is_void_v<R>) {
    return Unit{};
  } else {
    return detail::get<R>(result);
  }
}

template <class R, class... P>
Answer<detail::Returned<R>> Instance::call_with_attention(const Function<R(P...)>& f, P... args) {
  if (!attend()) return {};
  if ((attention_.load(std::memory_order_relaxed) & detail::kAttentionInterpreted) != 0) {
    return interpret<R, P...>(f.index, args...);
  }
  const auto answer = run<R, P...>(f.native, args...);
  if (!answer) unwound_call(f.index);
  return answer;
}

template <class R, class... P>
inline Answer<detail::Returned<R>> Instance::try_call(const Function<R(P...)>& f, std::type_identity_t<P>... args) {
  if (attention_.load(std::memory_order_relaxed) != 0) [[unlikely]]
    return call_with_attention<R, P...>(f, args...);
  const auto answer = run<R, P...>(f.native, args...);
  if (!answer) [[unlikely]]
    unwound_call(f.index);
  return answer;
}

template <class R, class... P>
Result<detail::Returned<R>, Trap> Instance::call(const Function<R(P...)>& f, std::type_identity_t<P>... args) {
  const auto returned = try_call(f, args...);
  if (!returned) [[unlikely]]
    return take_trap();
  return *returned;
}

}  // namespace inlay::engine
