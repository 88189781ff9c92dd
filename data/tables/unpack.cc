// SPDX-License-Identifier: Apache-2.0
#include "data/tables/unpack.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <climits>
#include <optional>

#include "data/tables/snappy.h"

namespace vqc {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t kZstdBlock = 128u << 10;  // bytes, and at least 3 when packed
constexpr size_t kDeflateRatio = 1032;     // at most

std::optional<Bytes> UnpackZstd(std::span<const uint8_t> packed, size_t size) {
  if (size / kZstdBlock * 3 > packed.size()) return std::nullopt;
  Bytes bytes(size);
  if (ZSTD_decompress(bytes.data(), size, packed.data(), packed.size()) != size) return std::nullopt;
  return bytes;
}

// Streams of gzip one after another, as its format allows; of zlib too.
std::optional<Bytes> UnpackGzip(std::span<const uint8_t> packed, size_t size) {
  if (size / kDeflateRatio > packed.size() || packed.size() > UINT_MAX || size >= UINT_MAX)
    return std::nullopt;
  Bytes bytes(std::max<size_t>(size, 1));
  z_stream stream{};
  constexpr int kWindowBits = 15, kEitherHead = 32;
  if (inflateInit2(&stream, kWindowBits + kEitherHead) != Z_OK) return std::nullopt;
  stream.next_in = const_cast<Bytef*>(packed.data());  // zlib does not write there
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = bytes.data();
  stream.avail_out = static_cast<uInt>(size);
  int state = inflate(&stream, Z_FINISH);
  while (state == Z_STREAM_END && stream.avail_in > 0 && inflateReset(&stream) == Z_OK)
    state = inflate(&stream, Z_FINISH);
  const bool whole = state == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  if (!whole) return std::nullopt;
  bytes.resize(size);
  return bytes;
}

std::optional<Bytes> Unpacked(std::span<const uint8_t> packed, size_t size, Compression compression) {
  switch (compression) {
    case Compression::kSnappy:
      return UnpackSnappy(packed, size);
    case Compression::kGzip:
      return UnpackGzip(packed, size);
    case Compression::kZstd:
      return UnpackZstd(packed, size);
    default:
      if (packed.size() != size) return std::nullopt;
      return Bytes(packed.begin(), packed.end());
  }
}

}  // namespace

const std::string_view kReadCompressions = "none, snappy, gzip and zstd";

bool IsReadCompression(int64_t number) { return number == 0 || number == 1 || number == 2 || number == 6; }

Result<Bytes> Unpack(std::span<const uint8_t> packed, size_t size, Compression compression) {
  if (auto bytes = Unpacked(packed, size, compression)) return std::move(*bytes);
  return Error{ErrorCode::kInput,
               "a page cannot be unpacked; the file is damaged, copy it again from its source"};
}

}  // namespace vqc
