// SPDX-License-Identifier: Apache-2.0
#include "codec/codec.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/stopwatch.h"
#include "base/within_memory.h"
#include "codec/alpha.h"
#include "codec/audio_grid.h"
#include "codec/rungs.h"
#include "codec/token_check.h"
#include "entropy/rate_distortion.h"
#include "tokenizers/outline.h"

namespace vqc {
namespace {

Status CheckImage(const Clip& clip) {
  if (clip.modality != Modality::kImage || clip.frames != 1) {
    return Error{ErrorCode::kUsage, "only still images can be encoded; give one picture"};
  }
  if (clip.channels < 1 || clip.channels > 4 || clip.height < 1 || clip.width < 1 ||
      clip.data.size() != clip.PlaneSize() * static_cast<size_t>(clip.channels)) {
    return Error{ErrorCode::kInternal, "an image needs 1 to 4 channels and as many samples as its sizes say"};
  }
  if (clip.bit_depth != 8 && clip.bit_depth != 16) {
    return Error{ErrorCode::kInternal,
                 "an image has 8 or 16 bits a sample, not " + std::to_string(clip.bit_depth)};
  }
  return {};
}

// The colour of an image as three channels, in the memory of the image.
Clip ColourOf(Clip clip) {
  const size_t plane = clip.PlaneSize();
  const bool gray = clip.channels <= 2;
  clip.channels = 3;
  clip.data.resize(3 * plane);
  if (!gray) return clip;
  for (size_t i = 1; i < 3; ++i) std::copy_n(clip.data.begin(), plane, clip.data.begin() + i * plane);
  return clip;
}

// The mirror: three channels to what the header says, still without alpha.
Clip FromColour(Clip colour, const StreamHeader& header) {
  colour.bit_depth = static_cast<int>(header.bit_depth);
  if (header.channels >= 3) return colour;
  const size_t plane = colour.PlaneSize();
  for (size_t i = 0; i < plane; ++i) {
    colour.data[i] = (colour.data[i] + colour.data[plane + i] + colour.data[2 * plane + i]) / 3.0f;
  }
  colour.data.resize(plane);
  colour.channels = 1;
  return colour;
}

std::vector<uint32_t> VocabOfBundle(const Bundle& bundle) {
  return bundle.tokenizer ? bundle.tokenizer->Info().vocab : VocabOf(bundle.card);
}

// The tokens of an image and, of salvage, what is known of them.
Status DecodeTokensOf(const Stream& stream, const Bundle& bundle, const DecodeOptions& options,
                      DecodedClip& decoded) {
  const Chunk& chunk = stream.chunks.front();
  if (!options.salvage) {
    VQC_ASSIGN(decoded.tokens, ReadTokens(stream, chunk, bundle, options.limits));
    return {};
  }
  VQC_ASSIGN(const PayloadView payload, PayloadOf(stream, chunk, bundle));
  VQC_ASSIGN(const uint32_t rung, RungOf(chunk, bundle));
  VQC_ASSIGN(const auto coding, CodingAt(rung, bundle));
  VQC_ASSIGN(SalvagedTokens salvaged, SalvagePayload(payload, *coding, options.limits));
  const auto lost = std::count(salvaged.known.begin(), salvaged.known.end(), uint8_t{0});
  if (lost > 0) {
    decoded.defects.push_back(std::to_string(salvaged.damaged) + " of " + std::to_string(salvaged.windows) +
                              " windows are damaged; " + std::to_string(lost) + " of " +
                              std::to_string(salvaged.known.size()) + " tokens are lost and made up");
    salvaged.tokens = FromRung(rung, std::move(salvaged.tokens), bundle);
    VQC_ASSIGN(decoded.tokens, FillUnknown(salvaged, bundle));
    decoded.known = std::move(salvaged.known);
    return {};
  }
  if (Status same = CheckTokenCrc(salvaged.tokens, chunk); !same.ok()) {
    decoded.defects.push_back(same.error().message);
  }
  decoded.tokens = FromRung(rung, std::move(salvaged.tokens), bundle);
  return {};
}

// Puts the alpha plane of `chunk` behind the channels of `decoded`.
Status AddAlpha(const StreamHeader& header, const Chunk& chunk, const DecodeOptions& options,
                DecodedClip& decoded) {
  const auto side = chunk.side.find(SideData::kAlpha);
  const bool wanted = header.channels % 2 == 0;
  if (!wanted && side == chunk.side.end()) return {};
  Result<std::vector<float>> plane =
      Error{ErrorCode::kCorruptData,
            "the stream has alpha without a picture that has it, or lacks it; it is damaged"};
  if (wanted && side != chunk.side.end()) {
    plane = DecodeAlpha(side->second, {header.height, header.width, header.bit_depth}, options.limits);
  }
  if (!plane.ok()) {
    if (!options.salvage) return std::move(plane).error();
    decoded.defects.push_back(plane.error().message + (wanted ? "; opaque instead" : ""));
    if (!wanted) return {};
    plane = std::vector<float>(decoded.clip.PlaneSize(), 1.0f);
  }
  decoded.clip.data.reserve(decoded.clip.data.size() + plane->size());  // and no more
  decoded.clip.data.insert(decoded.clip.data.end(), plane->begin(), plane->end());
  ++decoded.clip.channels;
  return {};
}

// The whole file of a picture of these tokens on a rung, coded by the bundle of that rung. The payload of
// `stream` changes.
Result<EncodedClip> WriteTokens(const Tokens& tokens, const Bundle& coding, const PayloadOptions& options,
                                Stream& stream) {
  EncodedClip encoded;
  VQC_ASSIGN(Payload payload, EncodePayload(tokens, coding, options));
  encoded.payload_bytes = payload.bytes.size();
  stream.header.coding = payload.coding;
  stream.chunks.front().payload = std::move(payload.bytes);
  stream.chunks.front().token_crc = TokenCrc(tokens);
  VQC_ASSIGN(encoded.bytes, WriteStream(stream));
  return encoded;
}

// The tokens of the model chosen with this weight.
Result<EncodedClip> CodeWithWeight(const Encoding& encoding, const Bundle& bundle, double weight,
                                   const PayloadOptions& options, Stream& stream) {
  Tokens tokens = encoding.tokens;
  if (weight > 0) {
    VQC_ASSIGN(tokens, OptimizeTokens(encoding.tokens, bundle.card.factors, encoding.positions, *bundle.prior,
                                      weight));
  }
  VQC_ASSIGN(EncodedClip encoded, WriteTokens(tokens, bundle, options, stream));
  encoded.rate_weight = weight;
  encoded.rung = RungsOf(bundle);
  encoded.tokens = std::move(tokens);
  return encoded;
}

// The same with the weight of `rate` or, where the file would be too large, with the least that fits.
Result<EncodedClip> CodeWithinRate(const Encoding& encoding, const Bundle& bundle, const RateOptions& rate,
                                   const PayloadOptions& options, Stream& stream) {
  const bool asked = rate.weight > 0 || rate.max_bytes > 0;
  const bool can = CanOptimize(encoding.tokens, bundle.card.factors, encoding.positions);
  if (asked && !can) {
    return Error{ErrorCode::kUsage, "the model " + bundle.card.name +
                                        " cannot trade quality for size; leave out the options of the rate"};
  }
  VQC_ASSIGN(EncodedClip encoded, CodeWithWeight(encoding, bundle, rate.weight, options, stream));
  // Who asks for windows or for a prior asks for its size.
  const bool free = options.window_bytes > 0 || options.prior != "auto";
  const size_t beside = encoded.bytes.size() - encoded.payload_bytes;
  const size_t most = rate.max_bytes > 0 ? rate.max_bytes : beside + DefaultMaxPayload(encoding.tokens);
  if (encoded.bytes.size() <= most || !can || (free && rate.max_bytes == 0)) return encoded;
  VQC_ASSIGN(const double weight, LeastWeight(rate.weight, most, [&](double tried) -> Result<size_t> {
               VQC_ASSIGN(encoded, CodeWithWeight(encoding, bundle, tried, options, stream));
               return encoded.bytes.size();
             }));
  VQC_ASSIGN(encoded, CodeWithWeight(encoding, bundle, weight, options, stream));
  if (rate.max_bytes == 0 || encoded.bytes.size() <= rate.max_bytes) return encoded;
  return Error{ErrorCode::kLimit, "the picture takes at least " + std::to_string(encoded.bytes.size()) +
                                      " bytes with the model " + bundle.card.name + ", --max-bytes allows " +
                                      std::to_string(rate.max_bytes) +
                                      "; allow more, or choose a model with larger steps"};
}

// The tokens of a lower rung.
Result<EncodedClip> CodeOnRung(const Encoding& encoding, const Bundle& bundle, uint32_t rung,
                               const PayloadOptions& options, Stream& stream) {
  const Tokens clusters = ToRung(rung, encoding.tokens, bundle);
  VQC_ASSIGN(const auto coding, CodingAt(rung, bundle));
  stream.chunks.front().side[SideData::kRung] = RungSide(bundle, rung);
  VQC_ASSIGN(EncodedClip encoded, WriteTokens(clusters, *coding, options, stream));
  encoded.rung = rung;
  encoded.tokens = FromRung(rung, clusters, bundle);
  return encoded;
}

// What `rate` asks for; lower rungs are made of a copy of `stream`.
Result<EncodedClip> CodeAsAsked(const Encoding& encoding, const Bundle& bundle, const RateOptions& rate,
                                const PayloadOptions& options, const Stream& stream) {
  const uint32_t rungs = RungsOf(bundle);
  if (rate.rung > rungs || (rungs == 1 && rate.rung_bytes > 0)) {
    return Error{ErrorCode::kUsage, "the model " + bundle.card.name +
                                        (rungs == 1 ? " has no ladder; vqcodec train ladder makes one"
                                                    : " has the rungs 1 to " + std::to_string(rungs) +
                                                          ", not " + std::to_string(rate.rung))};
  }
  const uint32_t highest = rate.rung == 0 || rate.rung_bytes > 0 ? rungs : rate.rung;
  if (highest < rungs && (rate.weight > 0 || rate.max_bytes > 0)) {
    return Error{ErrorCode::kUsage,
                 "on lower rungs tokens are not chosen by their size; take either the rung or the bound"};
  }
  for (uint32_t rung = highest;; --rung) {
    Stream whole = stream;
    VQC_ASSIGN(EncodedClip encoded, rung == rungs ? CodeWithinRate(encoding, bundle, rate, options, whole)
                                                  : CodeOnRung(encoding, bundle, rung, options, whole));
    if (rate.rung_bytes == 0 || encoded.bytes.size() <= rate.rung_bytes) return encoded;
    if (rung == 1) {
      return Error{ErrorCode::kLimit, "the picture takes " + std::to_string(encoded.bytes.size()) +
                                          " bytes on the lowest rung of " + bundle.card.name + ", " +
                                          std::to_string(rate.rung_bytes) + " are allowed; allow more"};
    }
  }
}

}  // namespace

Result<EncodedClip> EncodeImage(Clip clip, const Bundle& bundle, const RateOptions& rate,
                                const PayloadOptions& options) {
  return WithinMemory([&]() -> Result<EncodedClip> {
    VQC_TRY(CheckImage(clip));
    Stream stream;
    stream.header.modality = clip.modality;
    stream.header.channels = static_cast<uint32_t>(clip.channels);
    stream.header.height = static_cast<uint32_t>(clip.height);
    stream.header.width = static_cast<uint32_t>(clip.width);
    stream.header.bit_depth = static_cast<uint32_t>(clip.bit_depth);
    stream.header.model_key = bundle.card.Key();
    stream.header.profile = bundle.tokenizer->Info().profile;
    Chunk& chunk = stream.chunks.emplace_back();
    if (clip.HasAlpha()) {
      VQC_ASSIGN(chunk.side[SideData::kAlpha], EncodeAlpha(clip));
    }
    const Clip colour = ColourOf(std::move(clip));
    const Stopwatch watch;
    VQC_ASSIGN(const Encoding encoding, bundle.tokenizer->EncodeWithPositions(colour));
    const double network_seconds = watch.Seconds();
    VQC_ASSIGN(EncodedClip encoded, CodeAsAsked(encoding, bundle, rate, options, stream));
    encoded.network_seconds = network_seconds;
    return encoded;
  });
}

Result<DecodedClip> DecodeImage(const Stream& stream, const Bundle& bundle, const DecodeOptions& options) {
  return WithinMemory([&]() -> Result<DecodedClip> {
    const StreamHeader& header = stream.header;
    if (header.modality != Modality::kImage || stream.chunks.size() != 1) {
      return Error{ErrorCode::kCorruptData, "the stream holds no picture: it has " +
                                                std::to_string(stream.chunks.size()) +
                                                " chunks, a picture is one"};
    }
    const Chunk& chunk = stream.chunks.front();
    DecodedClip decoded;
    VQC_TRY(DecodeTokensOf(stream, bundle, options, decoded));
    const Tokenizer::Target target{1, 3, static_cast<int>(header.height), static_cast<int>(header.width)};
    const Stopwatch watch;
    VQC_ASSIGN(auto batch, bundle.tokenizer->Decode({&decoded.tokens, 1}, {&target, 1}));
    decoded.network_seconds = watch.Seconds();
    decoded.clip = FromColour(std::move(batch.front()), header);
    VQC_TRY(AddAlpha(header, chunk, options, decoded));
    return decoded;
  });
}

Result<Tokens> ReadTokens(const Stream& stream, const Chunk& chunk, const Bundle& bundle,
                          const Limits& limits) {
  return WithinMemory([&]() -> Result<Tokens> {
    VQC_ASSIGN(const PayloadView payload, PayloadOf(stream, chunk, bundle));
    VQC_ASSIGN(const uint32_t rung, RungOf(chunk, bundle));
    VQC_ASSIGN(const auto coding, CodingAt(rung, bundle));
    VQC_ASSIGN(Tokens tokens, DecodePayload(payload, *coding, limits));
    VQC_TRY(CheckTokenCrc(tokens, chunk));
    return FromRung(rung, std::move(tokens), bundle);
  });
}

Result<PayloadView> PayloadOf(const Stream& stream, const Chunk& chunk, const Bundle& bundle) {
  if (stream.header.modality == Modality::kAudio) return AudioPayload(stream.header, chunk, bundle);
  VQC_ASSIGN(const TokenShape shape, ShapeOfStream(stream.header, bundle));
  VQC_ASSIGN(const uint32_t rung, RungOf(chunk, bundle));
  std::vector<uint32_t> vocab = VocabOfBundle(bundle);
  if (rung < RungsOf(bundle)) vocab = {static_cast<uint32_t>(bundle.ladder->At(rung).ids.size())};
  return PayloadView{stream.header.model_key, stream.header.coding, shape, std::move(vocab), chunk.payload};
}

Result<TokenShape> ShapeOfStream(const StreamHeader& header, const Bundle& bundle) {
  if (bundle.tokenizer) {
    return bundle.tokenizer->ShapeOf(1, static_cast<int>(header.height), static_cast<int>(header.width));
  }
  const auto outline = OutlineOf(bundle.card);
  if (!outline) {
    return Error{ErrorCode::kModel,
                 "the card of " + bundle.card.name +
                     " does not state its stride and vocabulary; the network has to be loaded"};
  }
  return ImageShape(outline->vocab.size(), outline->stride, header.height, header.width);
}

double RawBits(const Tokens& tokens) {
  double bits = 0;
  for (const uint32_t entries : tokens.vocab) bits += std::log2(static_cast<double>(entries));
  return bits * static_cast<double>(tokens.shape.Positions());
}

double Order0Bits(const Tokens& tokens) {
  double bits = 0;
  for (size_t level = 0; level < tokens.vocab.size(); ++level) {
    std::map<uint32_t, double> counts;
    for (size_t i = level; i < tokens.ids.size(); i += tokens.vocab.size()) ++counts[tokens.ids[i]];
    for (const auto& [id, count] : counts) {
      bits += count * std::log2(static_cast<double>(tokens.shape.Positions()) / count);
    }
  }
  return bits;
}

Result<std::vector<uint8_t>> EncodeClip(Clip clip, const Bundle& bundle) {
  VQC_ASSIGN(EncodedClip encoded, EncodeImage(std::move(clip), bundle));
  return std::move(encoded.bytes);
}

Result<Clip> DecodeStream(const Stream& stream, const Bundle& bundle, const Limits& limits) {
  VQC_ASSIGN(DecodedClip decoded, DecodeImage(stream, bundle, {.salvage = false, .limits = limits}));
  return std::move(decoded.clip);
}

}  // namespace vqc
