// SPDX-License-Identifier: Apache-2.0
#pragma once

// The host functions: what a guest may import. Declared here from the table in abi/functions.h, which names their
// parameters, defined in functions_*.cc (a file a family), joined in functions.cc.
//
// Every argument comes from the guest and may be anything. A function of `proxy` returns a Status, a function of `wasi`
// an Errno; both act on Vm::current(), which is nullptr while the module is initialised and inside of the guest's
// allocator: then everything that needs a context fails with kInternalFailure.

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "abi/functions.h"
#include "engine/engine.h"

namespace inlay::host {

class Vm;

// All host functions, also under the old module name wasi_unstable.
std::span<const engine::HostFunction> all_functions();
// nullptr: no such function.
const engine::HostFunction* find_function(std::string_view module, std::string_view name);

// Whether a module of that ABI version can import it, which goes by version as in Envoy (1.36 to 1.40).
bool is_offered(std::string_view module, std::string_view name, abi::Version version);

// Support is what a function does for a guest that calls it.
enum class Support : uint8_t {
  kFull,
  kNosys,   // can be imported and always returns ENOSYS
  kAbsent,  // no such function: a module that imports it cannot run here
};
Support support(std::string_view module, std::string_view name);

// All host functions, those of them that `allowed` does not name replaced by one that logs and fails.
std::vector<engine::HostFunction> restricted_functions(const std::set<std::string>& allowed);

namespace wasi {

enum class Errno : uint32_t {
  kSuccess = 0,
  kBadf = 8,
  kFault = 21,
  kInval = 28,
  kNoent = 44,
  kNosys = 52,
  kNotsup = 58,
  kNotcapable = 76,
};

}  // namespace wasi

// HostSignature<Declared>::Type: what a row of the table, as `result params`, is for the host. The VM goes before the
// parameters, and these are numbers.
template <class Declared>
struct HostSignature;
template <class R, class... P>
struct HostSignature<R(P...)> {
  using Result = std::conditional_t<std::is_same_v<R, abi::WasiErrno>, wasi::Errno, R>;
  using Type = Result(Vm& vm, abi::HostType<P>...);
};

#define INLAY_DECLARE_(name, result, params, versions) HostSignature<result params>::Type name;

namespace proxy {
using abi::Status;
using u32 = uint32_t;
using u64 = uint64_t;
INLAY_ABI_PROXY_FUNCTIONS(INLAY_DECLARE_)
}  // namespace proxy

namespace wasi {
using u32 = uint32_t;
using u64 = uint64_t;
INLAY_ABI_WASI_FUNCTIONS(INLAY_DECLARE_)
}  // namespace wasi

#undef INLAY_DECLARE_

}  // namespace inlay::host
