// SPDX-License-Identifier: Apache-2.0
#include "entropy/rans/table_prior.h"

#include <string>
#include <utility>

#include "base/bytes.h"
#include "entropy/rans/levels.h"
#include "entropy/rans/symbols.h"

namespace vqc {
namespace {

class TableModel final : public PriorModel, public ChunkCoder {
 public:
  std::unique_ptr<Prior> NewPrior() const override { return nullptr; }
  const ChunkCoder* Coder() const override { return this; }

  Result<std::vector<uint8_t>> Encode(const Tokens& tokens) const override {
    VQC_TRY(rans::CheckVocabularies(tokens.vocab));
    ByteWriter out;
    std::vector<uint32_t> scratch;
    for (size_t level = 0; level < tokens.vocab.size(); ++level) {
      if (tokens.vocab[level] == 1) continue;
      rans::EncodeSymbols(rans::LevelOf(tokens, level, scratch), tokens.vocab[level], out);
    }
    return std::move(out).Take();
  }

  Result<Tokens> Decode(const TokenShape& shape, std::span<const uint32_t> vocab,
                        std::span<const uint8_t> bytes) const override {
    VQC_TRY(rans::CheckVocabularies(vocab));
    Tokens tokens{shape, {vocab.begin(), vocab.end()}, {}};
    if (shape.levels > 1) tokens.ids.resize(shape.Count());
    ByteReader in(bytes);
    for (size_t level = 0; level < vocab.size(); ++level) {
      std::vector<uint32_t> ids(shape.Positions());
      if (vocab[level] > 1) VQC_TRY(rans::DecodeSymbols(vocab[level], in, ids));
      rans::SetLevel(tokens, level, std::move(ids));
    }
    if (in.remaining() == 0) return tokens;
    return Error{ErrorCode::kCorruptData,
                 std::to_string(in.remaining()) + " bytes follow the coded tokens; damaged"};
  }
};

}  // namespace

Result<size_t> StoredTableBytes(std::span<const uint32_t> vocab, std::span<const uint8_t> payload) {
  VQC_TRY(rans::CheckVocabularies(vocab));
  ByteReader in(payload);
  size_t bytes = 0;
  for (const uint32_t size : vocab) {
    if (size == 1) continue;
    const size_t before = in.position();
    VQC_TRY(rans::ReadTable(size, in));
    bytes += in.position() - before;
    in.Bytes(in.Varint());
  }
  if (in.ok() && in.remaining() == 0) return bytes;
  return Error{ErrorCode::kCorruptData, "the coded tokens do not end where they should; damaged"};
}

std::shared_ptr<const PriorModel> MakeTablePrior(const Factors&) { return std::make_shared<TableModel>(); }

}  // namespace vqc
