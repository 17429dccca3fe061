// SPDX-License-Identifier: Apache-2.0
#include "engine/interp/interp_module.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstring>
#include <utility>

#include "engine/detail/context.h"
#include "engine/interp/wabt_machine.h"

#include <pthread.h>

namespace inlay::engine::interp {
namespace {

using Clock = std::chrono::steady_clock;

class InterpModule final : public Module {
 public:
  explicit InterpModule(std::span<const uint8_t> bytes) : bytes_(bytes.begin(), bytes.end()) {}
  EngineKind kind() const override { return EngineKind::kInterp; }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

Bits to_bits(const Value& value) {
  Bits bits = 0;
  static_assert(sizeof value == sizeof bits);
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

Value to_value(Bits bits) {
  return std::bit_cast<Value>(bits);
}

// Which kind of trap a text of wabt's is. The longer comes first where two begin alike.
struct Wording {
  std::string_view start;
  TrapKind kind;
};
constexpr std::array kWordings = {
    Wording{"unreachable", TrapKind::kUnreachable},
    Wording{"out of bounds memory access", TrapKind::kMemoryOutOfBounds},
    Wording{"out of bounds table access", TrapKind::kTableOutOfBounds},
    Wording{"integer overflow", TrapKind::kIntegerOverflow},
    Wording{"integer divide by zero", TrapKind::kDivideByZero},
    Wording{"invalid conversion", TrapKind::kInvalidConversion},
    Wording{"undefined table index", TrapKind::kIndirectCall},
    Wording{"uninitialized table element", TrapKind::kIndirectCall},
    Wording{"indirect call signature mismatch", TrapKind::kIndirectCall},
    Wording{"call stack exhausted", TrapKind::kStackExhausted},
    Wording{"uncaught exception", TrapKind::kUncaughtException},
};

TrapKind kind_of(std::string_view message) {
  const auto found = std::find_if(kWordings.begin(), kWordings.end(),
                                  [&](const Wording& wording) { return message.starts_with(wording.start); });
  return found == kWordings.end() ? TrapKind::kHost : found->kind;
}

// The lowest address that this thread's stack may use.
const char* stack_low() {
  thread_local const char* low = [] {
    pthread_attr_t attributes;
    void* address = nullptr;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
      pthread_attr_getstack(&attributes, &address, &size);
      pthread_attr_destroy(&attributes);
    }
    return static_cast<const char*>(address);
  }();
  return low;
}

class InterpInstance final : public Instance {
 public:
  InterpInstance(std::shared_ptr<Module> module, const std::vector<const HostFunction*>& imports, void* env,
                 const Limits& limits)
      : Instance(std::move(module), limits),
        imports_(imports.begin(), imports.end()),
        env_(env),
        machine_(code().data(), code().size(), {this, &InterpInstance::on_host, &InterpInstance::on_check},
                 {std::min<uint64_t>(limits.max_memory_bytes / 65536, 65536), limits.max_table_elements}) {}

  Result<> start() {
    std::string message;
    const Depth depth(*this);
    const Outcome outcome = machine_.instantiate(&message);
    refresh_span();
    if (outcome == Outcome::kOk && !dead()) return {};
    if (outcome == Outcome::kExhausted) return Error{ErrorCode::kResourceExhausted, message, {}};
    die(outcome, message);
    return Error{ErrorCode::kTrap, "the module's start trapped: " + trap_.message, {}};
  }

 protected:
  Result<Unit, Trap> call_generic(uint32_t index, std::span<const Value> args, Value* result) override {
    if (index == 0) return Trap{TrapKind::kHost, "an empty function handle was called"};
    std::vector<Bits> bits(args.size() + 1);
    std::transform(args.begin(), args.end(), bits.begin(), to_bits);
    Bits returned = 0;
    std::string message;
    const Depth depth(*this);
    const uint32_t outer = std::exchange(called_, index);
    const Outcome outcome = machine_.call(index - 1, bits.data(), &returned, &message);
    refresh_span();
    if (outcome != Outcome::kOk || dead()) {
      die(outcome, message);
      called_ = outer;
      return trap_;
    }
    called_ = outer;
    *result = to_value(returned);
    return Unit{};
  }

  detail::ResolvedExport resolve(uint32_t export_index) const override { return {nullptr, export_index + 1}; }

 private:
  // Depth counts the calls that are running; the outermost starts the clock.
  class Depth {
   public:
    explicit Depth(InterpInstance& instance) : instance_(instance) {
      if (instance_.depth_++ == 0) instance_.started_ = Clock::now();
    }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    ~Depth() { --instance_.depth_; }

   private:
    InterpInstance& instance_;
  };

  const std::vector<uint8_t>& code() const { return static_cast<const InterpModule&>(*module_).bytes(); }

  void refresh_span() {
    memory_data_ = machine_.memory_data();
    memory_size_ = machine_.memory_size();
  }

  bool late() const { return limits_.call_budget.count() > 0 && Clock::now() - started_ > limits_.call_budget; }

  // With the words of the other engine, which name the call; `own` are wabt's, for what has no kind of its own.
  Trap trap(TrapKind kind, const std::string& own = {}) const {
    std::string message = kind == TrapKind::kHost && !own.empty() ? own : std::string(detail::sentence(kind));
    if (called_ != 0) message += " in " + module_->exports()[called_ - 1].name;
    return {kind, std::move(message)};
  }

  void die(Outcome outcome, const std::string& message) {
    switch (outcome) {
      case Outcome::kTrap:
        return kill(trap(kind_of(message), message));
      case Outcome::kException:
        return kill(trap(TrapKind::kUncaughtException));
      default:
        return kill(trap(TrapKind::kHost));
    }
  }

  bool stop_if_late() {
    if (late()) kill(trap(TrapKind::kDeadlineExceeded));
    return dead();
  }

  static bool on_check(void* self) { return static_cast<InterpInstance*>(self)->stop_if_late(); }

  static bool on_host(void* self, uint32_t index, const Bits* args, Bits* result) {
    return static_cast<InterpInstance*>(self)->call_host(index, args, result);
  }

  bool call_host(uint32_t index, const Bits* args, Bits* result) {
    if (static_cast<const char*>(__builtin_frame_address(0)) < stack_low() + limits_.stack_headroom_bytes) {
      kill(trap(TrapKind::kStackExhausted));
      return false;
    }
    const HostFunction& function = *imports_[index];
    std::vector<Value> values(function.params.size() + 1);
    for (size_t i = 0; i < function.params.size(); ++i) values[i] = to_value(args[i]);
    refresh_span();
    Value returned{};
    function.generic(function.native, env_, values.data(), &returned);
    *result = to_bits(returned);
    return !stop_if_late();
  }

  std::vector<const HostFunction*> imports_;
  void* env_;
  int depth_ = 0;
  uint32_t called_ = 0;  // the export that runs, plus one; 0: the module's start
  Clock::time_point started_;
  Machine machine_;
};

}  // namespace

Result<std::shared_ptr<Module>> load(std::span<const uint8_t> bytes) {
  return std::shared_ptr<Module>(std::make_shared<InterpModule>(bytes));
}

Result<std::unique_ptr<Instance>> instantiate(std::shared_ptr<Module> module,
                                              const std::vector<const HostFunction*>& imports, void* env,
                                              const Limits& limits) {
  auto instance = std::make_unique<InterpInstance>(std::move(module), imports, env, limits);
  INLAY_TRY([[maybe_unused]] auto started, instance->start());
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace inlay::engine::interp
