// SPDX-License-Identifier: Apache-2.0
// Compiled as C++17, see wabt_machine.h.
#include "compiler/interp/wabt_values.h"

#include <cstring>

namespace inlay::compiler::interp {
namespace {

namespace wi = wabt::interp;

// The value of engine::ValueType.
uint8_t value_type(wabt::Type type) {
  switch (type) {
    case wabt::Type::I32:
      return 0;
    case wabt::Type::I64:
      return 1;
    case wabt::Type::F32:
      return 2;
    case wabt::Type::F64:
      return 3;
    case wabt::Type::V128:
      return 4;
    case wabt::Type::FuncRef:
      return 5;
    default:
      return 6;
  }
}

}  // namespace

wabt::Features features(uint32_t proposals) {
  wabt::Features features;
  features.set_simd_enabled((proposals & kSimd) != 0);
  features.set_exceptions_enabled((proposals & kExceptions) != 0);
  features.set_tail_call_enabled((proposals & kTailCalls) != 0);
  features.set_threads_enabled((proposals & kThreads) != 0);
  features.set_memory64_enabled((proposals & kMemory64) != 0);
  features.set_multi_memory_enabled((proposals & kMultipleMemories) != 0);
  features.set_extended_const_enabled((proposals & kExtendedConstants) != 0);
  features.set_function_references_enabled((proposals & kFunctionReferences) != 0);
  features.set_relaxed_simd_enabled((proposals & kRelaxedSimd) != 0);
  features.disable_gc();
  return features;
}

wi::Value to_value(wabt::Type type, Bits bits) {
  const auto low = static_cast<uint32_t>(bits);
  switch (type) {
    case wabt::Type::I32:
      return wi::Value::Make(low);
    case wabt::Type::F32: {
      float f = 0;
      std::memcpy(&f, &low, sizeof f);
      return wi::Value::Make(f);
    }
    case wabt::Type::F64: {
      double d = 0;
      std::memcpy(&d, &bits, sizeof d);
      return wi::Value::Make(d);
    }
    default:
      return wi::Value::Make(bits);
  }
}

Bits to_bits(wabt::Type type, const wi::Value& value) {
  Bits bits = 0;
  switch (type) {
    case wabt::Type::I32:
      return value.Get<uint32_t>();
    case wabt::Type::I64:
      return value.Get<uint64_t>();
    case wabt::Type::F32: {
      const float f = value.Get<float>();
      std::memcpy(&bits, &f, sizeof f);
      return bits;
    }
    case wabt::Type::F64: {
      const double d = value.Get<double>();
      std::memcpy(&bits, &d, sizeof d);
      return bits;
    }
    default:
      return bits;
  }
}

Extern make_extern(const std::string& module, const std::string& name, const wi::ExternType& type) {
  // wabt's kinds have the order of engine::ExternKind.
  Extern made{module, name, static_cast<uint8_t>(type.kind), {}, {}};
  if (type.kind != wi::ExternKind::Func) return made;
  const auto& function = *wabt::cast<wi::FuncType>(&type);
  for (const wabt::Type param : function.params) made.params.push_back(value_type(param));
  for (const wabt::Type result : function.results) made.results.push_back(value_type(result));
  return made;
}

Snapshot::Kind snapshot_kind(wabt::Type type) {
  switch (type) {
    case wabt::Type::I32:
    case wabt::Type::F32:
      return Snapshot::Kind::kNumber32;
    case wabt::Type::FuncRef:
      return Snapshot::Kind::kFunction;
    case wabt::Type::ExternRef:
      return Snapshot::Kind::kExtern;
    default:
      return Snapshot::Kind::kNumber64;
  }
}

}  // namespace inlay::compiler::interp
