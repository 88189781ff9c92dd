// SPDX-License-Identifier: Apache-2.0
#include "codec/ecdc.h"

#include <algorithm>
#include <bit>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/printable.h"
#include "codec/audio_grid.h"
#include "codec/chunk_coder.h"
#include "codec/codec.h"
#include "data/media/audio/resample.h"

namespace vqc {
namespace {

constexpr std::string_view kMagic = "ECDC";
constexpr size_t kHead = 9, kMaxJson = 4096, kScaleBytes = 4;
constexpr unsigned kBits = 10;  // of an id
constexpr uint64_t kMaxSamples = uint64_t{1} << 43;

Error Damaged(const std::string& what) {
  return Error{ErrorCode::kCorruptData, "the .ecdc file " + what + "; it is damaged"};
}

size_t BytesOf(size_t ids) { return (ids * kBits + 7) / 8; }

// REQUIRES: as many bytes as ids take. False where bits behind the last one are not 0.
bool Unpack(std::span<const uint8_t> packed, std::vector<uint32_t>& ids) {
  uint32_t value = 0;
  unsigned bits = 0;
  for (const uint8_t byte : packed) {
    value |= uint32_t{byte} << bits;
    bits += 8;
    if (bits < kBits) continue;
    ids.push_back(value % EcdcKind::kEntries);
    value >>= kBits;
    bits -= kBits;
  }
  return value == 0;
}

void Pack(std::span<const uint32_t> ids, std::vector<uint8_t>& bytes) {
  uint32_t value = 0;
  unsigned bits = 0;
  for (const uint32_t id : ids) {
    value |= id << bits;
    bits += kBits;
    for (; bits >= 8; bits -= 8, value >>= 8) bytes.push_back(static_cast<uint8_t>(value));
  }
  if (bits > 0) bytes.push_back(static_cast<uint8_t>(value));
}

uint32_t BigEndian(std::span<const uint8_t> bytes) {
  uint32_t value = 0;
  for (const uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

void PushBigEndian(uint32_t value, std::vector<uint8_t>& bytes) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(value >> shift));
}

const EcdcKind* KindOf(std::string_view name) {
  for (const EcdcKind* kind : {&EcdcKind::Of24kHz(), &EcdcKind::Of48kHz()}) {
    if (kind->name == name) return kind;
  }
  return nullptr;
}

Result<uint64_t> Number(const nlohmann::json& json, const char* field, uint64_t most) {
  const auto found = json.find(field);
  const uint64_t value =
      found != json.end() && found->is_number_unsigned() ? found->get<uint64_t>() : uint64_t{0};
  if (value >= 1 && value <= most) return value;
  return Damaged("has no \"" + std::string(field) + "\" from 1 to " + std::to_string(most) + " in its head");
}

// Samples and levels, as the JSON states them.
Result<EcdcSound> ReadHead(std::string_view text) {
  auto parsed = ParseJsonObject(text, {.max_depth = 2, .max_values = 64, .max_key_bytes = 64});
  if (!parsed.ok()) return Damaged("has a head that is no JSON: " + parsed.error().message);
  const nlohmann::json json = *std::move(parsed);
  const auto model = json.find("m"), lm = json.find("lm");
  if (model == json.end() || !model->is_string()) return Damaged("names no model in its head");
  if (lm == json.end() || !lm->is_boolean())
    return Damaged("does not say in its head whether a language model coded it");
  EcdcSound sound;
  const auto name = model->get<std::string>();
  sound.kind = KindOf(name);
  if (!sound.kind) {
    return Error{ErrorCode::kInput, "the .ecdc file is of the model " + Printable(name, 64) +
                                        "; only those of " + std::string(EcdcKind::Of24kHz().name) + " and " +
                                        std::string(EcdcKind::Of48kHz().name) + " are read"};
  }
  if (lm->get<bool>()) {
    return Error{
        ErrorCode::kInput,
        "the .ecdc file was coded with EnCodec's language model, whose floating-point numbers differ "
        "from machine to machine; write it again with EnCodec, without --lm"};
  }
  VQC_ASSIGN(sound.samples, Number(json, "al", kMaxSamples));
  VQC_ASSIGN(const uint64_t levels, Number(json, "nc", sound.kind->max_levels));
  sound.levels = static_cast<uint32_t>(levels);
  return sound;
}

// What follows the head.
Status ReadIds(std::span<const uint8_t> packed, EcdcSound& sound) {
  const auto wrong = [&](const std::string& wanted) {
    return Damaged("has " + std::to_string(packed.size()) + " bytes of ids; its head states " +
                   std::to_string(sound.samples) + " samples in " + std::to_string(sound.levels) +
                   " levels, which take " + wanted);
  };
  const uint64_t least = sound.samples / EcdcKind::kStride;  // a time is more than a byte
  if (packed.size() < least) return wrong("more than " + std::to_string(least));
  const bool scaled = static_cast<bool>(sound.kind->segments);
  const auto all = sound.kind->TimesOf(sound.samples);
  size_t wanted = 0;
  for (const uint32_t times : all) wanted += BytesOf(times * size_t{sound.levels}) + scaled * kScaleBytes;
  if (packed.size() != wanted) return wrong(std::to_string(wanted));
  for (const uint32_t times : all) {
    if (scaled) {
      const auto scale = std::bit_cast<float>(BigEndian(packed.first(kScaleBytes)));
      if (const Status fits = CheckScale(scale); !fits.ok())
        return Damaged("is wrong: " + fits.error().message);
      sound.segments.push_back({times, scale});
      packed = packed.subspan(kScaleBytes);
    }
    const size_t size = BytesOf(times * size_t{sound.levels});
    if (!Unpack(packed.first(size), sound.ids)) return Damaged("has bits behind its last id that are not 0");
    packed = packed.subspan(size);
  }
  return {};
}

bool Fits(const EcdcKind& kind, const AudioGrid& grid) {
  return grid.rate == kind.rate && grid.stride == EcdcKind::kStride && grid.channels == kind.channels &&
         grid.segments == kind.segments && grid.vocab.size() <= kind.max_levels;
}

// The kind of the bundle's files.
Result<const EcdcKind*> KindOf(const Bundle& bundle, const AudioGrid& grid) {
  const bool entries = std::all_of(grid.vocab.begin(), grid.vocab.end(),
                                   [](uint32_t size) { return size == EcdcKind::kEntries; });
  for (const EcdcKind* kind : {&EcdcKind::Of24kHz(), &EcdcKind::Of48kHz()}) {
    if (bundle.card.tokenizer == "encodec" && entries && Fits(*kind, grid)) return kind;
  }
  return Error{ErrorCode::kModel,
               "the model " + bundle.card.name +
                   " is not an EnCodec of 24 kHz or 48 kHz with codebooks of 1,024 entries; "
                   ".ecdc files hold the tokens of such ones only"};
}

}  // namespace

const EcdcKind& EcdcKind::Of24kHz() {
  static constexpr EcdcKind kKind{"encodec_24khz", 24000, 1, 32, {}};
  return kKind;
}
const EcdcKind& EcdcKind::Of48kHz() {
  static constexpr EcdcKind kKind{"encodec_48khz", 48000, 2, 16, {48000, 47520}};
  return kKind;
}

std::vector<uint32_t> EcdcKind::TimesOf(uint64_t samples) const {
  if (!segments) return {static_cast<uint32_t>((samples + kStride - 1) / kStride)};
  std::vector<uint32_t> times(static_cast<size_t>(segments.Segments(samples)));
  for (size_t i = 0; i < times.size(); ++i) times[i] = segments.TimesOf(i, samples, kStride);
  return times;
}

bool LooksLikeEcdc(std::span<const uint8_t> bytes) {
  return bytes.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), bytes.begin());
}

