// SPDX-License-Identifier: Apache-2.0
// The visitors of a list of fields. A structure lists its fields once, in a template over the visitor; that
// list is the writer (FieldWriter), the reader (FieldReader) and the printer (FieldReader with a trace).
//
// A number is stored less its smallest allowed value, in 1 or 2 bytes or as a varint (base/bytes.h), and is
// never read outside of its bounds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/sha256.h"
#include "codec/container/stream.h"

namespace vqc {

struct Bounds {
  uint64_t least = 0, most = 0;
};

class FieldWriter {
 public:
  explicit FieldWriter(ByteWriter& out) : out_(out) {}

  template <class T>
  Status U8(const char* name, const T& value, Bounds bounds) {
    VQC_TRY(Check(name, value, bounds));
    out_.U8(static_cast<uint8_t>(value - bounds.least));
    return {};
  }
  template <class T>
  Status U16(const char* name, const T& value, Bounds bounds) {
    VQC_TRY(Check(name, value, bounds));
    out_.U16(static_cast<uint16_t>(value - bounds.least));
    return {};
  }
  template <class T>
  Status Varint(const char* name, const T& value, Bounds bounds) {
    VQC_TRY(Check(name, value, bounds));
    out_.Varint(value - bounds.least);
    return {};
  }
  Status Bytes(const char*, std::span<const uint8_t> value) {
    out_.Append(value);
    return {};
  }

 private:
  static Status Check(const char* name, uint64_t value, Bounds bounds) {
    if (value >= bounds.least && value <= bounds.most) return {};
    return Error{ErrorCode::kLimit, std::string(name) + " is " + std::to_string(value) +
                                        ", a stream can hold " + std::to_string(bounds.least) + " to " +
                                        std::to_string(bounds.most)};
  }

  ByteWriter& out_;
};

class FieldReader {
 public:
  // The trace, if any, gets a line for each field that is read.
  explicit FieldReader(ByteReader& in, std::vector<FieldText>* trace = nullptr) : in_(in), trace_(trace) {}

  template <class T>
  Status U8(const char* name, T& value, Bounds bounds) {
    const size_t start = in_.position();
    return Take(name, start, in_.U8(), value, bounds);
  }
  template <class T>
  Status U16(const char* name, T& value, Bounds bounds) {
    const size_t start = in_.position();
    return Take(name, start, in_.U16(), value, bounds);
  }
  template <class T>
  Status Varint(const char* name, T& value, Bounds bounds) {
    const size_t start = in_.position();
    return Take(name, start, in_.Varint(), value, bounds);
  }
  Status Bytes(const char* name, std::span<uint8_t> value) {
    const size_t start = in_.position();
    const auto bytes = in_.Bytes(value.size());
    if (!in_.ok()) return Bad(name, start);
    std::copy(bytes.begin(), bytes.end(), value.begin());
    Note(name, start, HexOf(bytes));
    return {};
  }
  // Bytes left where they lie.
  Result<std::span<const uint8_t>> View(const char* name, uint64_t size) {
    const size_t start = in_.position();
    const auto bytes = in_.Bytes(size);
    if (!in_.ok()) return Bad(name, start);
    Note(name, start, std::to_string(size) + " bytes");
    return bytes;
  }
  Result<uint32_t> Checksum(const char* name) {
    const size_t start = in_.position();
    const uint32_t value = in_.U32();
    if (!in_.ok()) return Bad(name, start);
    uint8_t bytes[4];
    for (int i = 0; i < 4; ++i) bytes[i] = static_cast<uint8_t>(value >> (8 * i));
    Note(name, start, HexOf(bytes));
    return value;
  }

 private:
  template <class T>
  Status Take(const char* name, size_t start, uint64_t stored, T& value, Bounds bounds) {
    if (!in_.ok()) return Bad(name, start);
    if (stored > bounds.most - bounds.least) {
      return Error{ErrorCode::kCorruptData, "the field " + std::string(name) + " at byte " +
                                                std::to_string(start) + " holds " + std::to_string(stored) +
                                                ", at most " + std::to_string(bounds.most - bounds.least) +
                                                " is allowed; damaged"};
    }
    value = static_cast<T>(stored + bounds.least);
    Note(name, start, std::to_string(stored + bounds.least));
    return {};
  }

  Error Bad(const char* name, size_t start) const {
    const char* why = in_.failure() == ByteReader::Failure::kCutOff
                          ? "cut off"
                          : "damaged (a number in a longer form than it needs)";
    return Error{ErrorCode::kCorruptData,
                 std::string(why) + " at byte " + std::to_string(start) + ", in the field " + name};
  }

  void Note(const char* name, size_t start, std::string value) {
    if (trace_) trace_->push_back({start, in_.position() - start, name, std::move(value)});
  }

  ByteReader& in_;
  std::vector<FieldText>* trace_;
};

}  // namespace vqc
