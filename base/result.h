// SPDX-License-Identifier: Apache-2.0
#pragma once

// Result<T, E>: a value or an error, the return type of everything that can fail in this tree.
//
// No exceptions, no allocation of its own, usable in a guest (wasm32, -fno-exceptions) and natively.
//
//     Result<int> parse(std::string_view text) {
//       if (text.empty()) return Error{ErrorCode::kInvalidArgument, "the text is empty; a number was expected"};
//       return 42;
//     }
//     if (auto n = parse(s)) use(*n); else report(n.error().message);
//     INLAY_TRY(auto n, parse(s));   // returns the error to the caller

#include <cstdint>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

namespace inlay {

// ErrorCode says what kind of failure it was, for code that has to decide; people read Error::message.
enum class ErrorCode : uint8_t {
  kInvalidArgument,     // the input is wrong: configuration, module bytes, an argument
  kNotFound,            // a named thing does not exist
  kUnsupported,         // valid, but not something that Inlay (or this engine) does
  kUnavailable,         // the other side cannot be reached now; trying again may help
  kDeadlineExceeded,    // took longer than allowed
  kResourceExhausted,   // a limit was reached
  kFailedPrecondition,  // right call, wrong moment
  kTrap,                // a guest trapped
  kIo,                  // the operating system said no
  kInternal,            // a defect of Inlay
};

// Error is what went wrong. `message` says what was wrong and what would be right; `where` is the place
// (file:line:column, a field's path, a module's function), empty if there is none.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string where;

  // "where: message", or the message alone.
  std::string to_string() const { return where.empty() ? message : where + ": " + message; }
};

struct Unit {};

// Result holds either a T or an E. Reading the wrong one is a defect of the caller and is undefined.
template <class T = Unit, class E = Error>
class [[nodiscard]] Result {
  static_assert(!std::is_same_v<T, E> && !std::is_reference_v<T>);

 public:
  using value_type = T;
  using error_type = E;

  Result() requires std::is_same_v<T, Unit> : ok_(true) { ::new (static_cast<void*>(&value_)) T(); }
  template <class U = T>
  requires std::is_constructible_v<T, U&&> &&
      (!std::is_same_v<std::remove_cvref_t<U>, Result>)&&(!std::is_same_v<std::remove_cvref_t<U>, E>)Result(U&& value)
      : ok_(true) {  // NOLINT: implicit, so that `return value;` reads well
    ::new (static_cast<void*>(&value_)) T(std::forward<U>(value));
  }
  Result(E error) : ok_(false) { ::new (static_cast<void*>(&error_)) E(std::move(error)); }  // NOLINT: implicit
  Result(Result&& other) noexcept : ok_(other.ok_) {
    if (ok_)
      ::new (static_cast<void*>(&value_)) T(std::move(other.value_));
    else
      ::new (static_cast<void*>(&error_)) E(std::move(other.error_));
  }
  Result(const Result& other) : ok_(other.ok_) {
    if (ok_)
      ::new (static_cast<void*>(&value_)) T(other.value_);
    else
      ::new (static_cast<void*>(&error_)) E(other.error_);
  }
  Result& operator=(Result other) noexcept {
    destroy();
    ::new (static_cast<void*>(this)) Result(std::move(other));
    return *this;
  }
  ~Result() { destroy(); }

  bool has_value() const { return ok_; }
  explicit operator bool() const { return ok_; }

  T& operator*() & { return value_; }
  const T& operator*() const& { return value_; }
  T&& operator*() && { return std::move(value_); }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  T& value() & { return value_; }
  const T& value() const& { return value_; }
  T&& value() && { return std::move(value_); }
  template <class U>
  T value_or(U&& other) const& {
    return ok_ ? value_ : static_cast<T>(std::forward<U>(other));
  }

  E& error() & { return error_; }
  const E& error() const& { return error_; }
  E&& error() && { return std::move(error_); }

 private:
  void destroy() {
    if (ok_)
      value_.~T();
    else
      error_.~E();
  }

  union {
    T value_;
    E error_;
  };
  bool ok_;
};

}  // namespace inlay

#define INLAY_CONCAT_(a, b) a##b
#define INLAY_CONCAT(a, b) INLAY_CONCAT_(a, b)
#define INLAY_TRY_(tmp, declaration, expression) \
  auto tmp = (expression);                       \
  if (!tmp) [[unlikely]]                         \
    return std::move(tmp).error();               \
  declaration = *std::move(tmp)
// INLAY_TRY(declaration, expression): declares from the value, or returns the error to the caller.
#define INLAY_TRY(declaration, expression) INLAY_TRY_(INLAY_CONCAT(inlay_try_, __LINE__), declaration, expression)
