// SPDX-License-Identifier: Apache-2.0
#include "compiler/reader_guard.h"

#include <wabt/binary-reader-nop.h>
#include <wabt/binary-reader.h>
#include <wabt/error.h>

#include <optional>
#include <utility>

namespace inlay::compiler {
namespace {

using wabt::Index;
using wabt::Offset;
using wabt::Type;

// GuardReader is called with each part of a module in turn, and ends the reading at the first that is unfit.
class GuardReader final : public wabt::BinaryReaderNop {
 public:
  explicit GuardReader(size_t module_size) : module_size_(module_size) {}
  const std::string& problem() const { return problem_; }

  // What is wrong with the module is not for us to say; without this, wabt prints it.
  bool OnError(const wabt::Error&) override { return true; }

  wabt::Result OnFuncType(Index, Index params, Type*, Index results, Type*) override {
    if (params > reader_limits::kParams) return refuse("a type has", params, "parameters", reader_limits::kParams);
    if (results > reader_limits::kResults) return refuse("a type has", results, "results", reader_limits::kResults);
    return wabt::Result::Ok;
  }

  // The only number of items that wabt believes before it has seen the items.
  wabt::Result OnDataCount(Index count) override {
    if (count > module_size_) return refuse("the module announces", count, "data segments", module_size_);
    announced_ = count;
    return wabt::Result::Ok;
  }
  wabt::Result OnDataSegmentCount(Index count) override {
    segments_ = count;
    return wabt::Result::Ok;
  }
  // wabt 1.0.32 compares the two numbers in the data section, and so never in a module that has none.
  wabt::Result EndModule() override {
    if (!announced_ || *announced_ == segments_) return wabt::Result::Ok;
    problem_ =
        "the module announces " + std::to_string(*announced_) + " data segments and has " + std::to_string(segments_);
    return wabt::Result::Error;
  }

  wabt::Result BeginFunctionBody(Index, Offset) override {
    locals_ = 0;
    depth_ = 0;
    in_body_ = true;
    body_ended_ = false;
    return wabt::Result::Ok;
  }
  wabt::Result EndFunctionBody(Index) override {
    in_body_ = false;
    return wabt::Result::Ok;
  }

  // wabt 1.0.32 reads on where a function has ended before its last byte, finds it valid, and its C writer aborts on
  // it.
  wabt::Result OnOpcode(wabt::Opcode) override {
    if (!in_body_ || !body_ended_) return wabt::Result::Ok;
    problem_ = "a function goes on after its end";
    return wabt::Result::Error;
  }

  wabt::Result OnLocalDecl(Index, Index count, Type) override {
    locals_ += count;
    if (locals_ > reader_limits::kLocals) return refuse("a function has", locals_, "locals", reader_limits::kLocals);
    return wabt::Result::Ok;
  }

  // An initial value that goes to the end of its section without an end of its own is taken for valid by wabt 1.0.32,
  // and its C writer aborts on it.
  wabt::Result BeginGlobalInitExpr(Index) override { return begin_value(); }
  wabt::Result EndGlobalInitExpr(Index) override { return end_value(); }
  wabt::Result BeginElemSegmentInitExpr(Index) override { return begin_value(); }
  wabt::Result EndElemSegmentInitExpr(Index) override { return end_value(); }
  wabt::Result BeginDataSegmentInitExpr(Index) override { return begin_value(); }
  wabt::Result EndDataSegmentInitExpr(Index) override { return end_value(); }

  wabt::Result OnBlockExpr(Type) override { return deeper(); }
  wabt::Result OnLoopExpr(Type) override { return deeper(); }
  wabt::Result OnIfExpr(Type) override { return deeper(); }
  wabt::Result OnTryExpr(Type) override { return deeper(); }
  wabt::Result OnDelegateExpr(Index) override { return end(); }
  wabt::Result OnEndExpr() override { return end(); }

 private:
  wabt::Result deeper() {
    if (++depth_ > reader_limits::kNesting) {
      return refuse("a function nests", depth_, "blocks in each other", reader_limits::kNesting);
    }
    return wabt::Result::Ok;
  }
  wabt::Result end() {
    ended_ = true;
    body_ended_ = depth_ == 0;
    if (depth_ > 0) --depth_;
    return wabt::Result::Ok;
  }

  wabt::Result begin_value() {
    ended_ = false;
    return wabt::Result::Ok;
  }
  wabt::Result end_value() {
    if (ended_) return wabt::Result::Ok;
    problem_ = "an initial value has no end";
    return wabt::Result::Error;
  }

