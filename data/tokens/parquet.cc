// SPDX-License-Identifier: Apache-2.0
// Parquet: one row group and one page a column, plain and not compressed, so that the bytes do not depend on
// the version of a library. Columns: key, tokens (list of int32), shape (list of int32), text (the .txt
// sidecar, or null), record (JSON).
//
// What is read is what is written here; a set of other columns, pages or codings is refused.
#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/printable.h"
#include "base/thrift_compact.h"
#include "data/tokens/shard_formats.h"

namespace vqc {
namespace {

constexpr std::string_view kMagic = "PAR1";
constexpr uint64_t kMaxPage = INT32_MAX;

// Numbers of parquet.thrift.
enum Physical : int32_t { kInt32 = 1, kByteArray = 6 };
enum Repetition : int32_t { kRequired = 0, kOptional = 1, kRepeated = 2 };
enum Converted : int32_t { kUtf8 = 0, kListType = 3, kJson = 19 };
constexpr int32_t kPlain = 0, kRle = 3, kDataPage = 0, kUncompressed = 0;

enum Kind { kText, kOptionalText, kJsonText, kInts };
struct ColumnRow {
  std::string_view name;
  Kind kind;
};
constexpr std::array<ColumnRow, 5> kColumns = {
    {{"key", kText}, {"tokens", kInts}, {"shape", kInts}, {"text", kOptionalText}, {"record", kJsonText}}};
constexpr size_t kTokensColumn = 1, kRecordColumn = 4;

// Levels of one bit as runs: how often, which.
class Levels {
 public:
  void Add(uint64_t count, uint8_t level) {
    if (count == 0) return;
    count_ += count;
    if (run_ > 0 && level_ != level) Close();
    level_ = level;
    run_ += count;
  }
  // With their size before them.
  std::vector<uint8_t> Take() {
    Close();
    ByteWriter out;
    out.U32(static_cast<uint32_t>(runs_.size()));
    out.Append(runs_.bytes());
    return std::move(out).Take();
  }
  uint64_t Count() const { return count_; }

 private:
  void Close() {
    if (run_ == 0) return;
    runs_.Varint(run_ << 1);
    runs_.U8(level_);
    run_ = 0;
  }

  ByteWriter runs_;
  uint64_t run_ = 0, count_ = 0;
  uint8_t level_ = 0;
};

// What a column has collected.
struct Column {
  Levels repetition, definition;
  ByteWriter values;
  uint64_t rows = 0;

  void Text(std::string_view text) {
    ++rows;
    values.U32(static_cast<uint32_t>(text.size()));
    values.Append(text);
  }
  void MaybeText(const std::string_view* text) {
    definition.Add(1, text ? 1 : 0);
    if (text) {
      Text(*text);
    } else {
      ++rows;
    }
  }
  template <class Numbers>
  void Ints(const Numbers& numbers) {  // at least one
    ++rows;
    repetition.Add(1, 0);
    repetition.Add(numbers.size() - 1, 1);
    definition.Add(numbers.size(), 1);
    for (const auto number : numbers) values.U32(static_cast<uint32_t>(number));
  }
};

struct Chunk {
  uint64_t offset = 0, bytes = 0, values = 0;
};

void WriteSchemaElement(ThriftWriter& out, std::string_view name, int32_t repetition, int32_t type,
                        int32_t children, int32_t converted) {
  out.BeginElement();
  if (type >= 0) out.I32(1, type);
  if (repetition >= 0) out.I32(3, repetition);
  out.Bytes(4, name);
  if (children > 0) out.I32(5, children);
  if (converted >= 0) out.I32(6, converted);
  out.EndStruct();
}

void WriteSchema(ThriftWriter& out) {
  size_t elements = 1;
  for (const ColumnRow& column : kColumns) elements += column.kind == kInts ? 3 : 1;
  out.BeginStructList(2, elements);
  WriteSchemaElement(out, "schema", -1, -1, kColumns.size(), -1);
  for (const auto& [name, kind] : kColumns) {
    if (kind == kInts) {
      WriteSchemaElement(out, name, kRequired, -1, 1, kListType);
      WriteSchemaElement(out, "list", kRepeated, -1, 1, -1);
      WriteSchemaElement(out, "element", kRequired, kInt32, 0, -1);
    } else {
      WriteSchemaElement(out, name, kind == kOptionalText ? kOptional : kRequired, kByteArray, 0,
                         kind == kJsonText ? kJson : kUtf8);
    }
  }
}

std::vector<uint8_t> Footer(uint64_t rows, const std::array<Chunk, kColumns.size()>& chunks) {
  uint64_t bytes = 0;
  for (const Chunk& chunk : chunks) bytes += chunk.bytes;
  ThriftWriter out;
  out.I32(1, 1);
  WriteSchema(out);
  out.I64(3, static_cast<int64_t>(rows));
  out.BeginStructList(4, 1);
  out.BeginElement();
  out.BeginStructList(1, kColumns.size());
  for (size_t i = 0; i < kColumns.size(); ++i) {
    const bool ints = kColumns[i].kind == kInts;
    out.BeginElement();
    out.I64(2, static_cast<int64_t>(chunks[i].offset));
    out.BeginStruct(3);
    out.I32(1, ints ? kInt32 : kByteArray);
    out.I32List(2, {kPlain, kRle});
    if (ints) {
      out.BytesList(3, {kColumns[i].name, "list", "element"});
    } else {
      out.BytesList(3, {kColumns[i].name});
    }
    out.I32(4, kUncompressed);
    out.I64(5, static_cast<int64_t>(chunks[i].values));
    out.I64(6, static_cast<int64_t>(chunks[i].bytes));
    out.I64(7, static_cast<int64_t>(chunks[i].bytes));
    out.I64(9, static_cast<int64_t>(chunks[i].offset));
    out.EndStruct();
    out.EndStruct();
  }
  out.I64(2, static_cast<int64_t>(bytes));
  out.I64(3, static_cast<int64_t>(rows));
  out.EndStruct();
  out.Bytes(6, "vqcodec");
  out.EndStruct();
  const auto footer = out.bytes();
  return {footer.begin(), footer.end()};
}

class Writer : public ShardWriter {
 public:
  explicit Writer(HashedFile file) : file_(std::move(file)) {}

