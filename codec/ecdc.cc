// SPDX-License-Identifier: Apache-2.0
#include "codec/ecdc.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/printable.h"
#include "codec/audio_grid.h"
#include "codec/chunk_coder.h"
#include "codec/codec.h"

namespace vqc {
namespace {

constexpr std::string_view kMagic = "ECDC", kModel = "encodec_24khz";
constexpr size_t kHead = 9, kMaxJson = 4096;
constexpr unsigned kBits = 10;  // of an id
constexpr uint64_t kMaxSamples = uint64_t{1} << 43;

Error Damaged(const std::string& what) {
  return Error{ErrorCode::kCorruptData, "the .ecdc file " + what + "; it is damaged"};
}

uint64_t TimesOf(uint64_t samples) { return (samples + EcdcSound::kStride - 1) / EcdcSound::kStride; }

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
  if (const auto name = model->get<std::string>(); name != kModel) {
    return Error{ErrorCode::kInput, "the .ecdc file is of the model " + Printable(name, 64) +
                                        "; only those of " + std::string(kModel) + " are read"};
  }
  if (lm->get<bool>()) {
    return Error{
        ErrorCode::kInput,
        "the .ecdc file was coded with EnCodec's language model, whose floating-point numbers differ "
        "from machine to machine; write it again with EnCodec, without --lm"};
  }
  EcdcSound sound;
  VQC_ASSIGN(sound.samples, Number(json, "al", kMaxSamples));
  VQC_ASSIGN(const uint64_t levels, Number(json, "nc", EcdcSound::kMaxLevels));
  sound.levels = static_cast<uint32_t>(levels);
  return sound;
}

// The grid of the bundle, which has to be that of these files.
Result<AudioGrid> EcdcGridOf(const Bundle& bundle) {
  VQC_ASSIGN(AudioGrid grid, GridOf(bundle));
  const bool fits = bundle.card.tokenizer == "encodec" && grid.rate == EcdcSound::kRate &&
                    grid.stride == EcdcSound::kStride && grid.vocab.size() <= EcdcSound::kMaxLevels &&
                    std::all_of(grid.vocab.begin(), grid.vocab.end(),
                                [](uint32_t entries) { return entries == EcdcSound::kEntries; });
  if (fits) return grid;
  return Error{ErrorCode::kModel, "the model " + bundle.card.name +
                                      " is not an EnCodec of 24 kHz with codebooks of 1,024 entries; .ecdc "
                                      "files hold the tokens of such a one only"};
}

}  // namespace

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
  size_t json = 0;
  for (size_t i = 5; i < kHead; ++i) json = json << 8 | bytes[i];
  if (json > kMaxJson || json > bytes.size() - kHead) {
    return Damaged("states a head of " + std::to_string(json) + " bytes; " +
                   std::to_string(std::min(kMaxJson, bytes.size() - kHead)) + " are possible");
  }
  VQC_ASSIGN(EcdcSound sound, ReadHead({reinterpret_cast<const char*>(bytes.data()) + kHead, json}));
  const auto packed = bytes.subspan(kHead + json);
  const uint64_t count = TimesOf(sound.samples) * sound.levels, wanted = (count * kBits + 7) / 8;
  if (packed.size() != wanted) {
    return Damaged("has " + std::to_string(packed.size()) + " bytes of ids; its head states " +
                   std::to_string(sound.samples) + " samples in " + std::to_string(sound.levels) +
                   " levels, which take " + std::to_string(wanted));
  }
  sound.ids.reserve(static_cast<size_t>(count));
  uint32_t value = 0;
  unsigned bits = 0;
  for (const uint8_t byte : packed) {
    value |= uint32_t{byte} << bits;
    bits += 8;
    if (bits < kBits) continue;
    sound.ids.push_back(value % EcdcSound::kEntries);
    value >>= kBits;
    bits -= kBits;
  }
  if (value != 0) return Damaged("has bits behind its last id that are not 0");
  return sound;
}

