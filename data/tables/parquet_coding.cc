// SPDX-License-Identifier: Apache-2.0
#include "data/tables/parquet_coding.h"

#include <algorithm>
#include <string>

namespace vqc {
namespace {

enum Encoding : int64_t {
  kPlain = 0,
  kPlainDictionary = 2,
  kRle = 3,
  kDeltaNumbers = 5,
  kDeltaLengths = 6,
  kDeltaBytes = 7,
  kRleDictionary = 8,
  kSplitBytes = 9
};
constexpr uint64_t kMaxBlock = 1u << 16;  // numbers of a block of deltas; writers use 128
constexpr uint64_t kMaxWidth = 64;

Error CutOff() {
  return {ErrorCode::kInput,
          "a page's values are cut off; the file is damaged, copy it again from its source"};
}

int64_t UnZigZag(uint64_t value) { return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1)); }

// The number of `width` bits, the lowest first, that begins at bit `at`.
uint64_t BitsAt(std::span<const uint8_t> bytes, uint64_t at, int width) {
  uint64_t value = 0;
  for (int b = 0; b < width; ++b, ++at) value |= uint64_t{bytes[at / 8] >> (at % 8) & 1u} << b;
  return value;
}

}  // namespace

std::optional<std::vector<uint32_t>> ReadRuns(std::span<const uint8_t> bytes, int width, size_t count) {
  if (width == 0) return std::vector<uint32_t>(count);
  if (width > 32) return std::nullopt;
  std::vector<uint32_t> values;
  ByteReader reader(bytes);
  const auto value_bytes = static_cast<uint64_t>(width + 7) / 8, bits = static_cast<uint64_t>(width);
  while (values.size() < count) {
    const uint64_t head = reader.Varint();
    const uint64_t wanted = count - values.size();
    if (!reader.ok() || head >> 1 == 0) return std::nullopt;
    if (head % 2 == 0) {
      uint32_t value = 0;
      for (uint64_t i = 0; i < value_bytes; ++i) value |= uint32_t{reader.U8()} << (8 * i);
      if (!reader.ok()) return std::nullopt;
      values.insert(values.end(), static_cast<size_t>(std::min(head >> 1, wanted)), value);
      continue;
    }
    // A last pack may end with its last value.
    if (head >> 1 > UINT32_MAX) return std::nullopt;
    const uint64_t packed = std::min((head >> 1) * bits, uint64_t{reader.remaining()});
    const auto pack = reader.Bytes(packed);
    const uint64_t here = std::min({(head >> 1) * 8, wanted, packed * 8 / bits});
    if (here == 0) return std::nullopt;
    for (uint64_t i = 0; i < here; ++i)
      values.push_back(static_cast<uint32_t>(BitsAt(pack, i * bits, width)));
  }
  return values;
}

std::optional<std::vector<int64_t>> ReadDeltas(ByteReader& reader, size_t count) {
  const uint64_t block = reader.Varint(), packs = reader.Varint(), total = reader.Varint();
  auto last = static_cast<uint64_t>(UnZigZag(reader.Varint()));
  if (!reader.ok() || total != count || block == 0 || block > kMaxBlock || packs == 0 || block % packs != 0)
    return std::nullopt;
  std::vector<int64_t> values;
  if (count > 0) values.push_back(static_cast<int64_t>(last));
  const uint64_t each = block / packs;
  while (values.size() < count) {
    const auto least = static_cast<uint64_t>(UnZigZag(reader.Varint()));
    const auto widths = reader.Bytes(packs);
    if (!reader.ok()) return std::nullopt;
    for (uint64_t p = 0; p < packs && values.size() < count; ++p) {
      if (widths[p] > kMaxWidth) return std::nullopt;
      const auto pack = reader.Bytes((each * widths[p] + 7) / 8);
      if (!reader.ok()) return std::nullopt;
      for (uint64_t i = 0; i < each && values.size() < count; ++i) {
        last += least + BitsAt(pack, i * widths[p], widths[p]);
        values.push_back(static_cast<int64_t>(last));
      }
    }
  }
  return values;
}

class ValueDecoder {
 public:
  ValueDecoder(std::vector<uint8_t> page, size_t begin, size_t count, const ParquetCoding& coding,
               std::shared_ptr<const ParquetValues> dictionary)
      : coding_(coding), count_(count) {
    values_.bytes_ = std::move(page);
    values_.begin_ = begin;
    values_.width_ = coding.width;
    values_.dictionary_ = std::move(dictionary);
    left_ = ByteReader(std::span<const uint8_t>(values_.bytes_).subspan(begin));
  }

  Result<ParquetValues> Decode() && {
    const auto decoded = Decoded();
    if (!decoded) {
      return Error{ErrorCode::kInput,
                   "encoding " + std::to_string(coding_.encoding) +
                       " of Parquet is not read; write the file anew with pyarrow's defaults"};
    }
    if (!*decoded) return CutOff();
    if (coding_.encoding != kPlainDictionary && coding_.encoding != kRleDictionary) values_.dictionary_ = {};
    return std::move(values_);
  }

 private:
  // nullopt: there is no such encoding of this type.
  std::optional<bool> Decoded() {
    switch (coding_.encoding) {
      case kPlain:
        if (coding_.type == ParquetType::kBoolean) return PlainBooleans();
        return coding_.width == 0 ? PlainBytes() : FixedWidth();
      case kPlainDictionary:
      case kRleDictionary:
        return Dictionary();
      case kRle:
        if (coding_.type != ParquetType::kBoolean) return std::nullopt;
        return BooleanRuns();
      case kDeltaNumbers:
        if (coding_.type != ParquetType::kInt32 && coding_.type != ParquetType::kInt64) return std::nullopt;
        return DeltaNumbers();
      case kDeltaLengths:
        if (coding_.type != ParquetType::kByteArray) return std::nullopt;
        return DeltaLengths();
      case kDeltaBytes:
        if (coding_.type != ParquetType::kByteArray) return std::nullopt;
        return DeltaBytes();
      case kSplitBytes:
        if (coding_.width == 0 || coding_.type == ParquetType::kBoolean) return std::nullopt;
        return SplitBytes();
      default:
        return std::nullopt;
    }
  }

