// SPDX-License-Identifier: Apache-2.0
#include "compiler/interp/code_offsets.h"

#include <wabt/binary-reader-nop.h>
#include <wabt/binary-reader.h>

#include <map>
#include <string_view>

#include "compiler/interp/walk.h"

namespace inlay::compiler::interp {
namespace {

constexpr uint8_t kCustomSection = 0, kCodeSection = 10;
constexpr uint32_t kHead = 8;  // bytes: the magic number and the version

// Counts the instructions of functions, and notes the offsets of those that are wanted.
class Finder : public wabt::BinaryReaderNop {
 public:
  Finder(const std::vector<NthInstruction>& wanted, std::vector<uint32_t>& found) : wanted_(wanted), found_(found) {}

  bool OnError(const wabt::Error&) override { return true; }
  wabt::Result OnImportFunc(wabt::Index, std::string_view, std::string_view, wabt::Index, wabt::Index) override {
    ++imports_;
    return wabt::Result::Ok;
  }
  wabt::Result BeginFunctionBody(wabt::Index index, wabt::Offset) override {
    function_ = index;
    counts_.clear();
    looking_ = false;
    for (const NthInstruction& one : wanted_) looking_ = looking_ || one.function == index;
    return wabt::Result::Ok;
  }
  wabt::Result OnOpcode(wabt::Opcode opcode) override {
    begin_ = static_cast<uint32_t>(state->offset - opcode.GetLength());
    const bool call = opcode == wabt::Opcode::Call || opcode == wabt::Opcode::ReturnCall;  // counted below
    if (looking_ && !call) count(opcode);
    return wabt::Result::Ok;
  }
  wabt::Result OnCallExpr(wabt::Index callee) override {
    if (looking_) count(callee < imports_ ? wabt::Opcode::InterpCallImport : wabt::Opcode::Call);
    return wabt::Result::Ok;
  }
  wabt::Result OnReturnCallExpr(wabt::Index callee) override {
    if (looking_) count(callee < imports_ ? wabt::Opcode::InterpCallImport : wabt::Opcode::ReturnCall);
    return wabt::Result::Ok;
  }

 private:
  void count(wabt::Opcode::Enum opcode) {
    const uint32_t nth = counts_[opcode]++;
    for (size_t i = 0; i < wanted_.size(); ++i) {
      const NthInstruction& one = wanted_[i];
      if (one.function == function_ && one.opcode == static_cast<uint32_t>(opcode) && one.nth == nth)
        found_[i] = begin_;
    }
  }

  const std::vector<NthInstruction>& wanted_;
  std::vector<uint32_t>& found_;
  std::map<wabt::Opcode::Enum, uint32_t> counts_;  // of the function
  wabt::Index imports_ = 0;
  wabt::Index function_ = 0;
  uint32_t begin_ = 0;  // of the instruction
  bool looking_ = false;
};

}  // namespace

CodeOffsets::CodeOffsets(const uint8_t* module, size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(module), size);
  Walk in(all);
  in.take(kHead);
  size_t end = 0;
  bool debug = false;
  while (!in.at_end()) {
    const uint8_t id = in.byte();
    Walk section(in.text());
    if (id == kCodeSection) end = all.size() - in.left();
    if (id == kCustomSection && section.text() == ".debug_line") debug = true;
  }
  if (debug) code_ = all.substr(0, end);
}

std::vector<uint32_t> CodeOffsets::find(const std::vector<NthInstruction>& wanted) const {
  std::vector<uint32_t> found(wanted.size());
  if (!known()) return found;
  wabt::Features features;
  features.EnableAll();  // it was valid
  Finder finder(wanted, found);
  // That the rest of the module is missing is an error, once all functions were read.
  (void)wabt::ReadBinary(code_.data(), code_.size(), &finder, {features, nullptr, false, false, false});
  return found;
}

}  // namespace inlay::compiler::interp
