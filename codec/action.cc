// SPDX-License-Identifier: Apache-2.0
#include "codec/action.h"

#include <algorithm>
#include <utility>

#include "base/stopwatch.h"
#include "codec/token_check.h"

namespace vqc {
namespace {

// Times [first, first + count) of an episode's tokens.
Tokens Times(const Tokens& tokens, uint32_t first, uint32_t count) {
  Tokens part{tokens.shape, tokens.vocab, {}};
  part.shape.t = count;
  const size_t each = tokens.ids.size() / tokens.shape.t;
  const auto begin = tokens.ids.begin() + static_cast<std::ptrdiff_t>(first * each);
  part.ids.assign(begin, begin + static_cast<std::ptrdiff_t>(count * each));
  return part;
}

Result<Tokens> ReadChunkTokens(const Stream& stream, const Chunk& chunk, const Bundle& bundle,
                               const Limits& limits) {
  const TokenizerInfo& info = bundle.tokenizer->Info();
  TokenShape shape = bundle.tokenizer->ShapeOf(static_cast<int>(chunk.frames), 1, 1);
  const uint32_t dropped = stream.header.height - 1;
  if (dropped >= shape.levels || (dropped > 0 && !info.nested)) {
    return Error{ErrorCode::kCorruptData, "the stream leaves out " + std::to_string(dropped) + " of " +
                                              std::to_string(shape.levels) + " levels; it is damaged"};
  }
  shape.levels -= dropped;
  const std::vector<uint32_t> vocab(info.vocab.begin(), info.vocab.begin() + shape.levels);
  const PayloadView payload{stream.header.model_key, stream.header.coding, shape, vocab, chunk.payload};
  VQC_ASSIGN(Tokens tokens, DecodePayload(payload, bundle, limits));
  VQC_TRY(CheckTokenCrc(tokens, chunk));
  return tokens;
}

}  // namespace

Result<uint32_t> LevelsToKeep(int wanted, const Bundle& bundle) {
  const TokenizerInfo& info = bundle.tokenizer->Info();
  const int all = static_cast<int>(info.vocab.size());
  if (wanted == 0 || wanted == all) return static_cast<uint32_t>(all);
  if (wanted < 1 || wanted > all || !info.nested) {
    return Error{ErrorCode::kUsage, "the model " + bundle.card.name + " has " + std::to_string(all) +
                                        " levels" + (info.nested ? "" : ", which cannot be cut") + "; " +
                                        std::to_string(wanted) + " are asked for"};
  }
  return static_cast<uint32_t>(wanted);
}

Tokens FirstLevels(const Tokens& tokens, uint32_t levels) {
  Tokens cut{tokens.shape, {tokens.vocab.begin(), tokens.vocab.begin() + levels}, {}};
  cut.shape.levels = levels;
  for (size_t at = 0; at < tokens.ids.size(); at += tokens.shape.levels) {
    for (size_t level = 0; level < levels; ++level) cut.ids.push_back(tokens.ids[at + level]);
  }
  return cut;
}

Result<EncodedClip> EncodeActions(const Clip& clip, const Bundle& bundle, int levels,
                                  const PayloadOptions& options) {
  if (clip.modality != Modality::kAction || bundle.card.modality != Modality::kAction) {
    return Error{ErrorCode::kUsage,
                 "the model " + bundle.card.name + " and its input must both be of actions"};
  }
  VQC_ASSIGN(const uint32_t kept, LevelsToKeep(levels, bundle));
  const Stopwatch watch;
  VQC_ASSIGN(auto batch, bundle.tokenizer->Encode({&clip, 1}));
  EncodedClip encoded;
  encoded.network_seconds = watch.Seconds();
  encoded.tokens = FirstLevels(batch.front(), kept);

  Stream stream;
  StreamHeader& header = stream.header;
  header.modality = Modality::kAction;
  header.channels = static_cast<uint32_t>(clip.channels);
  header.width = static_cast<uint32_t>(clip.source) + 1;
  header.height = static_cast<uint32_t>(bundle.tokenizer->Info().vocab.size()) - kept + 1;
  header.rate = clip.rate;
  header.model_key = bundle.card.Key();
  header.profile = bundle.tokenizer->Info().profile;
  const int frames = kActionStreamChunks * bundle.tokenizer->Info().stride;
  PayloadOptions own = options;
  for (int first = 0; first < clip.frames; first += frames) {
    Chunk& chunk = stream.chunks.emplace_back();
    chunk.first_frame = static_cast<uint64_t>(first);
    chunk.frames = static_cast<uint32_t>(std::min(frames, clip.frames - first));
    const auto time = static_cast<uint32_t>(first / bundle.tokenizer->Info().stride);
    const Tokens part =
        Times(encoded.tokens, time, std::min<uint32_t>(kActionStreamChunks, encoded.tokens.shape.t - time));
    VQC_ASSIGN(Payload payload, EncodePayload(part, bundle, own));
    // One coding for the whole stream: that of its first chunk.
    if (first == 0 && own.prior == "auto") own.prior = NameOfCoding(payload.coding & (kWindowedCoding - 1));
    header.coding = payload.coding;
    encoded.payload_bytes += payload.bytes.size();
    chunk.payload = std::move(payload.bytes);
    chunk.token_crc = TokenCrc(part);
  }
  VQC_ASSIGN(encoded.bytes, WriteStream(stream));
  return encoded;
}

Result<DecodedClip> DecodeActions(const Stream& stream, const Bundle& bundle, const DecodeOptions& options) {
  const StreamHeader& header = stream.header;
  if (header.modality != Modality::kAction || bundle.card.modality != Modality::kAction ||
      stream.chunks.empty()) {
    return Error{ErrorCode::kCorruptData, "the stream holds no actions, or its model is none of actions"};
  }
  DecodedClip decoded;
  const Stopwatch watch;
  for (const Chunk& chunk : stream.chunks) {
    const int most = kActionStreamChunks * bundle.tokenizer->Info().stride;
    if (chunk.frames > static_cast<uint32_t>(most)) {
      return Error{ErrorCode::kCorruptData, "a chunk has " + std::to_string(chunk.frames) +
                                                " steps, at most " + std::to_string(most) +
                                                " are written; the stream is damaged"};
    }
    VQC_ASSIGN(Tokens tokens, ReadChunkTokens(stream, chunk, bundle, options.limits));
    Tokenizer::Target target;
    target.frames = static_cast<int>(chunk.frames);
    target.channels = static_cast<int>(header.channels);
    target.source = static_cast<int>(header.width) - 1;
    VQC_ASSIGN(auto batch, bundle.tokenizer->Decode({&tokens, 1}, {&target, 1}));
    if (decoded.clip.data.empty()) {
      decoded.clip = std::move(batch.front());
      decoded.tokens = std::move(tokens);
    } else {
      decoded.clip.frames += batch.front().frames;
      decoded.clip.data.insert(decoded.clip.data.end(), batch.front().data.begin(), batch.front().data.end());
      decoded.tokens.shape.t += tokens.shape.t;
      decoded.tokens.ids.insert(decoded.tokens.ids.end(), tokens.ids.begin(), tokens.ids.end());
    }
  }
  decoded.clip.rate = header.rate;
  decoded.network_seconds = watch.Seconds();
  return decoded;
}

}  // namespace vqc
