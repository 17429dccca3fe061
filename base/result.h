// SPDX-License-Identifier: Apache-2.0
#pragma once

// Result<T, E>: a value or an error, the return type of everything that can fail in this tree.
//
// It throws nothing, allocates nothing of its own, and works in a guest (wasm32, -fno-exceptions) and natively. A
// Result that a caller does not look at is a compiler's warning. It is as thread-safe as the T and E in it.
//
//     Result<uint16_t> parse_port(std::string_view text) {
//       if (text != "8080") return Error{ErrorCode::kInvalidArgument, "the port is not 8080", "listener.port"};
//       return uint16_t{8080};
//     }
//     Result<std::string> endpoint(std::string_view text) {
//       INLAY_TRY(const uint16_t port, parse_port(text));  // on an error, returns it from endpoint()
//       return "127.0.0.1:" + std::to_string(port);
//     }
//     std::string describe(std::string_view text) {
//       const Result<std::string> made = endpoint(text);
//       return made ? *made : made.error().to_string();  // "listener.port: the port is not 8080"
//     }

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
  std::string message{};
  std::string where{};

  // "where: message", or the message alone.
  std::string to_string() const { return where.empty() ? message : where + ": " + message; }
};

// Unit is the value of a Result that has none: `return {};` is success, and Result<> is short for Result<Unit, Error>.
struct Unit {};

// Result holds either a T or an E, which are different types; neither is a reference. Both convert to a Result, so that
// a function returns either as it is. It can be moved where both can, and copied where both can. A Result that was
// moved from still holds what it held, in the state that moving left it in.
//
// Reading the one that it does not hold is a defect of the caller, and undefined behaviour: ask has_value() before.
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

  // The value, which is there only if has_value(). References live as long as this Result, and until it is assigned to.
  T& operator*() & { return value_; }
  const T& operator*() const& { return value_; }
  T&& operator*() && { return std::move(value_); }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  T& value() & { return value_; }
  const T& value() const& { return value_; }
  T&& value() && { return std::move(value_); }
  // A copy of the value, or `other` in its place.
  template <class U>
  T value_or(U&& other) const& {
    return ok_ ? value_ : static_cast<T>(std::forward<U>(other));
  }

  // The error, which is there only if not has_value().
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
// INLAY_RETURN_IF_ERROR(expression): returns the error of `expression`, a Result, from the function around it, which
// returns a Result of the same E. One statement.
#define INLAY_RETURN_IF_ERROR(expression)                               \
  do {                                                                  \
    if (auto inlay_checked = (expression); !inlay_checked) [[unlikely]] \
      return std::move(inlay_checked).error();                          \
  } while (false)
// INLAY_TRY(declaration, expression): declares from the value of `expression`, a Result; or returns its error from the
// function around it, which returns a Result of the same E. It expands to several statements, so that an `if` or a loop
// around it needs braces, and to a name made of the line's number, so that a line has room for one.
#define INLAY_TRY(declaration, expression) INLAY_TRY_(INLAY_CONCAT(inlay_try_, __LINE__), declaration, expression)
