// SPDX-License-Identifier: Apache-2.0
// A line of JSON for each item: its record, and "tokens", the ids in a row.
#include "base/printable.h"
#include "data/tokens/shard_formats.h"

namespace vqc {
namespace {

constexpr std::string_view kTokens[] = {"tokens"};

class Writer : public ShardWriter {
 public:
  explicit Writer(HashedFile file) : file_(std::move(file)) {}

  Status Add(const TokenItem& item) override {
    Json record = RecordOf(item);
    record["tokens"] = item.ids;
    return file_.Write(RecordLine(record));
  }

  Result<std::vector<ShardFile>> Finish() override {
    VQC_ASSIGN(ShardFile facts, file_.Commit());
    return std::vector{std::move(facts)};
  }

 private:
  HashedFile file_;
};

class Reader : public ShardReader {
 public:
  Reader(MappedFile file, const Limits& limits) : file_(std::move(file)), lines_(TextOf(file_), limits) {}

  Result<std::optional<TokenItem>> Next() override {
    VQC_ASSIGN(const auto record, lines_.Next());
    if (!record) return std::optional<TokenItem>();
    VQC_ASSIGN(TokenItem item, ItemOf(*record, kTokens));
    const auto tokens = record->find("tokens");
    bool good = tokens != record->end() && tokens->is_array() && tokens->size() == CountOf(item.shape);
    for (size_t i = 0; good && i < tokens->size(); ++i) {
      const auto& id = (*tokens)[i];
      good = id.is_number_unsigned() && id.get<uint64_t>() <= UINT32_MAX;
      if (good) item.ids.push_back(id.get<uint32_t>());
    }
    if (good) return std::optional(std::move(item));
    return Error{ErrorCode::kCorruptData,
                 Printable(item.key) + ": its tokens are not as many ids as its shape says"};
  }

 private:
  MappedFile file_;
  RecordLines lines_;
};

}  // namespace

WriterResult CreateJsonl(const std::string& folder, const std::string& stem, const TokenLayout&) {
  VQC_ASSIGN(HashedFile file, HashedFile::Create(folder, stem + ".jsonl"));
  return std::unique_ptr<ShardWriter>(std::make_unique<Writer>(std::move(file)));
}

ReaderResult OpenJsonl(const std::string& path, const TokenLayout&, const Limits& limits) {
  VQC_ASSIGN(MappedFile file, MappedFile::Open(path + ".jsonl"));
  return std::unique_ptr<ShardReader>(std::make_unique<Reader>(std::move(file), limits));
}

}  // namespace vqc
