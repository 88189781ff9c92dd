// SPDX-License-Identifier: Apache-2.0
// TokenItem: one picture, sound or episode of actions of a token set, as it goes into a shard and comes out
// of it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/tokens.h"

namespace vqc {

using Json = nlohmann::ordered_json;

// What came with a picture or sound: a caption, a label.
struct Sidecar {
  std::string extension;  // "txt", "seg.png": without a leading dot
  std::vector<uint8_t> bytes;
};

struct TokenItem {
  std::string key;              // see CleanKey; unique within a set
  Json facts = Json::object();  // source, width, height, channels, ...: what decoding needs
  std::vector<uint64_t> shape;  // of the ids as an array, row major
  std::vector<uint32_t> ids;
  std::vector<Sidecar> sidecars;  // by extension, each once
};

// What all items of a set have in common.
struct TokenLayout {
  Modality modality = Modality::kImage;
  std::vector<uint32_t> vocab;  // one entry a level

  size_t IdBytes() const;  // 2 where every id fits, else 4
  std::vector<uint64_t> LevelOffsets()
      const;                    // of each level in a vocabulary that holds all levels one by one
  uint64_t Vocabulary() const;  // entries of that one
  bool operator==(const TokenLayout&) const = default;
};

// Pictures: [row, column], and [row, column, level] of models with several levels. Sound: [channel, time,
// level]; channels that a model takes together are one. Actions: [chunk, row, column, level].
std::vector<uint64_t> ArrayShape(const TokenLayout& layout, const TokenShape& shape, uint64_t channels);
std::vector<std::string> AxesOf(const TokenLayout& layout);
// The tokens in such an array: of sound, one map for each channel. Errors (kCorruptData): a shape of another
// rank, a number of ids that is not the shape's, ids beyond the vocabulary.
Result<std::vector<Tokens>> TokensOf(const TokenItem& item, const TokenLayout& layout);

// A path relative to a folder, safe as a file name below any: no empty, "." or ".." parts, no control
// characters, no bytes that are not UTF-8, no dot in the last part (readers of tar shards end a key there),
// at most 200 bytes.
std::string CleanKey(std::string_view name);

bool IsUtf8(std::string_view text);

// {"key", "shape", facts..., "sidecars"}: sidecars by extension, as text where they are UTF-8, else
// {"base64": ...}; left out where there are none.
Json RecordOf(const TokenItem& item);
std::string RecordLine(const Json& record);  // one line and its end
// The item of such a record, without its ids; the key is made clean. The keys of `other`, which its format
// adds, do not become facts.
Result<TokenItem> ItemOf(const nlohmann::json& record, std::span<const std::string_view> other = {});
// The same from a line of JSON.
Result<nlohmann::json> ParseRecord(std::string_view line, const Limits& limits);

}  // namespace vqc
