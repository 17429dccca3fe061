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
// lies between: a host function's frames are gone before the generated code looks at GuestContext::pending.
template <class R, class... P>
Result<std::conditional_t<std::is_void_v<R>, Unit, R>, Trap> Instance::call(const Function<R(P...)>& f,
                                                                            std::type_identity_t<P>... args) {
  using Returned = std::conditional_t<std::is_void_v<R>, Unit, R>;
  if (attention_.load(std::memory_order_relaxed) != 0 && !attend()) [[unlikely]]
    return dead_call();
  if (f.native == nullptr) {
    const Value values[sizeof...(P) + 1] = {detail::make_value<P>(args)...};
    Value result{};
    auto called = call_generic(f.index, {values, sizeof...(P)}, &result);
    if (!called) return std::move(called).error();
    if constexpr (std::is_void_v<R>) {
      return Unit{};
    } else {
      return detail::get<R>(result);
    }
  }
  detail::ThreadState& thread = detail::thread_state;
  if (!thread.ready) [[unlikely]]
    detail::prepare_thread(thread);
  detail::Activation here;
  detail::enter(thread, here, *context_);
  if (INLAY_SETJMP(here.buffer) != 0) return unwound_call(f.index);
  const auto run = reinterpret_cast<R (*)(void*, P...)>(*f.native);
  context_->in_host = 0;
  if constexpr (std::is_void_v<R>) {
    run(guest_, args...);
    context_->in_host = 1;
    if (context_->pending != 0) [[unlikely]]
      return unwound_call(f.index);
    detail::leave(thread, here);
    return Returned{};
  } else {
    const R result = run(guest_, args...);
    context_->in_host = 1;
    if (context_->pending != 0) [[unlikely]]
      return unwound_call(f.index);
    detail::leave(thread, here);
    return Returned{result};
  }
}

}  // namespace inlay::engine
