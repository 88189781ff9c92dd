// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/item.h"

#include <algorithm>
#include <numeric>

#include "base/base64.h"
#include "base/json.h"
#include "base/printable.h"

namespace vqc {
namespace {

constexpr size_t kMaxKeyBytes = 200;
constexpr size_t kMaxRank = 4;
constexpr uint64_t kMaxIds = uint64_t{1} << 40;

Error Damaged(const std::string& what) { return {ErrorCode::kCorruptData, what}; }

std::string_view TextOf(const std::vector<uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Without the bytes after `size` that would cut a character in two.
std::string CutText(std::string text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  text.resize(size);
  return text;
}

Result<std::vector<uint64_t>> ShapeOf(const nlohmann::json& record) {
  std::vector<uint64_t> shape;
  const auto found = record.find("shape");
  if (found == record.end()) return shape;
  uint64_t count = 1;
  bool good = found->is_array() && !found->empty() && found->size() <= kMaxRank;
  for (size_t i = 0; good && i < found->size(); ++i) {
    const auto& size = (*found)[i];
    good = size.is_number_unsigned() && size.get<uint64_t>() > 0 && size.get<uint64_t>() <= kMaxIds / count;
    if (good) count *= shape.emplace_back(size.get<uint64_t>());
  }
  if (!good) return Damaged("the record's shape is no list of 1 to 4 sizes from 1");
  return shape;
}

Result<Sidecar> SidecarOf(const std::string& extension, const nlohmann::json& value) {
  Sidecar sidecar{extension, {}};
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    sidecar.bytes.assign(text.begin(), text.end());
    return sidecar;
  }
  const auto found = value.is_object() ? value.find("base64") : value.end();
  if (value.is_object() && found != value.end() && found->is_string()) {
    auto bytes = FromBase64(found->get_ref<const std::string&>());
    if (bytes) {
      sidecar.bytes = std::move(*bytes);
      return sidecar;
    }
  }
  return Damaged("the sidecar " + Printable(extension) + " is neither text nor base64");
}

}  // namespace

size_t TokenLayout::IdBytes() const {
  return std::all_of(vocab.begin(), vocab.end(), [](uint32_t size) { return size <= 65536; }) ? 2 : 4;
}

std::vector<uint64_t> TokenLayout::LevelOffsets() const {
  std::vector<uint64_t> offsets;
  uint64_t sum = 0;
  for (const uint32_t size : vocab) {
    offsets.push_back(sum);
    sum += size;
  }
  return offsets;
}

uint64_t TokenLayout::Vocabulary() const { return std::accumulate(vocab.begin(), vocab.end(), uint64_t{0}); }

std::vector<uint64_t> ArrayShape(const TokenLayout& layout, const TokenShape& shape, uint64_t channels) {
  if (layout.modality == Modality::kAudio) return {channels, shape.t, shape.levels};
  if (layout.modality == Modality::kAction) return {shape.t, shape.h, shape.w, shape.levels};
  if (layout.vocab.size() == 1) return {shape.h, shape.w};
  return {shape.h, shape.w, shape.levels};
}

std::vector<std::string> AxesOf(const TokenLayout& layout) {
  if (layout.modality == Modality::kAudio) return {"channel", "time", "level"};
  if (layout.modality == Modality::kAction) return {"chunk", "row", "column", "level"};
  if (layout.vocab.size() == 1) return {"row", "column"};
  return {"row", "column", "level"};
}

Result<std::vector<Tokens>> TokensOf(const TokenItem& item, const TokenLayout& layout) {
  const std::string name = Printable(item.key);
  const bool sound = layout.modality == Modality::kAudio, actions = layout.modality == Modality::kAction;
  const auto levels = static_cast<uint32_t>(layout.vocab.size());
  const auto& shape = item.shape;
  if (shape.size() != AxesOf(layout).size() || (shape.size() > 2 && shape.back() != levels)) {
    return Damaged(name + ": its shape is not that of tokens of this model with " + std::to_string(levels) +
                   (levels == 1 ? " level" : " levels"));
  }
  uint64_t count = 1;
  for (const uint64_t size : shape) {
    if (size == 0 || size > UINT32_MAX || size > kMaxIds / count)
      return Damaged(name + ": its shape is absurd");
    count *= size;
  }
  if (count != item.ids.size()) {
    return Damaged(name + ": holds " + std::to_string(item.ids.size()) + " ids, its shape says " +
                   std::to_string(count));
  }
  for (size_t i = 0; i < item.ids.size(); ++i) {
    if (item.ids[i] >= layout.vocab[i % levels]) {
      return Damaged(name + ": id " + std::to_string(i) + " is " + std::to_string(item.ids[i]) +
                     ", the vocabulary has " + std::to_string(layout.vocab[i % levels]) + " entries");
    }
  }
  const size_t channels = sound ? shape[0] : 1, size = item.ids.size() / channels;
  TokenShape one{.levels = levels};
  if (sound) {
    one.t = static_cast<uint32_t>(shape[1]);
  } else if (actions) {
    one.t = static_cast<uint32_t>(shape[0]);
    one.h = static_cast<uint32_t>(shape[1]);
    one.w = static_cast<uint32_t>(shape[2]);
  } else {
    one.h = static_cast<uint32_t>(shape[0]);
    one.w = static_cast<uint32_t>(shape[1]);
  }
  std::vector<Tokens> all;
  for (auto at = item.ids.begin(); at != item.ids.end(); at += static_cast<ptrdiff_t>(size)) {
    all.push_back({one, layout.vocab, {at, at + static_cast<ptrdiff_t>(size)}});
  }
  return all;
}

bool IsUtf8(std::string_view text) {
  try {
    nlohmann::json(std::string(text)).dump();
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

std::string CleanKey(std::string_view name) {
  std::string key;
  while (!name.empty()) {
    const size_t slash = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, slash);
    name.remove_prefix(std::min(slash + 1, name.size()));
    if (part.empty() || part == ".") continue;
    if (!key.empty()) key += '/';
    key += part == ".." ? "__" : part;
  }
  const bool utf8 = IsUtf8(key);
  for (char& c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || c == '\\' || (!utf8 && byte >= 0x80)) c = '_';
  }
  std::replace(key.begin() + static_cast<ptrdiff_t>(key.rfind('/') + 1), key.end(), '.', '_');
  key = CutText(std::move(key), kMaxKeyBytes);
  while (key.ends_with('/')) key.pop_back();
  // What is cut may leave a folder as the last part.
  std::replace(key.begin() + static_cast<ptrdiff_t>(key.rfind('/') + 1), key.end(), '.', '_');
  return key.empty() ? "_" : key;
}

Json RecordOf(const TokenItem& item) {
  Json record = {{"key", item.key}, {"shape", item.shape}};
  record.update(item.facts);
  for (const Sidecar& sidecar : item.sidecars) {
    const std::string_view text = TextOf(sidecar.bytes);
    Json& value = record["sidecars"][sidecar.extension];
    if (IsUtf8(text)) {
      value = text;
    } else {
      value = {{"base64", ToBase64(sidecar.bytes)}};
    }
  }
  return record;
}

std::string RecordLine(const Json& record) {
  return record.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<TokenItem> ItemOf(const nlohmann::json& record, std::span<const std::string_view> other) {
  TokenItem item;
  const auto key = record.find("key");
  if (key == record.end() || !key->is_string()) return Damaged("a record has no key");
  item.key = CleanKey(key->get_ref<const std::string&>());
  VQC_ASSIGN(item.shape, ShapeOf(record));
  for (const auto& [name, value] : record.items()) {
    if (name == "key" || name == "shape" || std::find(other.begin(), other.end(), name) != other.end())
      continue;
    if (name != "sidecars") {
      item.facts[name] = value;
      continue;
    }
    if (!value.is_object()) return Damaged(Printable(item.key) + ": its sidecars are no object");
    for (const auto& [extension, content] : value.items()) {
      VQC_ASSIGN(Sidecar sidecar, SidecarOf(extension, content));
      item.sidecars.push_back(std::move(sidecar));
    }
  }
  return item;
}

Result<nlohmann::json> ParseRecord(std::string_view line, const Limits& limits) {
  auto record = ParseJsonObject(line, {.max_values = static_cast<size_t>(limits.max_tokens) + 4096});
  if (!record.ok()) return Damaged("a record is " + record.error().message);
  return record;
}

}  // namespace vqc
