// SPDX-License-Identifier: Apache-2.0
// Errors as values: functions that can fail return Result<T> (or Status) and do not throw.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace vqc {

// What went wrong, in the terms of whoever called the program. The exit codes that belong to them
// are in apps/vqcodec/exit_code.h.
enum class ErrorCode {
  kUsage,        // the request makes no sense: a bad option, a bad combination
  kExists,       // the output is there already and may not be overwritten
  kInput,        // the input cannot be read or is of no supported kind
  kLimit,        // the input is beyond a limit (base/limits.h)
  kCorruptData,  // an encoded stream is damaged, cut off or not one of ours
  kModel,        // a model is missing, damaged, or not the one that the stream needs
  kResource,     // memory or a device could not be had
  kOutput,       // the output could not be written
  kInternal,     // a broken promise of our own
};

// A message names the thing, the value found, the value allowed and what to do.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok()
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  // REQUIRES: !ok()
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT: implicit by design

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool ok_ = true;
};

using Status = Result<void>;

// Returns the error of `expr`, a Status or Result, to the caller.
#define VQC_TRY(expr)                                                    \
  do {                                                                   \
    auto vqc_status_ = (expr);                                           \
    if (!vqc_status_.ok()) return ::vqc::Error(std::move(vqc_status_).error()); \
  } while (false)

// Declares `decl` and gives it the value of `expr`, or returns the error to the caller.
#define VQC_ASSIGN(decl, expr) VQC_ASSIGN_IMPL_(VQC_CONCAT_(vqc_result_, __LINE__), decl, expr)
#define VQC_ASSIGN_IMPL_(result, decl, expr)                          \
  auto result = (expr);                                               \
  if (!result.ok()) return ::vqc::Error(std::move(result).error());   \
  decl = std::move(*result)
#define VQC_CONCAT_(a, b) VQC_CONCAT_IMPL_(a, b)
#define VQC_CONCAT_IMPL_(a, b) a##b

}  // namespace vqc
