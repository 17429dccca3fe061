// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <memory>
#include <vector>

#include "engine/aot/code.h"

namespace inlay::engine::aot {

// NativeGuest is what an Instance is made of where native code runs it: the generated code's instance, and what that
// sees of us.
class NativeGuest {
 public:
  // `data` and `size` are where the Instance keeps the span of its memory.
  NativeGuest(Instance& owner, std::vector<NativeFunction> imports, void* env, const Limits& limits, uint8_t** data,
              size_t* size);
  NativeGuest(const NativeGuest&) = delete;
  NativeGuest& operator=(const NativeGuest&) = delete;

  AotContext& context() { return context_; }
  void* guest() const { return storage_.get(); }  // what an export's first argument is
  // What Function handles point to: never moves. What stands there is null before prepare(), and not to be called
  // before an instance has been brought about with it.
  const NativeFunction* slot(uint32_t export_index) const { return &exports_[export_index]; }
  // Whether a call into this instance is running on this thread.
  bool called() const;

  // Makes room for an instance of this code; false if there is none.
  bool prepare(const Code& code);
  // Undoes prepare() and what came after it.
  void abandon();
  // Lets handles lead to this code, which is of the layout of that of prepare(); false if they do already. References
  // in tables are the caller's to redirect.
  bool take(const Code& code);

  // The way to what the guest keeps between calls; after prepare().
  const State& state() const { return *code_->descriptor().state; }

  // Makes memories and tables and fills them, which may trap in all the ways that a call may: to be run within one.
  void allocate();
  // allocate() of a NativeGuest, and the start function: to be run as if it were a function of the guest's, with the
  // NativeGuest in place of the generated code's instance.
  static void instantiate(void* native);

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  const Code* code_ = nullptr;
  std::vector<NativeFunction> exports_;
  std::vector<NativeFunction> imports_;
  std::unique_ptr<void, Free> storage_;  // before context_: its tables are in it
  AotContext context_;
};

// The functions themselves, for GuestContext::imports.
std::vector<NativeFunction> natives(const std::vector<const HostFunction*>& imports);

}  // namespace inlay::engine::aot
