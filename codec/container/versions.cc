// SPDX-License-Identifier: Apache-2.0
// The versions of the stream. A row is never removed, and what it names is never changed once its version is
// frozen (docs/format.md); a new version is a new row. Streams are written in the version of the last row.
#include <algorithm>
#include <iterator>

#include "base/beyond_limit.h"
#include "base/within_memory.h"
#include "codec/container/stream.h"
#include "codec/container/v1.h"

namespace vqc {
namespace {

struct VersionRow {
  uint8_t version;
  Result<std::vector<uint8_t>> (*write)(const Stream&);
  Result<Stream> (*read)(std::span<const uint8_t>, const Limits&);
  Result<Stream> (*salvage)(std::span<const uint8_t>, const Limits&, SalvageReport&);
  Result<StreamLayout> (*layout)(std::span<const uint8_t>, const Limits&);
  Result<std::vector<FieldText>> (*describe)(std::span<const uint8_t>, const Limits&);
};
constexpr VersionRow kVersions[] = {
    {1, &v1::Write, &v1::Read, &v1::Salvage, &v1::Layout, &v1::Describe},
};

// Of every version: three bytes, then the version with the form in its top bit.
constexpr uint8_t kSignature[] = {0x8F, 'V', 'Q'};
constexpr uint8_t kWideForm = 0x80;

Result<const VersionRow*> RowOf(std::span<const uint8_t> bytes, const Limits& limits) {
  if (bytes.size() > limits.max_input_bytes) {
    return BeyondLimit("the stream has " + std::to_string(bytes.size()) + " bytes", "max_input_bytes",
                       limits.max_input_bytes);
  }
  if (bytes.empty()) return Error{ErrorCode::kCorruptData, "is empty; not a .vqc stream"};
  if (!LooksLikeStream(bytes)) {
    const size_t common = std::min(bytes.size(), std::size(kSignature));
    const bool cut =
        bytes.size() <= std::size(kSignature) && std::equal(kSignature, kSignature + common, bytes.begin());
    return Error{ErrorCode::kCorruptData, cut ? "is cut off after " + std::to_string(bytes.size()) + " bytes"
                                              : "is not a .vqc stream: it does not begin with 8F 56 51"};
  }
  const uint8_t version = bytes[std::size(kSignature)];
  for (const VersionRow& row : kVersions) {
    if (row.version == version) return &row;
  }
  const std::string form = version & kWideForm ? " in the wide form" : "";
  return Error{ErrorCode::kInput, "is of version " + std::to_string(version & ~kWideForm) + form +
                                      " of the format, this program reads up to " +
                                      std::to_string(std::rbegin(kVersions)->version) +
                                      " in the compact form; update vqcodec, or the stream is damaged"};
}

}  // namespace

bool LooksLikeStream(std::span<const uint8_t> bytes) {
  return bytes.size() > std::size(kSignature) &&
         std::equal(std::begin(kSignature), std::end(kSignature), bytes.begin());
}

Result<std::vector<uint8_t>> WriteStream(const Stream& stream) {
  return WithinMemory(
      [&]() -> Result<std::vector<uint8_t>> { return std::rbegin(kVersions)->write(stream); });
}

Result<Stream> ReadStream(std::span<const uint8_t> bytes, const Limits& limits) {
  return WithinMemory([&]() -> Result<Stream> {
    VQC_ASSIGN(const VersionRow* row, RowOf(bytes, limits));
    return row->read(bytes, limits);
  });
}

Result<Stream> SalvageStream(std::span<const uint8_t> bytes, const Limits& limits, SalvageReport& report) {
  return WithinMemory([&]() -> Result<Stream> {
    report = {};
    VQC_ASSIGN(const VersionRow* row, RowOf(bytes, limits));
    return row->salvage(bytes, limits, report);
  });
}

Result<StreamLayout> LayoutOf(std::span<const uint8_t> bytes, const Limits& limits) {
  return WithinMemory([&]() -> Result<StreamLayout> {
    VQC_ASSIGN(const VersionRow* row, RowOf(bytes, limits));
    return row->layout(bytes, limits);
  });
}

Result<std::vector<FieldText>> DescribeStream(std::span<const uint8_t> bytes, const Limits& limits) {
  return WithinMemory([&]() -> Result<std::vector<FieldText>> {
    VQC_ASSIGN(const VersionRow* row, RowOf(bytes, limits));
    return row->describe(bytes, limits);
  });
}

}  // namespace vqc
