// SPDX-License-Identifier: Apache-2.0
#include "compiler/wasm2c/shim.h"

namespace inlay::compiler {
namespace {

// The wasm-rt.h that generated code is compiled against. It declares what wasm2c's output of both generations uses,
// and sends each call through a table of pointers (engine/aot/runtime.h has its C++ twin): an artifact then needs no
// symbol from the program that loads it. Trap codes are the values of TrapKind.
constexpr std::string_view kHeader = R"(#ifndef WASM_RT_H_
#define WASM_RT_H_
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define wasm_rt_memcpy __builtin_memcpy
#define wasm_rt_unreachable __builtin_unreachable
#define WASM_RT_NO_RETURN __attribute__((noreturn))
#define INLAY_HIDDEN __attribute__((visibility("hidden")))

/* Guard pages stand around each memory, and the stack's end is found by a signal too. */
#define WASM_RT_MEMCHECK_SIGNAL_HANDLER 1
#define WASM_RT_USE_STACK_DEPTH_COUNT 0
#define WASM_RT_USE_MMAP 1
#define WASM_RT_MEMCHECK_GUARD_PAGES 1
#define WASM_RT_MEMCHECK_BOUNDS_CHECK 0
#define WASM_RT_STACK_DEPTH_COUNT 0
#define WASM_RT_STACK_EXHAUSTION_HANDLER 1
#define WASM_RT_USE_SEGUE 0
#define WASM_RT_ALLOW_SEGUE 0
#define WASM_RT_USE_SEGUE_FOR_THIS_MODULE 0
#define WASM_RT_SANITY_CHECKS 0
#define WASM_RT_MERGED_OOB_AND_EXHAUSTION_TRAPS 0
#define WASM_RT_THREAD_LOCAL __thread

typedef enum {
  WASM_RT_TRAP_UNREACHABLE = 0,
  WASM_RT_TRAP_OOB = 1,
  WASM_RT_TRAP_INT_OVERFLOW = 3,
  WASM_RT_TRAP_DIV_BY_ZERO = 4,
  WASM_RT_TRAP_INVALID_CONVERSION = 5,
  WASM_RT_TRAP_CALL_INDIRECT = 6,
  WASM_RT_TRAP_NULL_REF = 6,
  WASM_RT_TRAP_EXHAUSTION = 7,
  WASM_RT_TRAP_UNCAUGHT_EXCEPTION = 9,
  WASM_RT_TRAP_UNALIGNED = 1
} wasm_rt_trap_t;

typedef enum {
  WASM_RT_I32, WASM_RT_I64, WASM_RT_F32, WASM_RT_F64, WASM_RT_V128, WASM_RT_FUNCREF, WASM_RT_EXTERNREF
} wasm_rt_type_t;

typedef void (*wasm_rt_function_ptr_t)(void);
typedef void* wasm_rt_externref_t;

#ifdef INLAY_NUMBERED_TYPES
typedef struct {
  uint32_t func_type;
  wasm_rt_function_ptr_t func;
  void* module_instance;
} wasm_rt_funcref_t;
static const wasm_rt_funcref_t wasm_rt_funcref_null_value = {0, 0, 0};
#else
typedef const char* wasm_rt_func_type_t;
typedef struct wasm_rt_tailcallee_t {
  void (*fn)(void** instance, void* stack, struct wasm_rt_tailcallee_t* next);
} wasm_rt_tailcallee_t;
typedef struct {
  wasm_rt_func_type_t func_type;
  wasm_rt_function_ptr_t func;
  wasm_rt_tailcallee_t func_tailcallee;
  void* module_instance;
} wasm_rt_funcref_t;
static const wasm_rt_funcref_t wasm_rt_funcref_null_value;
#endif
static const wasm_rt_externref_t wasm_rt_externref_null_value = 0;

typedef struct {
  uint8_t* data;
  uint64_t pages, max_pages;
  uint64_t size;
  bool is64;
} wasm_rt_memory_t;

typedef struct {
  wasm_rt_funcref_t* data;
  uint32_t max_size, size;
} wasm_rt_funcref_table_t;

typedef struct {
  wasm_rt_externref_t* data;
  uint32_t max_size, size;
} wasm_rt_externref_table_t;

/* The beginning of Inlay's GuestContext. */
typedef void (*inlay_function)(void);
struct inlay_context {
  struct inlay_context* self;
  void* env;
  const inlay_function* imports;
  const char* stack_limit;
  volatile uint32_t in_host;
  volatile uint32_t pending;
};

struct inlay_runtime {
  WASM_RT_NO_RETURN void (*trap)(uint32_t kind, const char* where);
  WASM_RT_NO_RETURN void (*unwind)(void);
  void (*allocate_memory)(wasm_rt_memory_t*, uint64_t initial, uint64_t max);
  uint64_t (*grow_memory)(wasm_rt_memory_t*, uint64_t delta);
  void (*allocate_table)(void*, uint32_t elements, uint32_t max, uint32_t element_size);
  uint32_t (*grow_table)(void*, uint32_t delta, const void* init, uint32_t element_size);
  uint32_t (*register_func_type)(const uint8_t* types, uint32_t params, uint32_t results);
};
/* Defined in the shim; the parts of a module that is compiled in parts share it. */
extern INLAY_HIDDEN const struct inlay_runtime* inlay_rt;

struct inlay_state {
  uint32_t global_count, table_count, segment_count, referred_count;
  const inlay_function *globals, *tables, *drops;
  const uint32_t* referred;
  inlay_function memory, start, scratch, refer;
};

struct inlay_descriptor {
  uint32_t abi, export_count, import_count, function_count;
  char key[65];
  uint64_t instance_size;
  void (*initialize)(const struct inlay_runtime*);
  void (*instantiate)(void*, struct inlay_context*);
  const inlay_function* exports;
  const inlay_function* functions;
  wasm_rt_memory_t* (*memory)(void*);
  const struct inlay_state* state;
};

#define wasm_rt_trap(kind) inlay_rt->trap(kind, __func__)
#define wasm_rt_is_initialized() true

#define wasm_rt_allocate_memory(memory, initial, max, ...) inlay_rt->allocate_memory(memory, initial, max)
#define wasm_rt_free_memory(memory) ((void)(memory))
#ifdef INLAY_NUMBERED_TYPES
#define wasm_rt_grow_memory(memory, delta) ((uint32_t)inlay_rt->grow_memory(memory, delta))
#else
#define wasm_rt_grow_memory(memory, delta) inlay_rt->grow_memory(memory, delta)
#endif

#define wasm_rt_allocate_funcref_table(table, elements, max) \
  inlay_rt->allocate_table(table, elements, max, sizeof(wasm_rt_funcref_t))
#define wasm_rt_allocate_externref_table(table, elements, max) \
  inlay_rt->allocate_table(table, elements, max, sizeof(wasm_rt_externref_t))
#define wasm_rt_free_funcref_table(table) ((void)(table))
#define wasm_rt_free_externref_table(table) ((void)(table))
static inline uint32_t wasm_rt_grow_funcref_table(wasm_rt_funcref_table_t* table, uint32_t delta,
                                                  wasm_rt_funcref_t init) {
  return inlay_rt->grow_table(table, delta, &init, sizeof init);
}
static inline uint32_t wasm_rt_grow_externref_table(wasm_rt_externref_table_t* table, uint32_t delta,
                                                    wasm_rt_externref_t init) {
  return inlay_rt->grow_table(table, delta, &init, sizeof init);
}

static inline uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...) {
  const uint32_t count = params + results;
  uint8_t types[count + 1];
  va_list list;
  va_start(list, results);
  for (uint32_t i = 0; i < count; ++i) types[i] = (uint8_t)va_arg(list, int);
  va_end(list);
  return inlay_rt->register_func_type(types, params, results);
}
#endif
)";

}  // namespace

std::string_view runtime_header() {
  return kHeader;
}

}  // namespace inlay::compiler
