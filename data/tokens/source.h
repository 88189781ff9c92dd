// SPDX-License-Identifier: Apache-2.0
// Where the items of a set come from: files, folders, patterns, lists, members of tar shards, and rows of
// tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/sha256.h"
#include "data/tokens/table_source.h"

namespace vqc {

// Bytes of a file: all of it, or a member of an archive.
struct Extent {
  std::shared_ptr<const std::string> path;  // null: there is nothing to read
  uint64_t offset = 0, size = 0;
  bool whole = false;  // all of the file
};
// `name` is for messages. Errors: kInput (missing, changed or not a regular file), kLimit.
Result<std::vector<uint8_t>> ReadExtent(const Extent& extent, const std::string& name, uint64_t max_bytes,
                                        std::string_view limit = {});

struct SourceSidecar {
  std::string extension;
  Extent extent;
};

struct SourceItem {
  std::string key;  // clean, unique among the items
  // Where it came from: relative to its folder, or "shard.tar:member", "file.npz:part", "table.parquet:row".
  std::string name;
  Extent media;  // of a tar sample without any: no path; of a row its size alone
  std::vector<SourceSidecar> sidecars;
  size_t part = 0;                           // of a file that is several items; row of the table
  std::shared_ptr<const TableSource> table;  // where it is a row of one
};

// What a file is several items of, such as an episode of actions.
struct SourcePart {
  std::string name;
  uint64_t size = 0;  // bytes of what it holds
};

struct SourceOptions {
  std::vector<std::string> paths;  // also patterns: {000..099}, *, ?, [...]
  std::string files_from;          // a file with further paths, one a line; "-" is standard input
  bool null_separated = false;     // they end in a zero byte instead
  // What is taken from folders and tars, by the lower-case extension with its dot.
  std::function<bool(std::string_view)> is_media;
  // The parts of a file, each of which becomes an item; none: the file is one. Empty: so is every file.
  std::function<std::vector<SourcePart>(const std::string& path)> parts_of;
  std::optional<TableChoice> table;  // how .parquet files are tables of media; nullopt: they are not
  Limits limits;                     // of their keys
  // Folders within folders that hold no items. Empty: there are none.
  std::function<bool(const std::filesystem::path&)> is_left_out;
};

// All items, in an order that depends on the sources alone: they come as given, a folder's files
// (recursively, links to folders not followed) by name, a pattern's matches by name, a tar's samples as they
// lie in it, a table's rows from the first on. Beside a file, NAME.txt, NAME.json and NAME.cls come along; of
// a tar sample every other member. A table in a folder without a column of media is left out. The key of a
// part is that of its file and its own name, of a row that of its column of keys, or of its file and its
// number. A key that is taken gets a number. A listed file that cannot be found is an item all the same:
// reading it says what is wrong. Errors: kUsage (no source; of a table those of OpenTable), kInput (a folder,
// list, tar or table that cannot be read; nothing found).
Result<std::vector<SourceItem>> FindItems(const SourceOptions& options);

// Over keys, names, sizes and sidecars in order.
Sha256 IdentityOf(const std::vector<SourceItem>& items);

}  // namespace vqc