std::vector<uint8_t> WriteEcdc(const EcdcSound& sound) {
  const std::string json = "{\"m\": \"" + std::string(kModel) +
                           "\", \"al\": " + std::to_string(sound.samples) +
                           ", \"nc\": " + std::to_string(sound.levels) + ", \"lm\": false}";
  std::vector<uint8_t> bytes(kMagic.begin(), kMagic.end());
  bytes.push_back(0);
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(json.size() >> shift));
  bytes.insert(bytes.end(), json.begin(), json.end());
  uint32_t value = 0;
  unsigned bits = 0;
  for (const uint32_t id : sound.ids) {
    value |= id << bits;
    bits += kBits;
    for (; bits >= 8; bits -= 8, value >>= 8) bytes.push_back(static_cast<uint8_t>(value));
  }
  if (bits > 0) bytes.push_back(static_cast<uint8_t>(value));
  return bytes;
}

Result<std::vector<uint8_t>> StreamOfEcdc(const EcdcSound& sound, const Bundle& bundle) {
  VQC_ASSIGN(const AudioGrid grid, EcdcGridOf(bundle));
  if (sound.levels > grid.vocab.size()) {
    return Error{ErrorCode::kModel, "the .ecdc file has " + std::to_string(sound.levels) +
                                        " levels, the model " + bundle.card.name + " has " +
                                        std::to_string(grid.vocab.size())};
  }
  VQC_ASSIGN(const AudioCut cut, CutOf(grid, EcdcSound::kRate, 1, sound.levels, 0));
  StreamHeader header;
  header.modality = Modality::kAudio;
  header.channels = 1;
  header.bit_depth = 16;
  header.rate = EcdcSound::kRate;
  header.model_key = bundle.card.Key();
  header.levels = sound.levels == grid.vocab.size() ? 0 : sound.levels;
  header.frames = sound.samples;
  AudioChunkCoder coder(bundle, header, grid, std::vector<uint32_t>(sound.levels, EcdcSound::kEntries), cut,
                        "", false);
  std::vector<uint8_t> bytes;
  const size_t piece = size_t{cut.times} * sound.levels;
  for (size_t at = 0; at < sound.ids.size(); at += piece) {
    coder.Append(0, std::span(sound.ids).subspan(at, std::min(piece, sound.ids.size() - at)), sound.levels);
    VQC_TRY(coder.Drain(bytes));
  }
  VQC_TRY(coder.Finish(sound.samples, bytes));
  return bytes;
}

Result<EcdcSound> EcdcOfStream(const Stream& stream, const Bundle& bundle, const Limits& limits) {
  if (stream.header.modality != Modality::kAudio || stream.header.channels != 1 || stream.chunks.empty()) {
    return Error{ErrorCode::kUsage,
                 "an .ecdc file of 24 kHz holds a sound of one channel; this stream is of " +
                     std::string(NameOf(stream.header.modality)) + " in " +
                     std::to_string(stream.header.channels) + " channels, " +
                     std::to_string(stream.chunks.size()) + " chunks"};
  }
  VQC_ASSIGN(const AudioGrid grid, EcdcGridOf(bundle));
  VQC_ASSIGN(const auto vocab, VocabOfStream(stream.header, grid));
  EcdcSound sound;
  sound.levels = static_cast<uint32_t>(vocab.size());
  uint64_t frames = 0;
  for (const Chunk& chunk : stream.chunks) {
    VQC_ASSIGN(const Tokens tokens, ReadTokens(stream, chunk, bundle, limits));
    sound.ids.insert(sound.ids.end(), tokens.ids.begin(), tokens.ids.end());
    frames += chunk.frames;
  }
  // The tokens are as many as so many samples have.
  const auto rate = static_cast<uint64_t>(stream.header.rate);
  sound.samples = (frames * EcdcSound::kRate + rate - 1) / rate;
  return sound;
}

}  // namespace vqc
