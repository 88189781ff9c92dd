// SPDX-License-Identifier: Apache-2.0
#include "python/errors.h"

#include <nanobind/nanobind.h>

namespace vqc::python {
namespace {

namespace nb = nanobind;

const char* ClassOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
    case ErrorCode::kExists:
      return "UsageError";
    case ErrorCode::kInput:
      return "InputError";
    case ErrorCode::kLimit:
      return "LimitError";
    case ErrorCode::kCorruptData:
      return "CorruptDataError";
    case ErrorCode::kModel:
      return "ModelError";
    case ErrorCode::kResource:
    case ErrorCode::kOutput:
      return "ResourceError";
    case ErrorCode::kInternal:
      break;
  }
  return "Error";
}

}  // namespace

void TranslateFailures() {
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Failure& failure) {
      const nb::object type = nb::module_::import_("vqcodec.errors").attr(ClassOf(failure.error().code));
      PyErr_SetString(type.ptr(), failure.error().message.c_str());
    }
  });
}

}  // namespace vqc::python