  Status Add(const TokenItem& item) override {
    const std::string record = RecordOf(item).dump(-1, ' ', false, Json::error_handler_t::replace);
    for (const uint64_t added : {4 * item.ids.size() + 4 * columns_[kTokensColumn].repetition.Count(),
                                 record.size() + columns_[kRecordColumn].values.size()}) {
      if (added < kMaxPage - (1u << 26)) continue;
      return Error{ErrorCode::kUsage, Printable(item.key) +
                                          ": with it, the shard has more than the 2 GB that a page "
                                          "of Parquet can have; use a smaller --shard-size"};
    }
    std::string_view text;
    bool has_text = false;
    for (const Sidecar& sidecar : item.sidecars) {
      const std::string_view content(reinterpret_cast<const char*>(sidecar.bytes.data()),
                                     sidecar.bytes.size());
      if (sidecar.extension != "txt" || !IsUtf8(content)) continue;
      text = content;
      has_text = true;
    }
    columns_[0].Text(item.key);
    columns_[1].Ints(item.ids);
    columns_[2].Ints(item.shape);
    columns_[3].MaybeText(has_text ? &text : nullptr);
    columns_[4].Text(record);
    return {};
  }

  Result<std::vector<ShardFile>> Finish() override {
    VQC_TRY(file_.Write(kMagic));
    std::array<Chunk, kColumns.size()> chunks;
    for (size_t i = 0; i < kColumns.size(); ++i)
      VQC_TRY(WriteColumn(kColumns[i].kind, columns_[i], chunks[i]));
    const auto footer = Footer(columns_[0].rows, chunks);
    ByteWriter size;
    size.U32(static_cast<uint32_t>(footer.size()));
    VQC_TRY(file_.Write(footer));
    VQC_TRY(file_.Write(size.bytes()));
    VQC_TRY(file_.Write(kMagic));
    VQC_ASSIGN(ShardFile facts, file_.Commit());
    return std::vector{std::move(facts)};
  }

 private:
  Status WriteColumn(Kind kind, Column& column, Chunk& chunk) {
    std::vector<uint8_t> repetition, definition;
    chunk.values = column.rows;
    if (kind == kInts) {
      chunk.values = column.repetition.Count();
      repetition = column.repetition.Take();
    }
    if (kind == kInts || kind == kOptionalText) definition = column.definition.Take();
    const auto size = static_cast<int32_t>(repetition.size() + definition.size() + column.values.size());
    ThriftWriter head;
    head.I32(1, kDataPage);
    head.I32(2, size);
    head.I32(3, size);
    head.BeginStruct(5);
    head.I32(1, static_cast<int32_t>(chunk.values));
    head.I32(2, kPlain);
    head.I32(3, kRle);
    head.I32(4, kRle);
    head.EndStruct();
    head.EndStruct();
    chunk.offset = file_.size();
    VQC_TRY(file_.Write(head.bytes()));
    VQC_TRY(file_.Write(repetition));
    VQC_TRY(file_.Write(definition));
    VQC_TRY(file_.Write(column.values.bytes()));
    chunk.bytes = file_.size() - chunk.offset;
    return {};
  }

  HashedFile file_;
  std::array<Column, kColumns.size()> columns_;
};

class Reader : public ShardReader {
 public:
  Reader(MappedFile file, std::span<const uint8_t> records, std::span<const uint8_t> ids, uint64_t rows,
         const Limits& limits)
      : file_(std::move(file)), records_(records), ids_(ids), left_(rows), limits_(limits) {}

