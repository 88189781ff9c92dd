// SPDX-License-Identifier: Apache-2.0
#include "entropy/blockwise_prior.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "entropy/blockwise_match.h"
#include "entropy/blockwise_order0.h"
#include "entropy/rans/levels.h"

namespace vqc {
namespace {

std::vector<uint8_t> EncodeWith(const Tokens& tokens, std::span<const Match> list) {
  ByteWriter out;
  out.U8(static_cast<uint8_t>(list.size()));
  for (const Match match : list) out.U8(static_cast<uint8_t>(match));
  if (!list.empty()) {
    out.Append(EncodeMatches(tokens, list));
    return std::move(out).Take();
  }
  std::vector<uint32_t> scratch;
  for (size_t level = 0; level < tokens.vocab.size(); ++level) {
    if (tokens.vocab[level] == 1) continue;
    const auto bytes = EncodeOrder0(rans::LevelOf(tokens, level, scratch), tokens.vocab[level]);
    out.Varint(bytes.size());
    out.Append(bytes);
  }
  return std::move(out).Take();
}

// Whole times, or else whole rows, from the start, of about 2^14 tokens.
Tokens SampleOf(const Tokens& tokens) {
  constexpr size_t kSample = 1u << 14;
  TokenShape shape = tokens.shape;
  const size_t row = size_t{shape.w} * shape.levels, time = row * shape.h;
  if (time <= kSample) {
    shape.t = static_cast<uint32_t>(std::min<size_t>(shape.t, kSample / time));
  } else {
    shape.t = 1;
    shape.h = static_cast<uint32_t>(std::clamp<size_t>(kSample / row, 1, shape.h));
  }
  Tokens sample{shape, tokens.vocab, {}};
  sample.ids.assign(tokens.ids.begin(), tokens.ids.begin() + static_cast<ptrdiff_t>(shape.Count()));
  return sample;
}

// The neighbour that most tokens repeat among those that repeat none of the list, and how many do.
std::pair<Match, size_t> MostRepeated(const Tokens& tokens, std::span<const Match> list) {
  std::array<size_t, kMatches> repeats{};
  Place place;
  for (size_t i = 0; i < tokens.ids.size(); ++i, place.Advance(tokens.shape)) {
    const auto repeated = [&](Match match) {
      const size_t distance = DistanceOf(match, place, tokens.shape);
      return distance > 0 && tokens.ids[i - distance] == tokens.ids[i];
    };
    if (std::any_of(list.begin(), list.end(), repeated)) continue;
    for (size_t match = 0; match < kMatches; ++match) repeats[match] += repeated(Match(match));
  }
  const auto most = std::max_element(repeats.begin(), repeats.end());
  return {Match(most - repeats.begin()), *most};
}

// Neighbours are added, the most repeated first, as long as the sample gets smaller by 1/512.
std::vector<Match> ChooseNeighbours(const Tokens& tokens) {
  const Tokens sample = SampleOf(tokens);
  std::vector<Match> list;
  size_t least = 0;
  while (list.size() < kMatches) {
    const auto [match, repeats] = MostRepeated(sample, list);
    if (repeats < sample.ids.size() / 64 + 2) break;
    if (list.empty()) least = EncodeWith(sample, list).size();
    list.push_back(match);
    const size_t size = EncodeWith(sample, list).size();
    if (size >= least - least / 512) {
      list.pop_back();
      break;
    }
    least = size;
  }
  return list;
}

class BlockwiseModel final : public PriorModel, public ChunkCoder {
 public:
  std::unique_ptr<Prior> NewPrior() const override { return nullptr; }
  const ChunkCoder* Coder() const override { return this; }

  Result<std::vector<uint8_t>> Encode(const Tokens& tokens) const override {
    VQC_TRY(rans::CheckVocabularies(tokens.vocab));
    return EncodeWith(tokens, ChooseNeighbours(tokens));
  }

  Result<Tokens> Decode(const TokenShape& shape, std::span<const uint32_t> vocab,
                        std::span<const uint8_t> bytes) const override {
    VQC_TRY(rans::CheckVocabularies(vocab));
    ByteReader in(bytes);
    VQC_ASSIGN(const std::vector<Match> list, ReadList(in));
    Tokens tokens{shape, {vocab.begin(), vocab.end()}, {}};
    if (!list.empty()) {
      tokens.ids.resize(shape.Count());
      VQC_TRY(DecodeMatches(in.Bytes(in.remaining()), list, tokens));
      return tokens;
    }
    if (shape.levels > 1) tokens.ids.resize(shape.Count());
    for (size_t level = 0; level < vocab.size(); ++level) {
      std::vector<uint32_t> ids(shape.Positions());
      if (vocab[level] > 1) {
        const auto coded = in.Bytes(in.Varint());
        if (!in.ok()) return Error{ErrorCode::kCorruptData, "the coded tokens are cut off"};
        VQC_TRY(DecodeOrder0(coded, vocab[level], ids));
      }
      rans::SetLevel(tokens, level, std::move(ids));
    }
    if (in.remaining() == 0) return tokens;
    return Error{ErrorCode::kCorruptData,
                 std::to_string(in.remaining()) + " bytes follow the coded tokens; damaged"};
  }

 private:
  static Result<std::vector<Match>> ReadList(ByteReader& in) {
    const size_t size = in.U8();
    std::vector<Match> list;
    for (size_t i = 0; i < size && in.ok(); ++i) {
      const auto match = static_cast<Match>(in.U8());
      const bool known = static_cast<size_t>(match) < kMatches;
      if (!known || std::find(list.begin(), list.end(), match) != list.end()) {
        return Error{ErrorCode::kCorruptData,
                     "the list of neighbours names one twice or an unknown one; damaged"};
      }
      list.push_back(match);
    }
    if (!in.ok()) return Error{ErrorCode::kCorruptData, "the coded tokens are cut off"};
    return list;
  }
};

}  // namespace

std::shared_ptr<const PriorModel> MakeBlockwisePrior(const Factors&) {
  return std::make_shared<BlockwiseModel>();
}

}  // namespace vqc
