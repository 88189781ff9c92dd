// SPDX-License-Identifier: Apache-2.0
// Parquet files of pictures as pyarrow writes them; the files are by tests/oracle/tables.py.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <span>

#include "base/file.h"
#include "base/thrift_compact.h"
#include "data/tokens/source.h"
#include "data/tokens/table_reader.h"
#include "tests/base/temp_folder.h"
#include "tests/data/tables/golden_tables.h"
#include "tests/fuzz/fuzz_input.h"

namespace vqc {
namespace {

using testing::kRows;
using testing::Picture;

constexpr char kTables[] = VQC_SOURCE_DIR "/tests/golden/tables/";

// What tests/oracle/tables.py says of row i; `is_struct`: the picture has a path.
std::map<std::string, std::string> Sidecars(int i, bool is_struct) {
  const std::string n = std::to_string(i);
  std::map<std::string, std::string> all = {
      {"cls", std::to_string(i % 3)},
      {"boxes", "["},
      {"good", i % 2 == 0 ? "true" : "false"},
      {"id", std::to_string((uint64_t{1} << 63) + static_cast<uint64_t>(i))},
      {"json.width", std::to_string(16 + i)},
      {"key", "set/sample00" + n + ".x"},
      {"offset", std::to_string(-i)}};
  constexpr const char* kScores[] = {"0",     "0.125", "0.25",  "0.375", "0.5",
                                     "0.625", "0.75",  "0.875", "1",     "1.125"};
  for (int k = 0; k < i; ++k) all["boxes"] += (k ? "," : "") + n;
  all["boxes"] += "]";
  all["score"] = kScores[i];
  all["weight"] = i == 0 ? "0" : "0." + n;
  if (i != 3) all["txt"] = "caption " + n + " \u00e9";
  if (is_struct) all["path"] = "photo" + n + ".ppm";
  return all;
}

std::string Text(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

std::shared_ptr<const TableSource> Open(const std::string& path, const TableChoice& choice = {}) {
  const auto table = OpenTable(path, choice, {});
  return table.ok() ? *table : nullptr;
}

std::string ErrorOf(const std::string& name, const TableChoice& choice = {}) {
  const auto table = OpenTable(kTables + name, choice, {});
  return table.ok() ? "none" : table.error().message;
}

TEST(Tables, RowsAreMediaWithSidecars) {
  for (const std::string name : {"datasets", "pages", "flat", "deltas", "nulls"}) {
    const auto table = Open(kTables + name + ".parquet");
    ASSERT_TRUE(table) << name;
    ASSERT_EQ(table->Rows(), kRows);
    TableReader reader({});
    // Once in order, and once from the end.
    for (int n = 0; n < 2 * kRows; ++n) {
      const int i = n < kRows ? n : 2 * kRows - 1 - n;
      const auto row = reader.Read(*table, static_cast<uint64_t>(i));
      if (name == "nulls" && i == 7) {
        ASSERT_FALSE(row.ok());
        EXPECT_NE(row.error().message.find("has nothing in its column image.bytes"), std::string::npos);
        continue;
      }
      ASSERT_TRUE(row.ok()) << name << " " << i << ": " << row.error().message;
      EXPECT_EQ(Text(row->media), Picture(i)) << name << " " << i;
      std::map<std::string, std::string> sidecars;
      for (const Sidecar& sidecar : row->sidecars) sidecars[sidecar.extension] = Text(sidecar.bytes);
      EXPECT_EQ(sidecars, Sidecars(i, name != "flat" && name != "deltas")) << name << " " << i;
    }
  }
}

TEST(Tables, AnItemIsARow) {
  const testing::TempFolder folder;
  for (const char* name : {"datasets", "none"})
    std::filesystem::copy(std::string(kTables) + name + ".parquet",
                          folder.Path(name + std::string(".parquet")));
  SourceOptions options;
  options.is_media = [](std::string_view extension) { return extension == ".ppm"; };
  options.paths = {folder.Path(".")};
  options.table.emplace();
  auto items = FindItems(options);
  ASSERT_TRUE(items.ok()) << items.error().message;
  ASSERT_EQ(items->size(), kRows);
  EXPECT_EQ(items->at(0).key, "datasets/000000");
  EXPECT_EQ(items->at(9).key, "datasets/000009");
  EXPECT_EQ(items->at(9).name, "datasets.parquet:9");
  uint64_t bytes = 0;
  for (const SourceItem& item : *items) bytes += item.media.size;
  EXPECT_GT(bytes, 3000u);
  EXPECT_LT(bytes, std::filesystem::file_size(folder.Path("datasets.parquet")));
  options.table->key = "__key__";
  items = FindItems(options);
  ASSERT_TRUE(items.ok()) << items.error().message;
  EXPECT_EQ(items->at(9).key, "set/sample009_x");
  options.paths = {folder.Path("none.parquet")};
  items = FindItems(options);
  ASSERT_FALSE(items.ok());
  EXPECT_NE(items.error().message.find("none.parquet: has no column of media"), std::string::npos);
}

TEST(Tables, ColumnsAreChosen) {
  EXPECT_EQ(ErrorOf("two.parquet"), "several columns have bytes, first, second; name one with --column");
  EXPECT_EQ(ErrorOf("two.parquet", {"second", "", ""}), "none");
  EXPECT_EQ(ErrorOf("two.parquet", {"", "", "first"}), "none");
  EXPECT_EQ(ErrorOf("two.parquet", {"third", "", ""}),
            "--column third is no column of bytes; those are first, second");
  EXPECT_EQ(ErrorOf("two.parquet", {"first", "second", ""}),
            "--key-column second is no column of text or whole numbers; those are label");
  EXPECT_EQ(ErrorOf("datasets.parquet", {"image", "label", ""}), "none");
  EXPECT_EQ(ErrorOf("datasets.parquet", {"image.bytes", "", ""}), "none");
  EXPECT_EQ(ErrorOf("brotli.parquet"),
            "the column image has compression 4 of Parquet, which is not read; none, snappy, gzip and zstd "
            "are, write "
            "the file anew with one of them");
  EXPECT_NE(ErrorOf("gone.parquet").find("cannot be opened"), std::string::npos);
}

TEST(Tables, ListsAreJson) {
  for (const std::string name : {"lists", "lists-pages"}) {
    const auto table = Open(kTables + name + ".parquet");
    ASSERT_TRUE(table) << name;
    TableReader reader({});
    int compared = 0;
    for (uint64_t i = 0; i < kRows; ++i) {
      const auto row = reader.Read(*table, i);
      ASSERT_TRUE(row.ok()) << row.error().message;
      EXPECT_EQ(Text(row->media), Picture(static_cast<int>(i)));
      std::map<std::string, std::string> sidecars, expected;
      for (const Sidecar& sidecar : row->sidecars) {
        const bool is_expected = sidecar.extension.starts_with("json_");
        (is_expected ? expected : sidecars)[sidecar.extension.substr(is_expected ? 5 : 0)] =
            Text(sidecar.bytes);
      }
      sidecars.erase("objects.name");
      EXPECT_EQ(sidecars, expected) << name << " " << i;
      compared += static_cast<int>(sidecars.size());
    }
    EXPECT_GT(compared, 7 * kRows);
  }
}

TEST(Tables, DamageIsAnErrorOrHarmless) {
  Limits limits;
  limits.max_input_bytes = 1 << 20;
  for (const std::string name : {"datasets", "pages", "flat", "deltas", "nulls", "lists", "lists-pages"}) {
    const auto whole = ReadFile(kTables + name + ".parquet", 1 << 20);
    ASSERT_TRUE(whole.ok());
    for (size_t i = 0; i < whole->size(); i += 11 + whole->size() / 1000) {
      const std::span<const uint8_t> all(*whole);
      const fuzz::MemoryFile cut(all.first(i));
      EXPECT_FALSE(OpenTable(cut.Path(), {}, limits).ok()) << name << " cut at " << i;
      auto bytes = *whole;
      bytes[i] ^= static_cast<uint8_t>(1u << i % 8);
      const fuzz::MemoryFile changed(bytes);
      const auto table = OpenTable(changed.Path(), {"", "__key__", ""}, limits);
      if (!table.ok() || !*table) continue;
      const auto keys = (*table)->Keys(limits);
      EXPECT_TRUE(keys.ok() || keys.error().message.find('\n') == std::string::npos);
      TableReader reader(limits);
      for (uint64_t row = 0; row < (*table)->Rows(); ++row) {
        const auto read = reader.Read(**table, row);
        EXPECT_TRUE(read.ok() || read.error().message.find('\n') == std::string::npos);
      }
    }
  }
}

TEST(Tables, WhatIsReadIsBounded) {
  const auto table = Open(std::string(kTables) + "datasets.parquet", {"", "__key__", ""});
  ASSERT_TRUE(table);
  for (const uint64_t most : {uint64_t{100}, uint64_t{3000}}) {
    Limits limits;
    limits.max_input_bytes = most;
    TableReader reader(limits);
    const auto row = reader.Read(*table, 0);
    ASSERT_FALSE(row.ok());
    EXPECT_EQ(row.error().code, ErrorCode::kLimit);
    EXPECT_NE(row.error().message.find("max_input_bytes is " + std::to_string(most)), std::string::npos)
        << row.error().message;
    EXPECT_EQ(table->Keys(limits).ok(), most > 100);
  }
}

std::vector<uint8_t> FileWith(const ThriftWriter& footer) {
  ByteWriter file;
  file.Append("PAR1");
  file.Append(footer.bytes());
  file.U32(static_cast<uint32_t>(footer.bytes().size()));
  file.Append("PAR1");
  return std::move(file).Take();
}

// A footer of a few bytes that states a column of bytes with so many rows.
std::vector<uint8_t> Claiming(int64_t rows) {
  ThriftWriter footer;
  footer.I32(1, 1);
  footer.BeginStructList(2, 2);
  footer.BeginElement();
  footer.Bytes(4, "schema");
  footer.I32(5, 1);
  footer.EndStruct();
  footer.BeginElement();
  footer.I32(1, 6);
  footer.Bytes(4, "image");
  footer.EndStruct();
  footer.BeginStructList(4, 1);
  footer.BeginElement();
  footer.BeginStructList(1, 1);
  footer.BeginElement();
  footer.BeginStruct(3);
  footer.I32(1, 6);
  footer.I64(5, rows);
  footer.I64(9, 4);
  footer.EndStruct();
  footer.EndStruct();
  footer.I64(3, rows);
  footer.EndStruct();
  footer.EndStruct();
  return FileWith(footer);
}

// A struct of that name with so many columns: each of them has the name of both.
std::vector<uint8_t> Wide(const std::string& name, int columns) {
  ThriftWriter footer;
  footer.I32(1, 1);
  footer.BeginStructList(2, static_cast<size_t>(columns) + 2);
  for (const auto& [own, children] : {std::pair(std::string("schema"), 1), std::pair(name, columns)}) {
    footer.BeginElement();
    footer.Bytes(4, own);
    footer.I32(5, children);
    footer.EndStruct();
  }
  for (int i = 0; i < columns; ++i) {
    footer.BeginElement();
    footer.I32(1, 6);
    footer.Bytes(4, "c");
    footer.EndStruct();
  }
  footer.EndStruct();
  return FileWith(footer);
}

TEST(Tables, FootersAndColumnsAreBounded) {
  const fuzz::MemoryFile file(Wide(std::string(10'000, 'x'), 100));
  Limits limits;
  const auto message = [&](uint64_t most) {
    limits.max_input_bytes = most;
    const auto table = OpenTable(file.Path(), {}, limits);
    return table.ok() ? std::string() : table.error().message;
  };
  EXPECT_NE(message(1'000'000).find("has a footer that takes up to 13"), std::string::npos)
      << message(1'000'000);
  EXPECT_NE(message(1'000'000).find("max_input_bytes is 1000000"), std::string::npos);
  const fuzz::MemoryFile large(Wide(std::string(10'000, 'x'), 1000));
  limits.max_input_bytes = 4'000'000;
  const auto table = OpenTable(large.Path(), {}, limits);
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code, ErrorCode::kLimit);
  EXPECT_NE(table.error().message.find("has columns that take 40"), std::string::npos)
      << table.error().message;
  limits.max_input_bytes = 40'000'000;
  const auto opened = OpenTable(large.Path(), {}, limits);
  EXPECT_TRUE(opened.ok()) << opened.error().message;
}

TEST(Tables, RowsAreAsManyAsTheFileHasRoomFor) {
  const testing::TempFolder folder;
  const std::string path = folder.Path("t.parquet");
  ASSERT_TRUE(WriteFileAtomically(path, Claiming(1000)).ok());
  const auto table = Open(path);
  ASSERT_TRUE(table);
  EXPECT_FALSE(TableReader({}).Read(*table, 0).ok());
  ASSERT_TRUE(WriteFileAtomically(path, Claiming(int64_t{1} << 40), {.force = true}).ok());
  const auto refused = OpenTable(path, {}, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
}

}  // namespace
}  // namespace vqc