Result<EcdcSound> ReadEcdc(std::span<const uint8_t> bytes) {
  if (!LooksLikeEcdc(bytes)) {
    return Error{ErrorCode::kInput, "not an .ecdc file: it does not begin with " + std::string(kMagic)};
  }
  if (bytes.size() < kHead) return Damaged("ends within its head");
  if (bytes[4] != 0) {
    return Error{ErrorCode::kInput,
                 "the .ecdc file has version " + std::to_string(bytes[4]) + "; only version 0 is known"};
  }
  const size_t json = BigEndian(bytes.subspan(5, 4));
  if (json > kMaxJson || json > bytes.size() - kHead) {
    return Damaged("states a head of " + std::to_string(json) + " bytes; " +
                   std::to_string(std::min(kMaxJson, bytes.size() - kHead)) + " are possible");
  }
  VQC_ASSIGN(EcdcSound sound, ReadHead({reinterpret_cast<const char*>(bytes.data()) + kHead, json}));
  VQC_TRY(ReadIds(bytes.subspan(kHead + json), sound));
  return sound;
}

std::vector<uint8_t> WriteEcdc(const EcdcSound& sound) {
  const std::string json = "{\"m\": \"" + std::string(sound.kind->name) +
                           "\", \"al\": " + std::to_string(sound.samples) +
                           ", \"nc\": " + std::to_string(sound.levels) + ", \"lm\": false}";
  std::vector<uint8_t> bytes(kMagic.begin(), kMagic.end());
  bytes.push_back(0);
  PushBigEndian(static_cast<uint32_t>(json.size()), bytes);
  bytes.insert(bytes.end(), json.begin(), json.end());
  if (sound.segments.empty()) Pack(sound.ids, bytes);
  size_t at = 0;
  for (const Segment& segment : sound.segments) {
    const size_t count = segment.times * size_t{sound.levels};
    PushBigEndian(std::bit_cast<uint32_t>(segment.scale), bytes);
    Pack(std::span(sound.ids).subspan(at, count), bytes);
    at += count;
  }
  return bytes;
}

