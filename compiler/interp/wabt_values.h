// SPDX-License-Identifier: Apache-2.0
#pragma once

// wabt's types and numbers as wabt_machine.h has them, and back. C++17, as wabt_machine.cc, which alone includes this.

#include <wabt/feature.h>
#include <wabt/interp/interp.h>

#include <cstdint>
#include <string>

#include "compiler/interp/wabt_machine.h"

namespace inlay::compiler::interp {

// What wabt takes for `proposals`, a set of Proposal's bits. What is on by default differs between wabt's versions:
// nothing is left to it.
wabt::Features features(uint32_t proposals);

// A number of `type`; of other types than numbers 0.
wabt::interp::Value to_value(wabt::Type type, Bits bits);
Bits to_bits(wabt::Type type, const wabt::interp::Value& value);

Extern make_extern(const std::string& module, const std::string& name, const wabt::interp::ExternType& type);

Snapshot::Kind snapshot_kind(wabt::Type type);

}  // namespace inlay::compiler::interp
