// SPDX-License-Identifier: Apache-2.0
#pragma once

// Foreign functions: what proxy_call_foreign_function reaches by name. They are Envoy's (source/extensions/common/wasm/
// foreign.cc): the same names, argument forms, results and statuses. The table is in foreign.cc, the functions in
// foreign_*.cc; docs/reference/abi.md is made from the table.
//
// A function runs on the guest's thread inside of its call. `argument` is guest memory, valid until the function
// returns; `result` comes empty and is handed to the guest only with kOk.

#include <span>
#include <string>
#include <string_view>

#include "abi/types.h"

namespace inlay::host {

class Vm;

struct ForeignFunction {
  std::string_view name;
  // nullptr: known and left out. The guest gets kNotFound, as from an Envoy without it, and the log says why.
  abi::Status (*call)(Vm& vm, std::string_view argument, std::string& result);
  std::string_view note;  // for the reference: what goes in, what comes out, what may go wrong
};

std::span<const ForeignFunction> foreign_functions();
// nullptr: there is none of that name.
const ForeignFunction* find_foreign_function(std::string_view name);

namespace foreign {

abi::Status clear_route_cache(Vm& vm, std::string_view argument, std::string& result);
abi::Status declare_property(Vm& vm, std::string_view argument, std::string& result);
abi::Status set_envoy_filter_state(Vm& vm, std::string_view argument, std::string& result);
abi::Status compress(Vm& vm, std::string_view argument, std::string& result);
abi::Status uncompress(Vm& vm, std::string_view argument, std::string& result);
abi::Status verify_signature(Vm& vm, std::string_view argument, std::string& result);
abi::Status sign(Vm& vm, std::string_view argument, std::string& result);

}  // namespace foreign
}  // namespace inlay::host
