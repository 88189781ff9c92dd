// SPDX-License-Identifier: Apache-2.0
// WebDataset: a tar whose consecutive members with one key are a sample; the key ends at the first dot of a
// name's last part.
#include <algorithm>
#include <map>

#include "base/npy.h"
#include "base/printable.h"
#include "data/tokens/shard_formats.h"
#include "data/tokens/tar.h"

namespace vqc {
namespace {

constexpr std::string_view kIds = "tokens.npy", kRecord = "tokens.json";

class Writer : public ShardWriter {
 public:
  Writer(HashedFile file, const TokenLayout& layout) : file_(std::move(file)), layout_(layout) {}

  Status Add(const TokenItem& item) override {
    Json record = {{"key", item.key}};
    record.update(item.facts);
    const size_t id_bytes = layout_.IdBytes();
    const std::string header = NpyHeaderOf(NpyTypeOf(id_bytes), item.shape), line = RecordLine(record);
    std::vector<uint8_t> ids(header.begin(), header.end());
    const auto bytes = BytesOfIds(item.ids, id_bytes);
    ids.insert(ids.end(), bytes.begin(), bytes.end());
    const std::vector<uint8_t> text(line.begin(), line.end());
    std::map<std::string_view, std::span<const uint8_t>> members = {{kIds, ids}, {kRecord, text}};
    for (const Sidecar& sidecar : item.sidecars) {
      if (!members.emplace(sidecar.extension, sidecar.bytes).second) {
        return Error{ErrorCode::kInput, Printable(item.key) + ": comes with a " +
                                            Printable(sidecar.extension) +
                                            ", a name that its tokens need; rename it"};
      }
    }
    for (const auto& [extension, content] : members) {
      VQC_TRY(file_.Write(TarHeader(item.key + "." + std::string(extension), content.size())));
      VQC_TRY(file_.Write(content));
      VQC_TRY(
          file_.Write(std::string(static_cast<size_t>(TarPadded(content.size()) - content.size()), '\0')));
    }
    return {};
  }

  Result<std::vector<ShardFile>> Finish() override {
    VQC_TRY(file_.Write(TarEnd(file_.size())));
    VQC_ASSIGN(ShardFile facts, file_.Commit());
    return std::vector{std::move(facts)};
  }

 private:
  HashedFile file_;
  TokenLayout layout_;
};

class Reader : public ShardReader {
 public:
  Reader(MappedFile file, std::vector<TarMember> members, const Limits& limits)
      : file_(std::move(file)), members_(std::move(members)), limits_(limits) {}

  Result<std::optional<TokenItem>> Next() override {
    if (next_ == members_.size()) return std::optional<TokenItem>();
    const std::string key(SplitKey(members_[next_].name).first);
    TokenItem item;
    item.key = CleanKey(key);
    bool has_ids = false;
    for (; next_ < members_.size(); ++next_) {
      const auto [member_key, extension] = SplitKey(members_[next_].name);
      if (member_key != key) break;
      const auto bytes = file_.bytes().subspan(members_[next_].offset, members_[next_].size);
      if (extension == kIds) {
        if (has_ids) return Repeated(key, extension);
        VQC_ASSIGN(const IdArray array, ReadIdArray(bytes));
        item.shape = array.shape;
        item.ids = IdsOfBytes(array.bytes, array.id_bytes);
        has_ids = true;
      } else if (extension == kRecord) {
        VQC_ASSIGN(const auto record,
                   ParseRecord({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, limits_));
        VQC_ASSIGN(TokenItem read, ItemOf(record));
        item.facts = std::move(read.facts);
      } else {
        item.sidecars.push_back({std::string(extension), {bytes.begin(), bytes.end()}});
      }
    }
    if (has_ids) return std::optional(std::move(item));
    return Error{ErrorCode::kCorruptData, Printable(key) + ": has no member " + std::string(kIds) +
                                              "; it is no sample of tokens, or damaged"};
  }

 private:
  static Error Repeated(const std::string& key, std::string_view extension) {
    return Error{ErrorCode::kCorruptData, Printable(key) + ": has two members " + std::string(extension)};
  }

  MappedFile file_;
  std::vector<TarMember> members_;
  Limits limits_;
  size_t next_ = 0;
};

}  // namespace

WriterResult CreateWebdataset(const std::string& folder, const std::string& stem, const TokenLayout& layout) {
  VQC_ASSIGN(HashedFile file, HashedFile::Create(folder, stem + ".tar"));
  return std::unique_ptr<ShardWriter>(std::make_unique<Writer>(std::move(file), layout));
}

ReaderResult OpenWebdataset(const std::string& path, const TokenLayout&, const Limits& limits) {
  VQC_ASSIGN(MappedFile file, MappedFile::Open(path + ".tar"));
  auto members = TarMembers(file.bytes(), path + ".tar");
  if (!members.ok()) return Error{ErrorCode::kCorruptData, members.error().message};
  return std::unique_ptr<ShardReader>(std::make_unique<Reader>(std::move(file), std::move(*members), limits));
}

}  // namespace vqc
