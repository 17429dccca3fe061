// SPDX-License-Identifier: Apache-2.0
#include "compiler/exposed_state.h"

#include <wabt/cast.h>
#include <wabt/ir.h>

#include <memory>
#include <set>
#include <string_view>
#include <utility>

namespace inlay::compiler {
namespace {

wabt::Var var(size_t index) {
  return wabt::Var(static_cast<wabt::Index>(index), wabt::Location());
}

void add_export(wabt::Module& module, wabt::ExternalKind kind, const char* name, size_t number, size_t index) {
  auto field = std::make_unique<wabt::ExportModuleField>();
  field->export_.name = state_name(name, number);
  field->export_.kind = kind;
  field->export_.var = var(index);
  module.AppendField(std::move(field));
}

// Adds and exports a function without parameters and results.
void add_function(wabt::Module& module, const char* name, size_t number, wabt::ExprList body) {
  auto field = std::make_unique<wabt::FuncModuleField>();
  field->func.exprs = std::move(body);
  module.AppendField(std::move(field));
  add_export(module, wabt::ExternalKind::Func, name, number, module.funcs.size() - 1);
}

template <class Drop>
void add_drop(wabt::Module& module, size_t number, size_t segment) {
  wabt::ExprList body;
  body.push_back(std::make_unique<Drop>(var(segment)));
  add_function(module, "d", number, std::move(body));
}

// A function that is referred to must be so by a segment or a global, or be exported.
std::set<uint32_t> find_referred(const wabt::Module& module) {
  std::set<uint32_t> found;
  const auto look = [&](const wabt::ExprList& list) {
    for (const wabt::Expr& expr : list) {
      if (const auto* ref = wabt::dyn_cast<wabt::RefFuncExpr>(&expr)) found.insert(ref->var.index());
    }
  };
  for (const wabt::ElemSegment* segment : module.elem_segments) {
    for (const wabt::ExprList& element : segment->elem_exprs) look(element);
  }
  for (const wabt::Global* global : module.globals) look(global->init_expr);
  for (const wabt::Export* exported : module.exports) {
    if (exported->kind == wabt::ExternalKind::Func) found.insert(exported->var.index());
  }
  return found;
}

// A passive segment of references to all of `referred`, the table that they go to, and the function that puts them
// there.
void add_references(wabt::Module& module, const std::vector<uint32_t>& referred) {
  auto table = std::make_unique<wabt::TableModuleField>();
  table->table.elem_type = wabt::Type::FuncRef;
  module.AppendField(std::move(table));
  add_export(module, wabt::ExternalKind::Table, "x", 0, module.tables.size() - 1);
  auto segment = std::make_unique<wabt::ElemSegmentModuleField>();
  segment->elem_segment.kind = wabt::SegmentKind::Passive;
  segment->elem_segment.elem_type = wabt::Type::FuncRef;
  segment->elem_segment.table_var = var(module.tables.size() - 1);  // wabt wants one
  for (const uint32_t function : referred) {
    segment->elem_segment.elem_exprs.emplace_back().push_back(std::make_unique<wabt::RefFuncExpr>(var(function)));
  }
  module.AppendField(std::move(segment));
  wabt::ExprList body;
  for (const size_t operand : {size_t{0}, size_t{0}, referred.size()}) {
    body.push_back(std::make_unique<wabt::ConstExpr>(wabt::Const::I32(static_cast<uint32_t>(operand))));
  }
  body.push_back(
      std::make_unique<wabt::TableInitExpr>(var(module.elem_segments.size() - 1), var(module.tables.size() - 1)));
  add_function(module, "r", 0, std::move(body));
}

}  // namespace

std::string state_name(const char* kind, size_t index) {
  return "s" + std::string(kind) + std::to_string(index);
}

ExposedState expose_state(wabt::Module& module) {
  ExposedState state;
  const std::set<uint32_t> referred = find_referred(module);  // before exports are added
  state.referred.assign(referred.begin(), referred.end());
  for (size_t i = 0; i < module.globals.size(); ++i) {
    if (module.globals[i]->mutable_) add_export(module, wabt::ExternalKind::Global, "g", state.globals++, i);
  }
  for (size_t i = 0; i < module.tables.size(); ++i) {
    add_export(module, wabt::ExternalKind::Table, "t", state.tables++, i);
  }
  state.memory = !module.memories.empty();
  if (state.memory) add_export(module, wabt::ExternalKind::Memory, "m", 0, 0);
  for (size_t i = 0; i < module.data_segments.size(); ++i) {
    if (module.data_segments[i]->kind != wabt::SegmentKind::Passive) continue;
    add_drop<wabt::DataDropExpr>(module, state.segments++, i);
  }
  const size_t segments = module.elem_segments.size();
  for (size_t i = 0; i < segments; ++i) {
    if (module.elem_segments[i]->kind != wabt::SegmentKind::Passive) continue;
    add_drop<wabt::ElemDropExpr>(module, state.segments++, i);
  }
  state.start = !module.starts.empty();
  if (state.start) {
    add_export(module, wabt::ExternalKind::Func, "s", 0, module.starts[0]->index());
    module.starts.clear();
  }
  if (!state.referred.empty()) add_references(module, state.referred);
  return state;
}

}  // namespace inlay::compiler