  wabt::Result refuse(const char* who, uint64_t count, const char* what, uint64_t limit) {
    problem_ = std::string(who) + " " + std::to_string(count) + " " + what + ", the limit is " + std::to_string(limit);
    return wabt::Result::Error;
  }

  size_t module_size_;
  std::optional<Index> announced_;
  Index segments_ = 0;
  uint64_t locals_ = 0;
  uint32_t depth_ = 0;
  bool ended_ = false;  // the initial value that is being read
  bool in_body_ = false;
  bool body_ended_ = false;
  std::string problem_;
};

// StrictReader ends the reading at the first thing that wabt's validation should not have passed.
class StrictReader final : public wabt::BinaryReaderNop {
 public:
  explicit StrictReader(bool simd) : simd_(simd) {}
  const std::string& problem() const { return problem_; }

  bool OnError(const wabt::Error&) override { return true; }

  // wabt 1.0.32 takes half of the vector instructions for a part of WebAssembly 1.0, for one v128.load8x8_s.
  wabt::Result OnOpcode(wabt::Opcode opcode) override {
    constexpr uint32_t kVectorPrefix = 0xfd;
    if (simd_ || opcode.GetPrefix() != kVectorPrefix) return wabt::Result::Ok;
    return refuse(std::string(opcode.GetName()) + " is a vector instruction");
  }

  // wabt looks at few of the types that it reads.
  wabt::Result OnFuncType(Index, Index params, Type* param_types, Index results, Type* result_types) override {
    return values("parameter", {param_types, params}) | values("result", {result_types, results});
  }
  wabt::Result OnImportTable(Index, std::string_view, std::string_view, Index, Type type,
                             const wabt::Limits*) override {
    return reference("table", type);
  }
  wabt::Result OnTable(Index, Type type, const wabt::Limits*) override { return reference("table", type); }
  wabt::Result OnElemSegmentElemType(Index, Type type) override { return reference("element segment", type); }
  wabt::Result OnImportGlobal(Index, std::string_view, std::string_view, Index, Type type, bool) override {
    return values("global", {&type, 1});
  }
  wabt::Result BeginGlobal(Index, Type type, bool) override { return values("global", {&type, 1}); }
  wabt::Result OnLocalDecl(Index, Index, Type type) override { return values("local", {&type, 1}); }
  wabt::Result OnBlockExpr(Type type) override { return block(type); }
  wabt::Result OnLoopExpr(Type type) override { return block(type); }
  wabt::Result OnIfExpr(Type type) override { return block(type); }
  wabt::Result OnTryExpr(Type type) override { return block(type); }
  wabt::Result OnRefNullExpr(Type type) override { return reference("ref.null", type); }
  wabt::Result OnSelectExpr(Index count, Type* types) override { return values("select", {types, count}); }

 private:
  static bool is_reference(Type type) { return type == Type::FuncRef || type == Type::ExternRef; }
  bool is_value(Type type) const {
    return type == Type::I32 || type == Type::I64 || type == Type::F32 || type == Type::F64 || is_reference(type) ||
           (type == Type::V128 && simd_);
  }

  wabt::Result values(const char* of, std::span<const Type> types) {
    for (const Type type : types) {
      if (!is_value(type)) return refuse(std::string(of) + " of a type that no value has: " + type.GetName());
    }
    return wabt::Result::Ok;
  }
  wabt::Result reference(const char* of, Type type) {
    if (is_reference(type)) return wabt::Result::Ok;
    return refuse(std::string(of) + " of a type that is no reference: " + type.GetName());
  }
  wabt::Result block(Type type) {
    if (type.IsIndex() || type == Type::Void) return wabt::Result::Ok;
    return values("block", {&type, 1});
  }
  wabt::Result refuse(std::string problem) {
    problem_ = std::move(problem);
    return wabt::Result::Error;
  }

  bool simd_;
  std::string problem_;
};

template <class Reader>
std::string read(std::span<const uint8_t> bytes, Reader reader) {
  wabt::Features features;
  features.EnableAll();
  constexpr bool kStopOnFirstError = true;
  const wabt::ReadBinaryOptions options(features, nullptr, false, kStopOnFirstError, false);
  (void)wabt::ReadBinary(bytes.data(), bytes.size(), &reader, options);
  return reader.problem();
}

}  // namespace

std::string unfit_for_readers(std::span<const uint8_t> bytes) {
  return read(bytes, GuardReader(bytes.size()));
}

std::string wrongly_passed(std::span<const uint8_t> bytes, bool simd) {
  return read(bytes, StrictReader(simd));
}

}  // namespace inlay::compiler
