// SPDX-License-Identifier: Apache-2.0
// Where the items of a set come from: files, folders, patterns, lists, and members of tar shards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"

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
  std::string key;   // clean, unique among the items
  std::string name;  // where it came from: relative to its folder, or "shard.tar:member", "file.npz:part"
  Extent media;      // of a tar sample without any: no path
  std::vector<SourceSidecar> sidecars;
  size_t part = 0;  // of a file that is several items
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
  // Folders within folders that hold no items. Empty: there are none.
  std::function<bool(const std::filesystem::path&)> is_left_out;
};

// All items, in an order that depends on the sources alone: they come as given, a folder's files
// (recursively, links to folders not followed) by name, a pattern's matches by name, a tar's samples as they
// lie in it. Beside a file, NAME.txt, NAME.json and NAME.cls come along; of a tar sample every other member.
// The key of a part is that of its file and its own name. A key that is taken gets a number. A listed file
// that cannot be found is an item all the same: reading it says what is wrong. Errors: kUsage (no source),
// kInput (a folder, list or tar that cannot be read; nothing found).
Result<std::vector<SourceItem>> FindItems(const SourceOptions& options);

// Over keys, names, sizes and sidecars in order.
Sha256 IdentityOf(const std::vector<SourceItem>& items);

}  // namespace vqc
