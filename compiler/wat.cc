// SPDX-License-Identifier: Apache-2.0
#include "compiler/wat.h"

#include <wabt/binary-writer.h>
#include <wabt/error.h>
#include <wabt/ir.h>
#include <wabt/stream.h>
#include <wabt/wast-lexer.h>
#include <wabt/wast-parser.h>

namespace inlay::compiler {

Result<std::vector<uint8_t>> wat_to_wasm(std::string_view text) {
  wabt::Errors errors;
  wabt::Features features;
  // More than the engines run: tests must be able to write what is refused.
  features.enable_exceptions();
  features.enable_tail_call();
  features.enable_threads();
  features.enable_memory64();
  features.enable_multi_memory();
  features.enable_extended_const();
  auto lexer = wabt::WastLexer::CreateBufferLexer("text", text.data(), text.size(), &errors);
  wabt::WastParseOptions options(features);
  std::unique_ptr<wabt::Module> module;
  wabt::MemoryStream stream;
  if (wabt::Failed(wabt::ParseWatModule(lexer.get(), &module, &errors, &options)) ||
      wabt::Failed(
          wabt::WriteBinaryModule(&stream, module.get(), wabt::WriteBinaryOptions(features, false, false, false)))) {
    if (errors.empty()) return Error{ErrorCode::kInvalidArgument, "not a module in the text format", {}};
    const wabt::Error& first = errors.front();
    return Error{ErrorCode::kInvalidArgument, first.message,
                 std::to_string(first.loc.line) + ":" + std::to_string(first.loc.first_column)};
  }
  return stream.output_buffer().data;
}

}  // namespace inlay::compiler
