// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/source.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "base/beyond_limit.h"
#include "base/file.h"
#include "base/file_part.h"
#include "base/folder.h"
#include "base/mapped_file.h"
#include "base/printable.h"
#include "data/tokens/item.h"
#include "data/tokens/patterns.h"
#include "data/tokens/tar.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kMaxListBytes = 1ull << 32;
constexpr std::string_view kSidecars[] = {"cls", "json", "txt"};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::string ExtensionOf(std::string_view name) { return Lower(fs::path(name).extension().string()); }

std::shared_ptr<const std::string> Shared(std::string path) {
  return std::make_shared<const std::string>(std::move(path));
}

// The whole file; nullopt where there is no such regular file.
std::optional<Extent> WholeFile(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return Extent{Shared(path), 0, static_cast<uint64_t>(info.st_size), true};
}

// With six digits at least, so that names sort as rows do.
std::string Numbered(size_t row) {
  const std::string digits = std::to_string(row);
  return std::string(6 - std::min<size_t>(digits.size(), 6), '0') + digits;
}

class Finder {
 public:
  explicit Finder(const SourceOptions& options) : options_(options) {}

  Status Add(const std::string& path) {
    if (path == "-") {
      return Error{ErrorCode::kUsage,
                   "standard input is no source; --files-from - reads a list of names from it"};
    }
    VQC_ASSIGN(const auto names, ExpandPattern(path));
    for (const std::string& name : names) {
      std::error_code ignored;
      const std::string extension = ExtensionOf(name);
      if (fs::is_directory(name, ignored)) {
        VQC_TRY(AddFolder(name));
      } else if (extension == ".tar") {
        VQC_TRY(AddTar(name));
      } else if (IsTable(name)) {
        VQC_TRY(AddTable(name, name, true));
      } else if (name.ends_with(".tar.gz") || extension == ".tgz") {
        return Error{ErrorCode::kInput,
                     Printable(name) + ": a compressed tar is not read; unpack it with gunzip"};
      } else {
        AddFile(name, name, true);
      }
    }
    return {};
  }

  std::vector<SourceItem> Take() && { return std::move(items_); }

 private:
  bool IsTable(const std::string& path) const { return options_.table && ExtensionOf(path) == ".parquet"; }

  void AddFile(const std::string& path, const std::string& name, bool probe) {
    SourceItem item;
    item.name = name;
    item.media = WholeFile(path).value_or(Extent{Shared(path), 0, 0, true});
    const std::string stem = fs::path(path).replace_extension().string();
    for (const std::string_view extension : kSidecars) {
      const std::string sidecar = stem + "." + std::string(extension);
      if (sidecar == path || (!probe && !files_.contains(sidecar))) continue;
      if (auto extent = WholeFile(sidecar))
        item.sidecars.push_back({std::string(extension), std::move(*extent)});
    }
    const std::string key = fs::path(name).replace_extension().string();
    const auto parts = options_.parts_of ? options_.parts_of(path) : std::vector<SourcePart>();
    for (size_t i = 0; i < parts.size(); ++i) {
      SourceItem own = item;
      own.part = i;
      own.media.size = parts[i].size;
      own.media.whole = false;
      if (parts.size() > 1) own.name += ":" + parts[i].name;
      Push(std::move(own), parts.size() > 1 ? key + "/" + parts[i].name : key);
    }
    if (parts.empty()) Push(std::move(item), key);
  }

  Status AddFolder(const std::string& folder) {
    VQC_ASSIGN(const auto paths, FilesBelow(folder, options_.is_left_out));
    files_ = {paths.begin(), paths.end()};
    for (const std::string& path : paths) {
      const std::string name = fs::path(path).lexically_relative(folder).string();
      if (IsTable(path)) {
        VQC_TRY(AddTable(path, name, false));
      } else if (options_.is_media(ExtensionOf(path))) {
        AddFile(path, name, false);
      }
    }
    return {};
  }

  Status AddTable(const std::string& path, const std::string& name, bool is_named) {
    const auto in_table = [&](const Error& error) {
      return Error{error.code, Printable(path) + ": " + error.message};
    };
    auto table = OpenTable(path, *options_.table, options_.limits);
    if (!table.ok()) return in_table(table.error());
    if (!*table && !is_named) return {};
    if (!*table) {
      return in_table({ErrorCode::kInput,
                       "has no column of media, which are bytes, or a struct of which a field bytes is"});
    }
    auto keys = (*table)->Keys(options_.limits);
    if (!keys.ok()) return in_table(keys.error());
    const std::string stem = fs::path(name).replace_extension().string();
    for (size_t row = 0; row < keys->size(); ++row) {
      SourceItem item;
      item.name = name + ":" + std::to_string(row);
      item.media.size = (*table)->BytesOf(row);
      item.part = row;
      item.table = *table;
      const std::string& key = (*keys)[row];
      Push(std::move(item), key.empty() ? stem + "/" + Numbered(row) : key);
    }
    return {};
  }

