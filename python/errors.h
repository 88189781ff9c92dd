// SPDX-License-Identifier: Apache-2.0
// Errors of the library as Python exceptions.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "base/result.h"

namespace vqc::python {

// Becomes the exception of vqcodec.errors that its code belongs to.
class Failure : public std::exception {
 public:
  explicit Failure(Error error) : error_(std::move(error)) {}
  const Error& error() const { return error_; }
  const char* what() const noexcept override { return error_.message.c_str(); }

 private:
  Error error_;
};

template <class T>
T Take(Result<T> result) {
  if (!result.ok()) throw Failure(std::move(result).error());
  return std::move(*result);
}
inline void Check(const Status& status) {
  if (!status.ok()) throw Failure(status.error());
}

void TranslateFailures();  // once, when the module is made

}  // namespace vqc::python