  bool FixedWidth() {
    values_.count_ = count_;
    return left_.remaining() / coding_.width >= count_;
  }

  // Values of one width that are not in the page as they are.
  bool Made(std::vector<uint8_t> bytes) {
    values_.bytes_ = std::move(bytes);
    values_.begin_ = 0;
    values_.count_ = count_;
    return true;
  }

  bool PlainBooleans() {
    if (left_.remaining() < (count_ + 7) / 8) return false;
    const auto bits = left_.Bytes(left_.remaining());
    std::vector<uint8_t> bytes(count_);
    for (size_t i = 0; i < count_; ++i) bytes[i] = bits[i / 8] >> (i % 8) & 1;
    return Made(std::move(bytes));
  }

  bool BooleanRuns() {
    const auto runs = left_.Bytes(left_.U32());
    const auto bits = left_.ok() ? ReadRuns(runs, 1, count_) : std::nullopt;
    return bits && Made({bits->begin(), bits->end()});
  }

  void AddExtent(size_t begin, size_t size) {
    values_.extents_.emplace_back(static_cast<uint32_t>(begin), static_cast<uint32_t>(size));
  }
  size_t Position() const { return values_.begin_ + left_.position(); }

  bool PlainBytes() {
    if (left_.remaining() / 4 < count_) return false;
    values_.extents_.reserve(count_);
    for (size_t i = 0; i < count_; ++i) {
      const uint32_t size = left_.U32();
      AddExtent(Position(), size);
      left_.Bytes(size);
    }
    return left_.ok();
  }

  bool Dictionary() {
    if (!values_.dictionary_ || left_.remaining() == 0) return false;
    const int width = left_.U8();
    auto ids = ReadRuns(left_.Bytes(left_.remaining()), width, count_);
    if (!ids) return false;
    for (const uint32_t id : *ids) {
      if (id >= values_.dictionary_->size()) return false;
    }
    values_.bytes_ = {};
    values_.ids_ = std::move(*ids);
    return true;
  }

  bool DeltaNumbers() {
    const auto numbers = ReadDeltas(left_, count_);
    if (!numbers) return false;
    ByteWriter bytes;
    for (const int64_t number : *numbers) {
      if (coding_.width == 4) {
        bytes.U32(static_cast<uint32_t>(number));
      } else {
        bytes.U64(static_cast<uint64_t>(number));
      }
    }
    return Made(std::move(bytes).Take());
  }

  bool DeltaLengths() {
    const auto sizes = ReadDeltas(left_, count_);
    if (!sizes) return false;
    for (const int64_t size : *sizes) {
      if (size < 0) return false;
      AddExtent(Position(), static_cast<size_t>(size));
      left_.Bytes(static_cast<uint64_t>(size));
    }
    return left_.ok();
  }

  // Each begins with some bytes of the one before.
  bool DeltaBytes() {
    const auto shared = ReadDeltas(left_, count_);
    if (!shared || !DeltaLengths()) return false;
    const auto ends = std::exchange(values_.extents_, {});
    std::vector<uint8_t> bytes;
    size_t last = 0, last_size = 0;
    for (size_t i = 0; i < count_; ++i) {
      const auto [from, size] = ends[i];
      const int64_t same = (*shared)[i];
      if (same < 0 || static_cast<uint64_t>(same) > last_size) return false;
      const size_t whole = static_cast<size_t>(same) + size, at = bytes.size();
      if (whole > std::min<uint64_t>(coding_.max_bytes, UINT32_MAX) - at) return false;
      bytes.resize(at + whole);
      std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(last), same,
                  bytes.begin() + static_cast<ptrdiff_t>(at));
      std::copy_n(values_.bytes_.begin() + from, size, bytes.begin() + static_cast<ptrdiff_t>(at) + same);
      AddExtent(at, whole);
      last = at;
      last_size = whole;
    }
    values_.bytes_ = std::move(bytes);
    return true;
  }

  // The first bytes of all values, then the second ones, and so on.
  bool SplitBytes() {
    if (left_.remaining() / coding_.width < count_) return false;
    const auto split = left_.Bytes(left_.remaining());
    std::vector<uint8_t> bytes(count_ * coding_.width);
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = split[i % coding_.width * count_ + i / coding_.width];
    return Made(std::move(bytes));
  }

  const ParquetCoding& coding_;
  const size_t count_;
  ByteReader left_{std::span<const uint8_t>()};
  ParquetValues values_;
};

size_t ParquetValues::size() const {
  if (dictionary_) return ids_.size();
  return width_ > 0 ? count_ : extents_.size();
}

std::span<const uint8_t> ParquetValues::operator[](size_t at) const {
  if (dictionary_) return (*dictionary_)[ids_[at]];
  const std::span<const uint8_t> bytes(bytes_);
  if (width_ > 0) return bytes.subspan(begin_ + at * width_, width_);
  return bytes.subspan(extents_[at].first, extents_[at].second);
}

Result<ParquetValues> DecodeValues(std::vector<uint8_t> page, size_t begin, size_t count,
                                   const ParquetCoding& coding,
                                   std::shared_ptr<const ParquetValues> dictionary) {
  return ValueDecoder(std::move(page), begin, count, coding, std::move(dictionary)).Decode();
}

}  // namespace vqc