  Status AddTar(const std::string& path) {
    VQC_ASSIGN(const MappedFile file, MappedFile::Open(path));
    VQC_ASSIGN(const auto members, TarMembers(file.bytes(), path));
    const auto shared = Shared(path);
    const std::string base = fs::path(path).filename().string();
    for (size_t begin = 0, end; begin < members.size(); begin = end) {
      const auto key = SplitKey(members[begin].name).first;
      for (end = begin + 1; end < members.size() && SplitKey(members[end].name).first == key; ++end) {
      }
      AddSample({members.data() + begin, end - begin}, key, shared, base);
    }
    return {};
  }

  // The medium is the member whose extension has no dot in it, then the first by name.
  void AddSample(std::span<const TarMember> members, std::string_view key,
                 const std::shared_ptr<const std::string>& path, const std::string& base) {
    SourceItem item;
    item.name = base + ":" + std::string(key);
    const TarMember* media = nullptr;
    const auto rank = [](const TarMember& member) {
      const auto extension = SplitKey(member.name).second;
      return std::pair(extension.find('.') != std::string_view::npos, extension);
    };
    for (const TarMember& member : members) {
      const bool fits = options_.is_media(ExtensionOf(member.name));
      if (fits && (!media || rank(member) < rank(*media))) media = &member;
    }
    if (media) {
      item.media = {path, media->offset, media->size};
      item.name = base + ":" + media->name;
    }
    for (const TarMember& member : members) {
      const auto extension = SplitKey(member.name).second;
      if (&member == media || extension.empty()) continue;
      item.sidecars.push_back({Lower(extension), {path, member.offset, member.size}});
    }
    // No two with one name, in a fixed order.
    std::stable_sort(item.sidecars.begin(), item.sidecars.end(),
                     [](const auto& a, const auto& b) { return a.extension < b.extension; });
    item.sidecars.erase(std::unique(item.sidecars.begin(), item.sidecars.end(),
                                    [](const auto& a, const auto& b) { return a.extension == b.extension; }),
                        item.sidecars.end());
    Push(std::move(item), std::string(key));
  }

  void Push(SourceItem item, const std::string& key) {
    const std::string clean = CleanKey(key);
    item.key = clean;
    for (size_t& number = numbers_[clean]; !keys_.insert(item.key).second;) {
      number = std::max<size_t>(number + 1, 2);
      item.key = clean + "-" + std::to_string(number);
    }
    items_.push_back(std::move(item));
  }

  const SourceOptions& options_;
  std::vector<SourceItem> items_;
  std::unordered_set<std::string> keys_;
  std::unordered_map<std::string, size_t> numbers_;  // the last one that a key was given
  std::unordered_set<std::string> files_;            // of the folder that is being added
};

Result<std::vector<std::string>> ReadList(const SourceOptions& options) {
  VQC_ASSIGN(const auto bytes, ReadFile(options.files_from, kMaxListBytes));
  const char separator = options.null_separated ? '\0' : '\n';
  std::vector<std::string> names(1);
  for (const uint8_t byte : bytes) {
    if (static_cast<char>(byte) == separator) {
      names.emplace_back();
    } else {
      names.back().push_back(static_cast<char>(byte));
    }
  }
  std::erase_if(names, [](const std::string& name) { return name.empty(); });
  return names;
}

}  // namespace

Result<std::vector<uint8_t>> ReadExtent(const Extent& extent, const std::string& name, uint64_t max_bytes,
                                        std::string_view limit) {
  const auto failed = [&](const std::string& what) {
    return Error{ErrorCode::kInput, Printable(name) + ": " + what};
  };
  if (!extent.path) return failed("has no member of a kind that fits the model");
  if (extent.size > max_bytes) {
    return BeyondLimit(Printable(name) + ": holds " + std::to_string(extent.size) + " bytes", limit,
                       max_bytes);
  }
  auto bytes = ReadFilePart(*extent.path, extent.offset, extent.size);
  if (!bytes.ok()) return failed(bytes.error().message);
  return bytes;
}

Result<std::vector<SourceItem>> FindItems(const SourceOptions& options) {
  Finder finder(options);
  std::vector<std::string> paths = options.paths;
  if (!options.files_from.empty()) {
    VQC_ASSIGN(const auto listed, ReadList(options));
    paths.insert(paths.end(), listed.begin(), listed.end());
  }
  if (paths.empty())
    return Error{ErrorCode::kUsage, "no source; name files, folders or tars, or give --files-from"};
  for (const std::string& path : paths) VQC_TRY(finder.Add(path));
  std::vector<SourceItem> items = std::move(finder).Take();
  if (items.empty()) {
    return Error{ErrorCode::kInput,
                 Printable(paths.front()) + ": holds no file of a kind that fits the model"};
  }
  return items;
}

Sha256 IdentityOf(const std::vector<SourceItem>& items) {
  Sha256Hasher hasher;
  hasher.AddU64(items.size());
  for (const SourceItem& item : items) {
    hasher.AddSized(item.key);
    hasher.AddSized(item.name);
    hasher.AddU64(item.media.size);
    hasher.AddU64(item.sidecars.size());
    for (const SourceSidecar& sidecar : item.sidecars) {
      hasher.AddSized(sidecar.extension);
      hasher.AddU64(sidecar.extent.size);
    }
  }
  return hasher.Finish();
}

}  // namespace vqc
