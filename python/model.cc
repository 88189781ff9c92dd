// SPDX-License-Identifier: Apache-2.0
#include "python/model.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "base/file.h"
#include "base/printable.h"
#include "codec/action.h"
#include "codec/audio.h"
#include "codec/codec.h"
#include "data/actions/episodes.h"
#include "data/media/flatten_alpha.h"
#include "data/media/media.h"
#include "data/tokens/medium.h"
#include "data/tokens/restore.h"
#include "python/errors.h"

namespace vqc::python {
namespace {

namespace nb = nanobind;

constexpr size_t kPieceFrames = 1 << 14;
constexpr char kBytesName[] = "bytes";  // in errors

Error NotOf(const Bundle& bundle, Modality modality) {
  return {ErrorCode::kUsage, "model " + bundle.card.name + " is for " +
                                 std::string(NameOf(bundle.card.modality)) + ", this is " +
                                 std::string(NameOf(modality))};
}

std::vector<int32_t> Signed(const std::vector<uint32_t>& ids) { return {ids.begin(), ids.end()}; }

Result<std::vector<uint8_t>> CompressSound(AudioReader& reader, const Bundle& bundle) {
  const auto channels = static_cast<size_t>(reader.Info().channels);
  VQC_ASSIGN(auto encoder, AudioEncoder::Create(bundle, reader.Info().rate, reader.Info().channels,
                                                {.frames = reader.Info().frames.value_or(0)}));
  std::vector<uint8_t> bytes;
  std::vector<float> piece(kPieceFrames * channels);
  const auto append = [&bytes](const std::vector<uint8_t>& more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
  };
  for (;;) {
    VQC_ASSIGN(const size_t frames, reader.Read(piece));
    if (frames == 0) break;
    VQC_ASSIGN(const auto more, encoder.Push(std::span(piece).first(frames * channels)));
    append(more);
  }
  VQC_ASSIGN(const auto rest, encoder.Finish());
  append(rest);
  return bytes;
}

Result<Clip> DecompressSound(const Stream& stream, const Bundle& bundle) {
  VQC_ASSIGN(auto decoder, AudioDecoder::Create(stream.header, ChunkFramesOf(stream), bundle));
  Clip clip;
  clip.modality = Modality::kAudio;
  clip.channels = static_cast<int>(stream.header.channels);
  clip.rate = stream.header.rate;
  const auto sink = [&clip](std::span<const float> samples) -> Status {
    clip.data.insert(clip.data.end(), samples.begin(), samples.end());
    return {};
  };
  for (const Chunk& chunk : stream.chunks) VQC_TRY(decoder.Push(chunk, sink));
  VQC_TRY(decoder.Finish(sink));
  clip.frames = static_cast<int>(clip.data.size() / stream.header.channels);
  return clip;
}

Result<Bundle> BundleOf(const Result<ModelEntry>& entry, const BundleOptions& options) {
  if (!entry.ok()) return entry.error();
  return LoadBundle(*entry, options);
}

}  // namespace

// A picture, or a sound, or actions.
struct Model::Media {
  Clip clip;
  std::unique_ptr<AudioReader> audio;
};

Model::Model(const std::string& name, const std::string& device, int threads, const std::string& decoder)
    : bundle_(Take(BundleOf(FindModel(name),
                            {.device = device, .threads = threads, .limits = {}, .decoder = decoder}))) {}

Model::Model(std::span<const uint8_t> stream, const std::string& device, int threads)
    : bundle_(Take(BundleOf(FindModel(KeyOf(stream)),
                            {.device = device, .threads = threads, .limits = {}, .decoder = ""}))) {}

ModelKey Model::KeyOf(std::span<const uint8_t> stream) {
  return Take(ReadStream(stream, {})).header.model_key;
}

Model::Media Model::MediaOf(const Array& array, int rate, int source) const {
  switch (bundle_.card.modality) {
    case Modality::kImage:
      return {PictureOf(array), nullptr};
    case Modality::kAudio:
      return {{}, SoundOf(array, rate > 0 ? rate : static_cast<int>(bundle_.tokenizer->Info().rate))};
    case Modality::kAction:
      break;
  }
  return {ActionsOf(array, source), nullptr};
}

Model::Media Model::MediaOf(const std::string& path) const {
  switch (bundle_.card.modality) {
    case Modality::kImage:
      return {
          Take(ReadImage(Take(ReadFile(path, Limits().max_input_bytes, "max_input_bytes")), Printable(path))),
          nullptr};
    case Modality::kAudio:
      return {{}, Take(OpenAudio(path))};
    case Modality::kAction:
      break;
  }
  const auto episodes = Take(ReadEpisodes(path));
  if (episodes.size() != 1) {
    throw Failure({ErrorCode::kUsage, Printable(path) + ": holds " + std::to_string(episodes.size()) +
                                          " episodes; read it and encode their arrays one by one"});
  }
  return {ClipOf(episodes.front(), 0), nullptr};
}

Model::Media Model::MediaOf(std::span<const uint8_t> file) const {
  switch (bundle_.card.modality) {
    case Modality::kImage:
      return {Take(ReadImage(file, kBytesName)), nullptr};
    case Modality::kAudio:
      return {{}, Take(OpenAudioBytes({file.begin(), file.end()}, kBytesName))};
    case Modality::kAction:
      break;
  }
  throw Failure({ErrorCode::kUsage,
                 "the bytes of a file are of pictures and sound; give actions as an array or a path"});
}

std::pair<nb::object, std::string> Model::Encode(Media media) const {
  TokenItem item;
  const Tokenizer& tokenizer = *bundle_.tokenizer;
  {
    const nb::gil_scoped_release unlocked;
    if (bundle_.card.modality == Modality::kAction) {
      item.facts = {
          {"frames", media.clip.frames}, {"channels", media.clip.channels}, {"source", media.clip.source}};
      auto tokens = std::move(Take(tokenizer.Encode({&media.clip, 1})).front());
      item.shape = {tokens.shape.t, tokens.shape.Count() / tokens.shape.t};
      item.ids = std::move(tokens.ids);
    } else {
      Medium medium;
      if (media.audio) {
        medium.facts = {{"rate", media.audio->Info().rate}, {"channels", media.audio->Info().channels}};
        medium.audio = std::move(media.audio);
      } else {
        medium.clip = media.clip.HasAlpha() ? FlattenAlpha(std::move(media.clip), MediumOptions().background)
                                            : std::move(media.clip);
        medium.facts = {{"width", medium.clip.width},
                        {"height", medium.clip.height},
                        {"channels", medium.clip.channels},
                        {"bit_depth", medium.clip.bit_depth}};
      }
      item = Take(TokenizeMedium(std::move(medium), tokenizer));
    }
  }
  return {Own(Signed(item.ids), {item.shape.begin(), item.shape.end()}), item.facts.dump()};
}

std::pair<nb::object, std::string> Model::EncodeArray(const Array& array, int rate, int source) const {
  return Encode(MediaOf(array, rate, source));
}

std::pair<nb::object, std::string> Model::EncodeFile(const std::string& path) const {
  Media media;
  {
    const nb::gil_scoped_release unlocked;
    media = MediaOf(path);
  }
  return Encode(std::move(media));
}

std::pair<nb::object, std::string> Model::EncodeBytes(std::span<const uint8_t> file) const {
  Media media;
  {
    const nb::gil_scoped_release unlocked;
    media = MediaOf(file);
  }
  return Encode(std::move(media));
}

nb::object Model::Decode(const nb::ndarray<const int32_t, nb::c_contig, nb::device::cpu>& ids,
                         const std::string& facts, bool floats) const {
  TokenItem item;
  item.key = "tokens";
  item.facts = Json::parse(facts, nullptr, /*allow_exceptions=*/false);
  if (!item.facts.is_object()) throw Failure({ErrorCode::kUsage, "the facts are no JSON object"});
  item.ids.assign(ids.data(), ids.data() + ids.size());
  for (size_t i = 0; i < ids.ndim(); ++i) item.shape.push_back(ids.shape(i));
  Clip clip;
  {
    const nb::gil_scoped_release unlocked;
    const Tokenizer& tokenizer = *bundle_.tokenizer;
    if (bundle_.card.modality != Modality::kAction) {
      clip = Take(RestoreItem(item, tokenizer, {}));
    } else {
      const auto fact = [&](const char* name, int least) {
        const int value = item.facts.value(name, -1);
        if (value >= least) return value;
        throw Failure({ErrorCode::kUsage, std::string("actions need the fact ") + name +
                                              ", a whole number from " + std::to_string(least)});
      };
      const Tokenizer::Target target{
          .frames = fact("frames", 1), .channels = fact("channels", 1), .source = fact("source", 0)};
      const Tokens tokens{tokenizer.ShapeOf(target.frames, 1, 1), tokenizer.Info().vocab,
                          std::move(item.ids)};
      if (tokens.ids.size() != tokens.shape.Count()) {
        throw Failure({ErrorCode::kUsage, std::to_string(tokens.ids.size()) + " ids are not the " +
                                              std::to_string(tokens.shape.Count()) + " of so many steps"});
      }
      clip = std::move(Take(tokenizer.Decode({&tokens, 1}, {&target, 1})).front());
    }
  }
  return ArrayOf(std::move(clip), floats);
}

nb::bytes Model::Compress(Media media, uint64_t max_bytes) const {
  std::vector<uint8_t> bytes;
  {
    const nb::gil_scoped_release unlocked;
    if (media.audio) {
      bytes = Take(CompressSound(*media.audio, bundle_));
    } else if (bundle_.card.modality == Modality::kAction) {
      bytes = Take(EncodeActions(media.clip, bundle_)).bytes;
    } else {
      bytes = Take(EncodeImage(std::move(media.clip), bundle_, {.weight = 0, .max_bytes = max_bytes})).bytes;
    }
  }
  return nb::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

nb::bytes Model::CompressArray(const Array& array, int rate, int source, uint64_t max_bytes) const {
  return Compress(MediaOf(array, rate, source), max_bytes);
}

nb::bytes Model::CompressFile(const std::string& path, uint64_t max_bytes) const {
  return Compress(MediaOf(path), max_bytes);
}

nb::bytes Model::CompressBytes(std::span<const uint8_t> file, uint64_t max_bytes) const {
  return Compress(MediaOf(file), max_bytes);
}

nb::object Model::Decompress(std::span<const uint8_t> bytes, bool floats) const {
  Clip clip;
  {
    const nb::gil_scoped_release unlocked;
    const Stream stream = Take(ReadStream(bytes, {}));
    if (stream.header.modality != bundle_.card.modality)
      throw Failure(NotOf(bundle_, stream.header.modality));
    switch (stream.header.modality) {
      case Modality::kAudio: {
        clip = Take(DecompressSound(stream, bundle_));
        break;
      }
      case Modality::kAction:
        clip = std::move(Take(DecodeActions(stream, bundle_, {})).clip);
        break;
      case Modality::kImage:
        clip = std::move(Take(DecodeImage(stream, bundle_, {})).clip);
        break;
    }
  }
  return ArrayOf(std::move(clip), floats);
}

}  // namespace vqc::python
