// SPDX-License-Identifier: Apache-2.0
#include "host/functions.h"

#include <algorithm>

#include "host/vm.h"

namespace inlay::host {
namespace {

using engine::HostFunction;
using wasi::Errno;

// The capability that a function is known by in allowed_capabilities.
template <auto F>
std::string_view function_name;

constexpr uint32_t restricted_result(abi::Status) {
  return static_cast<uint32_t>(abi::Status::kInternalFailure);
}
constexpr uint32_t restricted_result(Errno) {
  return static_cast<uint32_t>(Errno::kNotcapable);
}

// What a guest may call while it is initialised: Envoy's choice (1.40; 1.36 has some less), tried function by function.
template <auto F>
constexpr bool kBeforeCallbacks = false;
template <>
constexpr bool kBeforeCallbacks<&proxy::proxy_log> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::args_get> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::args_sizes_get> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::clock_res_get> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::clock_time_get> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::environ_get> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::environ_sizes_get> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::fd_fdstat_get> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::fd_fdstat_set_flags> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::fd_filestat_get> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::fd_prestat_dir_name> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::fd_prestat_get> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::fd_write> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::path_filestat_get> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::poll_oneoff> = true;
template <>
constexpr bool kBeforeCallbacks<&wasi::random_get> = true;

// Whether the guest may not call F now; the call has ended it then.
template <auto F>
bool is_too_early(Vm& vm) {
  if constexpr (!kBeforeCallbacks<F>) {
    if (vm.initializing()) [[unlikely]] {
      vm.forbid(function_name<F>);
      return true;
    }
  }
  return false;
}

// What the engine calls: a function of this room on raw numbers, and its twin for guests that may not use it.
template <auto F>
struct Entry;
template <class R, class... P, R (*F)(Vm&, P...)>
requires(!std::is_void_v<R>) struct Entry<F> {
  static uint32_t call(Vm* vm, P... args) {
    if (is_too_early<F>(*vm)) return restricted_result(R{});
    return static_cast<uint32_t>(F(*vm, args...));
  }
  static uint32_t refuse(Vm* vm, P...) {
    if (!is_too_early<F>(*vm)) vm->log_restricted(function_name<F>);
    return restricted_result(R{});
  }
};
template <class... P, void (*F)(Vm&, P...)>
struct Entry<F> {
  static void call(Vm* vm, P... args) {
    if (!is_too_early<F>(*vm)) F(*vm, args...);
  }
  static void refuse(Vm* vm, P...) {
    if (!is_too_early<F>(*vm)) vm->log_restricted(function_name<F>);
  }
};

struct Row {
  HostFunction function;
  HostFunction refused;  // the same as `function` where a restriction does not apply
};

template <auto F>
Row row(std::string_view module, std::string_view name) {
  function_name<F> = name;
  return {engine::host_function<&Entry<F>::call>(module, name), engine::host_function<&Entry<F>::refuse>(module, name)};
}

// What Emscripten's runtime imports beside the ABI. Never restricted.
void emscripten_notify_memory_growth(Vm*, uint32_t) {}
uint32_t pthread_equal(Vm* vm, uint32_t left, uint32_t right) {
  if (vm->initializing()) vm->forbid("pthread_equal");
  return left == right;
}

// WASI functions that modules import and never need in a proxy: ENOSYS.
template <class... P>
uint32_t no_such_system_call(Vm*, P...) {
  return static_cast<uint32_t>(Errno::kNosys);
}

template <class... P>
Row absent(std::string_view module, std::string_view name) {
  const HostFunction f = engine::host_function<&no_such_system_call<P...>>(module, name);
  return {f, f};
}

void add_absent_wasi(std::vector<Row>& rows, std::string_view m) {
  using u = uint32_t;
  using l = uint64_t;
  const Row list[] = {
      absent<u, l, l, u>(m, "fd_advise"),
      absent<u, l, l>(m, "fd_allocate"),
      absent<u>(m, "fd_datasync"),
      absent<u, l, l>(m, "fd_fdstat_set_rights"),
      absent<u, l>(m, "fd_filestat_set_size"),
      absent<u, l, l, u>(m, "fd_filestat_set_times"),
      absent<u, u, u, l, u>(m, "fd_pread"),
      absent<u, u, u, l, u>(m, "fd_pwrite"),
      absent<u, u, u, l, u>(m, "fd_readdir"),
      absent<u, u>(m, "fd_renumber"),
      absent<u>(m, "fd_sync"),
      absent<u, u>(m, "fd_tell"),
      absent<u, u, u>(m, "path_create_directory"),
      absent<u, u, u, u, l, l, u>(m, "path_filestat_set_times"),
      absent<u, u, u, u, u, u, u>(m, "path_link"),
      absent<u, u, u, u, u, u>(m, "path_readlink"),
      absent<u, u, u>(m, "path_remove_directory"),
      absent<u, u, u, u, u, u>(m, "path_rename"),
      absent<u, u, u, u, u>(m, "path_symlink"),
      absent<u, u, u>(m, "path_unlink_file"),
      absent<u>(m, "proc_raise"),
      absent<u, u, u>(m, "sock_accept"),
      absent<u, u, u, u, u, u>(m, "sock_recv"),
      absent<u, u, u, u, u>(m, "sock_send"),
      absent<u, u>(m, "sock_shutdown"),
  };
  rows.insert(rows.end(), std::begin(list), std::end(list));
}

void add_wasi(std::vector<Row>& rows, std::string_view module) {
#define INLAY_ROW(name, result, params, versions) rows.push_back(row<&wasi::name>(module, #name));
  INLAY_ABI_WASI_FUNCTIONS(INLAY_ROW)
#undef INLAY_ROW
  add_absent_wasi(rows, module);
}

std::vector<Row> make_table() {
  std::vector<Row> rows;
#define INLAY_ROW(name, result, params, versions) rows.push_back(row<&proxy::name>("env", #name));
  INLAY_ABI_PROXY_FUNCTIONS(INLAY_ROW)
#undef INLAY_ROW
  add_wasi(rows, "wasi_snapshot_preview1");
  for (const auto& alias : abi::kModuleAliases)
    if (alias.module == "wasi_snapshot_preview1") add_wasi(rows, alias.alias);
  const auto growth = engine::host_function<&emscripten_notify_memory_growth>("env", "emscripten_notify_memory_growth");
  const auto equal = engine::host_function<&pthread_equal>("env", "pthread_equal");
  rows.push_back({growth, growth});
  rows.push_back({equal, equal});
  return rows;
}

const std::vector<Row>& table() {
  static const std::vector<Row> rows = make_table();
  return rows;
}

}  // namespace

std::span<const HostFunction> all_functions() {
  static const std::vector<HostFunction> functions = [] {
    std::vector<HostFunction> list;
    for (const Row& r : table()) list.push_back(r.function);
    return list;
  }();
  return functions;
}

const HostFunction* find_function(std::string_view module, std::string_view name) {
  const auto functions = all_functions();
  auto found = std::find_if(functions.begin(), functions.end(),
                            [&](const HostFunction& f) { return f.name == name && f.module == module; });
  return found == functions.end() ? nullptr : &*found;
}

bool is_offered(std::string_view module, std::string_view name, abi::Version version) {
  const abi::FunctionDecl* const declared = abi::find_host_function(module, name);
  return declared == nullptr ? find_function(module, name) != nullptr : declared->is_in(version);
}

Support support(std::string_view module, std::string_view name) {
  if (find_function(module, name) == nullptr) return Support::kAbsent;
  return module != "env" && abi::find_host_function(module, name) == nullptr ? Support::kNosys : Support::kFull;
}

std::vector<HostFunction> restricted_functions(const std::set<std::string>& allowed) {
  std::vector<HostFunction> list;
  for (const Row& r : table()) list.push_back(allowed.contains(std::string(r.function.name)) ? r.function : r.refused);
  return list;
}

}  // namespace inlay::host
