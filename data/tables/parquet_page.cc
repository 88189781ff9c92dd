// SPDX-License-Identifier: Apache-2.0
#include "data/tables/parquet_page.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "base/beyond_limit.h"
#include "base/bytes.h"
#include "base/thrift_compact.h"
#include "data/tables/unpack.h"

namespace vqc {
namespace {

enum Kind : int64_t { kDataPage = 0, kDictionaryPage = 2, kDataPageV2 = 3 };
constexpr uint64_t kFirstLook = 4u << 10, kMaxHead = 1u << 20;  // bytes; statistics make heads long
constexpr uint64_t kMostEmptyPages = 16;                        // and as many as others
constexpr uint64_t kEntryBytes =
    16;  // of an entry in memory: its extent, levels, and what they are decoded from

Error Damaged(const std::string& what) {
  return {ErrorCode::kInput, what + "; the file is cut off or damaged, copy it again from its source"};
}

Result<ParquetPageHead> ParseHead(const ThriftValue& head) {
  ParquetPageHead page;
  const int64_t kind = head[1].number;
  if (kind != kDataPage && kind != kDictionaryPage && kind != kDataPageV2) {
    return Error{ErrorCode::kInput,
                 "page type " + std::to_string(kind) +
                     " of Parquet is not read; write the file anew with pyarrow's defaults"};
  }
  page.is_dictionary = kind == kDictionaryPage;
  page.is_second = kind == kDataPageV2;
  const ThriftValue& own = head[page.is_dictionary ? 7 : page.is_second ? 8 : 5];
  const int64_t repetition = own[6].number, definition = own[5].number;
  if (head[2].number < 0 || head[3].number < 0 || own[1].number < 0 || head[2].number > INT32_MAX ||
      head[3].number > INT32_MAX) {
    return Damaged("a page states sizes that cannot be");
  }
  page.size = static_cast<uint64_t>(head[2].number);
  page.packed = static_cast<uint64_t>(head[3].number);
  page.entries = static_cast<uint64_t>(own[1].number);
  page.encoding = own[page.is_second ? 4 : 2].number;
  if (head.fields.contains(4)) page.checksum = static_cast<uint32_t>(head[4].number);
  if (!page.is_second) return page;
  if (repetition < 0 || definition < 0 || repetition > INT32_MAX || definition > INT32_MAX ||
      static_cast<uint64_t>(repetition + definition) > std::min(page.size, page.packed)) {
    return Damaged("a page's levels are longer than it");
  }
  page.repetition_bytes = static_cast<uint64_t>(repetition);
  page.definition_bytes = static_cast<uint64_t>(definition);
  page.is_packed = !own.fields.contains(7) || own[7].number != 0;
  return page;
}

// The head at `at`, and where its content is.
Result<ParquetPageHead> ReadHead(const TableBytes& file, uint64_t at) {
  if (at >= file.size) return Damaged("a page is cut off");
  for (uint64_t look = kFirstLook; look <= kMaxHead; look *= 16) {
    const uint64_t there = std::min(look, file.size - at);
    VQC_ASSIGN(const auto bytes, file.read(at, there));
    ByteReader reader(bytes);
    if (const auto head = ReadThriftStruct(reader)) {
      VQC_ASSIGN(ParquetPageHead page, ParseHead(*head));
      page.offset = at + reader.position();
      if (page.packed > file.size - page.offset) return Damaged("a page is cut off");
      return page;
    }
    if (there < look) break;
  }
  return Damaged("a page has no head");
}

int BitsOf(int highest) { return static_cast<int>(std::bit_width(static_cast<unsigned>(highest))); }

Result<std::vector<uint8_t>> Levels(std::span<const uint8_t> bytes, int highest, uint64_t entries) {
  if (highest == 0) return std::vector<uint8_t>();
  const auto levels = ReadRuns(bytes, BitsOf(highest), static_cast<size_t>(entries));
  if (!levels ||
      std::ranges::any_of(*levels, [&](uint32_t level) { return std::cmp_greater(level, highest); }))
    return Damaged("a page's levels are cut off");
  return std::vector<uint8_t>(levels->begin(), levels->end());
}

// Where levels are in an unpacked page, and where its values begin.
struct Parts {
  std::span<const uint8_t> repetition, definition;
  size_t values = 0;
};

Result<Parts> PartsOf(std::span<const uint8_t> page, const ParquetPageHead& head, const ParquetLeaf& leaf) {
  Parts parts;
  ByteReader reader(page);
  if (head.is_second) {
    parts.repetition = reader.Bytes(head.repetition_bytes);
    parts.definition = reader.Bytes(head.definition_bytes);
  } else if (!head.is_dictionary) {
    if (leaf.repetition > 0) parts.repetition = reader.Bytes(reader.U32());
    if (leaf.definition > 0) parts.definition = reader.Bytes(reader.U32());
  }
  if (!reader.ok()) return Damaged("a page's levels are cut off");
  parts.values = reader.position();
  return parts;
}

Result<std::vector<uint8_t>> Content(const ParquetFile& file, const ParquetChunk& chunk,
                                     const ParquetPageHead& head) {
  if (!IsReadCompression(chunk.compression)) {
    return Error{ErrorCode::kInput, "compression " + std::to_string(chunk.compression) +
                                        " of Parquet is not read, " + std::string(kReadCompressions) +
                                        " are; write the file anew with one of them"};
  }
  VQC_ASSIGN(auto packed, file.bytes.read(head.offset, head.packed));
  if (head.checksum && crc32(0, packed.data(), static_cast<uInt>(packed.size())) != *head.checksum)
    return Damaged("a page does not have the checksum that it states");
  const auto compression = static_cast<Compression>(chunk.compression);
  if (compression == Compression::kNone || !head.is_packed) {
    if (packed.size() != head.size) return Damaged("a page does not have the size that it states");
    return packed;
  }
  // Levels of DataPageV2 are not compressed.
  const auto levels = static_cast<size_t>(head.repetition_bytes + head.definition_bytes);
  VQC_ASSIGN(auto bytes,
             Unpack(std::span(packed).subspan(levels), static_cast<size_t>(head.size) - levels, compression));
  bytes.insert(bytes.begin(), packed.begin(), packed.begin() + static_cast<ptrdiff_t>(levels));
  return bytes;
}

}  // namespace

Result<std::vector<ParquetPageHead>> ListPages(const ParquetFile& file, const ParquetChunk& chunk) {
  std::vector<ParquetPageHead> pages;
  uint64_t at = chunk.offset, entries = 0, empty = 0;
  while (entries < chunk.entries) {
    VQC_ASSIGN(const ParquetPageHead page, ReadHead(file.bytes, at));
    at = page.offset + page.packed;
    if (page.is_dictionary) {
      if (!pages.empty()) return Damaged("a dictionary is not before its pages");
    } else {
      // pyarrow writes empty pages of lists where pages are tiny.
      if (page.entries == 0 && ++empty <= kMostEmptyPages + pages.size()) continue;
      if (page.entries == 0 || page.entries > chunk.entries - entries)
        return Damaged("a page has another number of values than its column");
      entries += page.entries;
    }
    pages.push_back(page);
  }
  return pages;
}

uint64_t MemoryOf(const ParquetPageHead& head) { return head.size + kEntryBytes * head.entries; }

Status AddMemory(uint64_t more, const std::string& what, const Limits& limits, uint64_t& memory) {
  memory += more;
  if (memory <= limits.max_input_bytes) return {};
  return BeyondLimit(what + " take " + std::to_string(memory) + " bytes or more", "max_input_bytes",
                     limits.max_input_bytes);
}

Result<ParquetPage> ReadPage(const ParquetFile& file, const ParquetLeaf& leaf, const ParquetChunk& chunk,
                             const ParquetPageHead& head, std::shared_ptr<const ParquetValues> dictionary,
                             const Limits& limits) {
  if (MemoryOf(head) > limits.max_input_bytes) {
    return BeyondLimit("has a page of " + std::to_string(head.size) + " bytes and " +
                           std::to_string(head.entries) + " values when it is unpacked",
                       "max_input_bytes", limits.max_input_bytes);
  }
  VQC_ASSIGN(auto bytes, Content(file, chunk, head));
  VQC_ASSIGN(const Parts parts, PartsOf(bytes, head, leaf));
  ParquetPage page;
  uint64_t values = head.entries;
  if (!head.is_dictionary) {
    VQC_ASSIGN(page.repetition, Levels(parts.repetition, leaf.repetition, head.entries));
    VQC_ASSIGN(page.definition, Levels(parts.definition, leaf.definition, head.entries));
    if (leaf.definition > 0)
      values =
          static_cast<uint64_t>(std::ranges::count(page.definition, static_cast<uint8_t>(leaf.definition)));
  }
  // A dictionary's values are plain, whatever older writers call that.
  const ParquetCoding coding{leaf.type, static_cast<size_t>(leaf.width),
                             head.is_dictionary ? 0 : head.encoding, limits.max_input_bytes};
  VQC_ASSIGN(page.values, DecodeValues(std::move(bytes), parts.values, static_cast<size_t>(values), coding,
                                       std::move(dictionary)));
  return page;
}

Result<ColumnPages> ColumnPages::Open(const ParquetFile& file, size_t leaf, size_t group,
                                      const Limits& limits) {
  ColumnPages pages(file, leaf, group);
  const ParquetChunk& chunk = file.groups[group].chunks[leaf];
  VQC_ASSIGN(pages.heads_, ListPages(file, chunk));
  if (pages.heads_.empty() || !pages.heads_.front().is_dictionary) return pages;
  const ParquetPageHead head = pages.heads_.front();
  pages.heads_.erase(pages.heads_.begin());
  VQC_ASSIGN(ParquetPage page, ReadPage(file, file.leaves[leaf], chunk, head, nullptr, limits));
  pages.dictionary_ = std::make_shared<const ParquetValues>(std::move(page.values));
  pages.dictionary_memory_ = MemoryOf(head);
  return pages;
}

Result<ParquetPage> ColumnPages::Read(size_t page, const Limits& limits) const {
  return ReadPage(*file_, leaf(), file_->groups[group_].chunks[leaf_], heads_[page], dictionary_, limits);
}

}  // namespace vqc
