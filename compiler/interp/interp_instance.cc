// SPDX-License-Identifier: Apache-2.0
#include "compiler/interp/interp_instance.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <utility>

#include "compiler/compiler.h"
#include "compiler/interp/function_names.h"
#include "engine/detail/context.h"

#include <pthread.h>

namespace inlay::compiler::interp {
namespace {

using engine::Trap;
using engine::TrapKind;
using engine::Value;

using Clock = std::chrono::steady_clock;

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

// A century at most, which the clock's nanoseconds still hold.
std::chrono::milliseconds times(std::chrono::milliseconds budget, int factor) {
  constexpr std::chrono::milliseconds kMost = std::chrono::years(100);
  return budget > kMost / factor ? kMost : budget * factor;
}

}  // namespace

// Depth counts the calls that are running; the outermost starts the clock.
class InterpInstance::Depth {
 public:
  explicit Depth(InterpInstance& instance) : instance_(instance) {
    if (instance_.depth_++ != 0) return;
    instance_.started_ = Clock::now();
    instance_.hopeless_ = instance_.native_code() == NativeCode::kNever;
    instance_.overtaken_.reset();
  }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;
  ~Depth() { --instance_.depth_; }

 private:
  InterpInstance& instance_;
};

InterpInstance::InterpInstance(std::shared_ptr<engine::Module> module, std::shared_ptr<const Program> program,
                               const std::vector<const engine::HostFunction*>& imports, void* env,
                               const engine::Limits& limits, std::shared_ptr<Recorder> recorder)
    : engine::Instance(std::move(module), limits),
      imports_(imports),
      env_(env),
      machine_(std::make_unique<Machine>(
          *program, Hooks{this, &InterpInstance::on_host, &InterpInstance::on_check},
          MachineLimits{std::min<uint64_t>(limits.max_memory_bytes / 65536, 65536), limits.max_table_elements})),
      program_(std::move(program)),
      recorder_(std::move(recorder)) {
  attention_.fetch_or(engine::detail::kAttentionInterpreted, std::memory_order_relaxed);
}

InterpInstance::~InterpInstance() {
  if (recorder_ == nullptr || recorder_->globals.empty() || machine_ == nullptr) return;
  const std::vector<Bits> last = machine_->last_globals(recorder_->globals.size());
  for (size_t i = 0; i < last.size(); ++i) recorder_->globals[i] += last[i];
}

Result<> InterpInstance::start() {
  std::string message;
  const Recorder::Span span(recorder_.get(), Recorder::Span::Side::kGuest);
  const Depth depth(*this);
  const Outcome outcome = machine_->instantiate(&message);
  refresh_span();
  if (outcome == Outcome::kOk && !dead()) return {};
  if (outcome == Outcome::kExhausted) return Error{ErrorCode::kResourceExhausted, message, {}};
  die(outcome, message);
  const bool late = trap_.kind == TrapKind::kDeadlineExceeded;
  return Error{
      late ? ErrorCode::kDeadlineExceeded : ErrorCode::kTrap, "the module's start trapped: " + trap_.message, {}};
}

Result<Unit, Trap> InterpInstance::call_generic(uint32_t index, std::span<const Value> args, Value* result) {
  if (index == 0) return Trap{TrapKind::kHost, "an empty function handle was called"};
  std::vector<Bits> bits(args.size() + 1);
  std::transform(args.begin(), args.end(), bits.begin(), to_bits);
  Bits returned = 0;
  std::string message;
  const Depth depth(*this);
  const uint32_t outer = std::exchange(called_, index);
  const Recorder::Span span(recorder_.get(), Recorder::Span::Side::kGuest);
  if (recorder_ != nullptr) ++recorder_->exports[index - 1];
  const Outcome outcome = machine_->call(index - 1, bits.data(), &returned, &message);
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

void InterpInstance::stop_interpreting() {
  machine_.reset();
  program_.reset();
  attention_.fetch_and(static_cast<uint8_t>(~engine::detail::kAttentionInterpreted), std::memory_order_relaxed);
}

void InterpInstance::refresh_span() {
  memory_data_ = machine_->memory_data();
  memory_size_ = machine_->memory_size();
}

bool InterpInstance::late() {
  const std::chrono::milliseconds budget = limits_.call_budget;
  if (budget.count() <= 0) return false;
  const auto now = Clock::now();
  if (hopeless_) return now - started_ > times(budget, 1);
  if (now - started_ > times(budget, kInterpretedBudgetFactor)) return true;
  if (native_code() == NativeCode::kComing) return false;
  if (!overtaken_) overtaken_ = now;
  return now - *overtaken_ > times(budget, kOvertakenBudgets);
}

// With the words of the other engine, which name the call; `own` are wabt's, for what has no kind of its own.
Trap InterpInstance::trap(TrapKind kind, const std::string& own) const {
  std::string message = kind == TrapKind::kHost && !own.empty() ? own : std::string(engine::detail::sentence(kind));
  if (called_ != 0) message += " in " + module_->exports()[called_ - 1].name;
  return {kind, std::move(message)};
}

// Unless it is dead already, in which case the trap is only told where that was.
void InterpInstance::die(Outcome outcome, const std::string& message) {
  switch (outcome) {
    case Outcome::kTrap:
      kill(trap(kind_of(message), message));
      break;
    case Outcome::kException:
      kill(trap(TrapKind::kUncaughtException));
      break;
    default:
      kill(trap(TrapKind::kHost));
  }
  if (trap_.backtrace.empty()) trap_.backtrace = backtrace();
}

std::string InterpInstance::backtrace() const {
  std::string lines;
  size_t number = 0;
  for (const RunningFunction& running : machine_->backtrace()) {
    lines += "  " + std::to_string(number++) + ": " + function_name(program_->function_names(), running.function);
    if (running.offset != 0) {
      char offset[20];
      std::snprintf(offset, sizeof offset, " @ 0x%" PRIx32, running.offset);
      lines += offset;
    }
    lines += "\n";
  }
  if (!lines.empty()) lines.pop_back();
  return lines;
}

bool InterpInstance::stop_if_late() {
  if (stopped()) kill(trap(TrapKind::kHost));
  if (late()) kill(trap(TrapKind::kDeadlineExceeded));
  return dead();
}

bool InterpInstance::call_host(uint32_t index, const Bits* args, Bits* result) {
  if (static_cast<const char*>(__builtin_frame_address(0)) < stack_low() + limits_.stack_headroom_bytes) {
    kill(trap(TrapKind::kStackExhausted));
    return false;
  }
  const Recorder::Span span(recorder_.get(), Recorder::Span::Side::kHost);
  if (recorder_ != nullptr) ++recorder_->imports[index];
  const engine::HostFunction& function = *imports_[index];
  std::vector<Value> values(function.params.size() + 1);
  for (size_t i = 0; i < function.params.size(); ++i) values[i] = to_value(args[i]);
  refresh_span();
  Value returned{};
  function.generic(function.native, env_, values.data(), &returned);
  *result = to_bits(returned);
  return !stop_if_late();
}

}  // namespace inlay::compiler::interp