  Result<std::optional<TokenItem>> Next() override {
    if (left_ == 0) {
      if (ids_.empty() && records_.remaining() == 0) return std::optional<TokenItem>();
      return Error{ErrorCode::kCorruptData, "there are more ids than the records tell of"};
    }
    --left_;
    const auto record = records_.Bytes(records_.U32());
    if (!records_.ok()) return Error{ErrorCode::kCorruptData, "the records end too early"};
    VQC_ASSIGN(const auto json,
               ParseRecord({reinterpret_cast<const char*>(record.data()), record.size()}, limits_));
    VQC_ASSIGN(TokenItem item, ItemOf(json));
    const uint64_t count = CountOf(item.shape);
    if (count == 0 || count > ids_.size() / 4) {
      return Error{ErrorCode::kCorruptData, Printable(item.key) + ": its ids are missing"};
    }
    item.ids = IdsOfBytes(ids_.first(static_cast<size_t>(4 * count)), 4);
    ids_ = ids_.subspan(static_cast<size_t>(4 * count));
    return std::optional(std::move(item));
  }

 private:
  MappedFile file_;
  ByteReader records_;
  std::span<const uint8_t> ids_;
  uint64_t left_;
  Limits limits_;
};

Error Foreign(const std::string& path, const std::string& what) {
  return {ErrorCode::kCorruptData,
          Printable(path) + ".parquet: " + what + "; it is damaged, or not written by vqcodec tokenize"};
}

// The values of a column: what its only page holds behind its levels.
Result<std::span<const uint8_t>> ValuesOf(std::span<const uint8_t> file, const ThriftValue& column, Kind kind,
                                          const std::string& path) {
  const int64_t offset = column[3][9].number;
  if (offset < 0 || static_cast<uint64_t>(offset) > file.size())
    return Foreign(path, "a column lies outside of it");
  ByteReader reader(file.subspan(static_cast<size_t>(offset)));
  const auto head = ReadThriftStruct(reader);
  if (!head || (*head)[1].number != kDataPage || (*head)[5][2].number != kPlain || (*head)[3].number < 0 ||
      (*head)[2].number != (*head)[3].number || (*head)[5][1].number != column[3][5].number) {
    return Foreign(path, "a page is not plain or does not hold its column");
  }
  ByteReader page(reader.Bytes(static_cast<uint64_t>((*head)[3].number)));
  if (kind == kInts) {
    for (int levels = 0; levels < 2; ++levels) page.Bytes(page.U32());
  }
  const auto values = page.Bytes(page.remaining());
  if (!reader.ok() || !page.ok()) return Foreign(path, "a page is cut off");
  return values;
}

}  // namespace

WriterResult CreateParquet(const std::string& folder, const std::string& stem, const TokenLayout&) {
  VQC_ASSIGN(HashedFile file, HashedFile::Create(folder, stem + ".parquet"));
  return std::unique_ptr<ShardWriter>(std::make_unique<Writer>(std::move(file)));
}

ReaderResult OpenParquet(const std::string& path, const TokenLayout&, const Limits& limits) {
  VQC_ASSIGN(MappedFile file, MappedFile::Open(path + ".parquet"));
  const auto bytes = file.bytes();
  constexpr size_t kEnds = 12;
  const std::string_view text = TextOf(file);
  if (bytes.size() < kEnds || !text.starts_with(kMagic) || !text.ends_with(kMagic)) {
    return Foreign(path, "it does not begin and end as Parquet does");
  }
  const uint32_t footer_bytes = ByteReader(bytes.subspan(bytes.size() - 8)).U32();
  if (footer_bytes > bytes.size() - kEnds) return Foreign(path, "its footer is longer than the file");
  ByteReader reader(bytes.subspan(bytes.size() - 8 - footer_bytes, footer_bytes));
  const auto footer = ReadThriftStruct(reader);
  if (!footer || (*footer)[4].list.size() != 1)
    return Foreign(path, "its footer does not tell of one row group");
  const auto& columns = (*footer)[4].list[0][1].list;
  const int64_t rows = (*footer)[3].number;
  bool good = columns.size() == kColumns.size() && rows >= 0;
  for (size_t i = 0; good && i < kColumns.size(); ++i) {
    const auto& names = columns[i][3][3].list;
    good = !names.empty() && std::equal(names[0].bytes.begin(), names[0].bytes.end(),
                                        kColumns[i].name.begin(), kColumns[i].name.end());
  }
  if (!good) return Foreign(path, "its columns are not key, tokens, shape, text and record");
  VQC_ASSIGN(const auto ids, ValuesOf(bytes, columns[kTokensColumn], kInts, path));
  VQC_ASSIGN(const auto records, ValuesOf(bytes, columns[kRecordColumn], kJsonText, path));
  return std::unique_ptr<ShardReader>(
      std::make_unique<Reader>(std::move(file), records, ids, static_cast<uint64_t>(rows), limits));
}

}  // namespace vqc
