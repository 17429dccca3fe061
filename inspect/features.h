// SPDX-License-Identifier: Apache-2.0
#pragma once

// The extensions of WebAssembly 1.0 that a module uses, under the names that compilers give them
// (WebAssembly/tool-conventions, "Target Features Section").

#include <array>
#include <cstdint>
#include <string_view>

namespace inlay::inspect {

enum class Feature : uint8_t {
  kAtomics,
  kBulkMemory,
  kExceptionHandling,
  kExtendedConst,
  kMemory64,
  kMultiMemory,
  kMultiValue,
  kMutableGlobals,
  kNontrappingFloatToInt,
  kReferenceTypes,
  kRelaxedSimd,
  kSignExtension,
  kSimd,
  kTailCall,
  kTypedReferences,
};

struct FeatureInfo {
  Feature feature;
  std::string_view name;
  std::string_view wasm_opt;  // binaryen's flag that allows it; empty: it has none
};

// One row a feature, in the order of the enumerators.
inline constexpr auto kFeatures = std::to_array<FeatureInfo>({
    {Feature::kAtomics, "atomics", "--enable-threads"},
    {Feature::kBulkMemory, "bulk-memory", "--enable-bulk-memory"},
    {Feature::kExceptionHandling, "exception-handling", "--enable-exception-handling"},
    {Feature::kExtendedConst, "extended-const", "--enable-extended-const"},
    {Feature::kMemory64, "memory64", "--enable-memory64"},
    {Feature::kMultiMemory, "multimemory", ""},
    {Feature::kMultiValue, "multivalue", "--enable-multivalue"},
    {Feature::kMutableGlobals, "mutable-globals", "--enable-mutable-globals"},
    {Feature::kNontrappingFloatToInt, "nontrapping-fptoint", "--enable-nontrapping-float-to-int"},
    {Feature::kReferenceTypes, "reference-types", "--enable-reference-types"},
    {Feature::kRelaxedSimd, "relaxed-simd", "--enable-relaxed-simd"},
    {Feature::kSignExtension, "sign-ext", "--enable-sign-ext"},
    {Feature::kSimd, "simd128", "--enable-simd"},
    {Feature::kTailCall, "tail-call", "--enable-tail-call"},
    {Feature::kTypedReferences, "typed-references", "--enable-typed-function-references"},
});

// FeatureSet is a set of features.
class FeatureSet {
 public:
  void add(Feature feature) { bits_ |= bit(feature); }
  bool has(Feature feature) const { return (bits_ & bit(feature)) != 0; }
  bool empty() const { return bits_ == 0; }

 private:
  static uint32_t bit(Feature feature) { return 1u << static_cast<unsigned>(feature); }
  uint32_t bits_ = 0;
};

}  // namespace inlay::inspect