Result<std::vector<uint8_t>> StreamOfEcdc(const EcdcSound& sound, const Bundle& bundle) {
  VQC_ASSIGN(const AudioGrid grid, GridOf(bundle));
  VQC_ASSIGN(const EcdcKind* kind, KindOf(bundle, grid));
  if (kind != sound.kind || sound.levels > grid.vocab.size()) {
    return Error{ErrorCode::kModel, "the .ecdc file has " + std::to_string(sound.levels) + " levels of " +
                                        std::string(sound.kind->name) + ", the model " + bundle.card.name +
                                        " has " + std::to_string(grid.vocab.size()) + " of " +
                                        std::string(kind->name)};
  }
  VQC_ASSIGN(const AudioCut cut, CutOf(grid, kind->rate, kind->channels, sound.levels, 0));
  StreamHeader header;
  header.modality = Modality::kAudio;
  header.channels = static_cast<uint32_t>(kind->channels);
  header.bit_depth = 16;
  header.rate = kind->rate;
  header.model_key = bundle.card.Key();
  header.levels = sound.levels == grid.vocab.size() ? 0 : sound.levels;
  header.frames = sound.samples;
  AudioChunkCoder coder(bundle, header, grid, std::vector<uint32_t>(sound.levels, EcdcKind::kEntries), cut,
                        "", false);
  std::vector<uint8_t> bytes;
  size_t at = 0;
  for (size_t unit = 0; at < sound.ids.size(); ++unit) {
    std::vector<Segment> segments;
    if (kind->segments) segments.push_back(sound.segments[unit]);
    const size_t times = kind->segments ? segments.front().times : cut.units,
                 count = std::min(times * sound.levels, sound.ids.size() - at);
    coder.Append(0, std::span(sound.ids).subspan(at, count), sound.levels, segments);
    VQC_TRY(coder.Drain(bytes));
    at += count;
  }
  VQC_TRY(coder.Finish(sound.samples, bytes));
  return bytes;
}

Result<EcdcSound> EcdcOfStream(const Stream& stream, const Bundle& bundle, const Limits& limits) {
  const StreamHeader& header = stream.header;
  const auto refused = [&](const std::string& why) {
    return Error{ErrorCode::kUsage, "an .ecdc file holds " + why + "; this stream is of " +
                                        std::string(NameOf(header.modality)) + " in " +
                                        std::to_string(header.channels) + " channels, " +
                                        std::to_string(stream.chunks.size()) + " chunks"};
  };
  if (header.modality != Modality::kAudio || stream.chunks.empty()) return refused("a sound");
  VQC_ASSIGN(const AudioGrid grid, GridOf(bundle));
  EcdcSound sound;
  VQC_ASSIGN(sound.kind, KindOf(bundle, grid));
  const auto lanes = Lanes::Of(static_cast<int>(header.channels), grid.channels);
  if (!lanes.ok() || lanes->Count() != 1)
    return refused("at most " + std::to_string(grid.channels) + " channels of " +
                   std::string(sound.kind->name));
  VQC_ASSIGN(const auto vocab, VocabOfStream(header, grid));
  sound.levels = static_cast<uint32_t>(vocab.size());
  uint64_t frames = 0;
  for (const Chunk& chunk : stream.chunks) {
    VQC_ASSIGN(const Tokens tokens, ReadTokens(stream, chunk, bundle, limits));
    sound.ids.insert(sound.ids.end(), tokens.ids.begin(), tokens.ids.end());
    sound.segments.insert(sound.segments.end(), tokens.segments.begin(), tokens.segments.end());
    frames += chunk.frames;
  }
  // The tokens are as many as so many samples have.
  VQC_ASSIGN(const int rate, RateOf(header));
  sound.samples = ResampledFrames(frames, rate, sound.kind->rate);
  return sound;
}

}  // namespace vqc
