// SPDX-License-Identifier: Apache-2.0
// The table of sound formats, and the choice from it: by content when reading, by extension when writing.
#include <algorithm>
#include <array>
#include <filesystem>
#include <new>

#include "base/beyond_limit.h"
#include "base/within_memory.h"
#include "data/media/audio/audio.h"
#include "data/media/audio/load_part.h"
#include "data/media/audio/pcm.h"
#include "data/media/audio/wav_file.h"
#include "data/media/byte_view.h"

namespace vqc {
namespace {

constexpr MediaFormat kFormats[] = {
    {"WAV", ".wav", true, true, false},
    {"raw samples", ".raw .pcm", true, true, false},
    {"FLAC", ".flac", true, true, true},
    {"Ogg Vorbis", ".ogg .oga", true, true, true},
    {"Opus", ".opus", true, true, true},
    {"AIFF", ".aiff .aif", true, true, true},
    {"CAF", ".caf", true, true, true},
    {"W64", ".w64", true, true, true},
    {"MP3", ".mp3", true, false, true},
    {"MP4 and AAC", ".m4a .mp4 .mov .aac .m4b", true, false, true},
    {"Matroska and WebM", ".mka .mkv .webm", true, false, true},
    {"other sound and video", ".wma .avi .flv .amr .ape .wv .au .ac3 .mpg .ts", true, false, true},
};

Error Unknown(const ByteSource& source) {
  std::string names;
  for (const MediaFormat& format : kFormats) names += (names.empty() ? "" : ", ") + std::string(format.name);
  return Error{ErrorCode::kInput, source.name() +
                                      ": is no sound of a known kind, or its beginning is damaged; these "
                                      "are read: " +
                                      names};
}

Status CheckInfo(const AudioInfo& info, const std::string& name, const Limits& limits) {
  const auto beyond = [&](const std::string& what, int found, const char* limit, uint32_t allowed) {
    return BeyondLimit(name + ": has " + std::to_string(found) + " " + what, limit, allowed);
  };
  if (static_cast<uint32_t>(info.rate) > limits.max_rate)
    return beyond("frames a second", info.rate, "max_rate", limits.max_rate);
  if (static_cast<uint32_t>(info.channels) > limits.max_channels)
    return beyond("channels", info.channels, "max_channels", limits.max_channels);
  return {};
}

// The reader of the first part that knows the format.
Result<std::unique_ptr<AudioReader>> OpenWithParts(std::unique_ptr<ByteSource> source, const Limits& limits) {
  if (!source->size()) VQC_TRY(source->ReadIntoMemory(limits.max_input_bytes));
  std::string missing;
  for (const auto& load : {&LoadSoundPart, &LoadFfmpegPart}) {
    const auto part = load();
    if (!part.ok()) {
      missing = part.error().message;
      continue;
    }
    VQC_ASSIGN(auto reader, (*part)->open(source));
    if (reader) return reader;
  }
  if (missing.empty()) return Unknown(*source);
  const bool known = [&] {
    const auto beginning = source->Peek(64);
    return beginning.ok() && LooksLikeAudio(*beginning);
  }();
  if (!known) return Unknown(*source);
  return Error{ErrorCode::kResource, source->name() + ": " + missing};
}

Result<std::unique_ptr<AudioReader>> OpenAny(std::unique_ptr<ByteSource> source, const Limits& limits) {
  VQC_ASSIGN(const auto beginning, source->Peek(64));
  if (beginning.empty()) {
    return Error{ErrorCode::kInput, source->name() + ": is empty (0 bytes); sound is expected"};
  }
  if (LooksLikeWav(beginning)) {
    VQC_ASSIGN(auto reader, OpenWav(source));
    if (reader) return reader;
  }
  return OpenWithParts(std::move(source), limits);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

}  // namespace

std::span<const MediaFormat> AudioFormats() { return kFormats; }

std::optional<RawAudio> ParseRawFormat(std::string_view name) {
  struct Row {
    std::string_view name;
    SampleFormat sample;
  };
  constexpr Row kRows[] = {{"s16", SampleFormat::kS16},
                           {"s24", SampleFormat::kS24},
                           {"s32", SampleFormat::kS32},
                           {"f32", SampleFormat::kF32},
                           {"f64", SampleFormat::kF64}};
  if (name == "u8") return RawAudio{SampleFormat::kU8, false, 0, 1};
  for (const Row& row : kRows) {
    if (!name.starts_with(row.name)) continue;
    const std::string_view order = name.substr(row.name.size());
    if (order == "le" || order == "be") return RawAudio{row.sample, order == "be", 0, 1};
  }
  return std::nullopt;
}

bool LooksLikeAudio(std::span<const uint8_t> beginning) {
  const ByteView view(beginning);
  constexpr std::array<std::string_view, 12> kMagics = {"fLaC",  "OggS", "FORM", "caff",
                                                        "riff",  ".snd", "ID3",  "\x1A\x45\xDF\xA3",
                                                        "#!AMR", "MAC ", "wvpk", "FLV"};
  if (LooksLikeWav(beginning) || (view.Is(0, "RIFF") && view.Is(8, "AVI "))) return true;
  for (const std::string_view magic : kMagics) {
    if (view.Is(0, magic)) return true;
  }
  const bool still = view.Is(8, "avif") || view.Is(8, "hei") || view.Is(8, "mif1");
  if (view.Is(4, "ftyp")) return !still;
  return view.Has(0, 2) && view.U8(0) == 0xFF && (view.U8(1) & 0xE0) == 0xE0 && (view.U8(1) & 0x18) != 0x08;
}

namespace {

Result<std::unique_ptr<AudioReader>> OpenSource(std::unique_ptr<ByteSource> source,
                                                const std::optional<RawAudio>& raw, const Limits& limits) {
  const std::string name = source->name();
  VQC_ASSIGN(auto reader, raw ? OpenRaw(std::move(source), *raw) : OpenAny(std::move(source), limits));
  VQC_TRY(CheckInfo(reader->Info(), name, limits));
  return reader;
}

}  // namespace

Result<std::unique_ptr<AudioReader>> OpenAudio(const std::string& path, const std::optional<RawAudio>& raw,
                                               const Limits& limits) {
  return WithinMemory([&]() -> Result<std::unique_ptr<AudioReader>> {
    try {
      VQC_ASSIGN(auto source, ByteSource::Open(path));
      return OpenSource(std::move(source), raw, limits);
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::kResource, path + ": not enough memory to open the sound"};
    }
  });
}

Result<std::unique_ptr<AudioReader>> OpenAudioBytes(std::vector<uint8_t> bytes, const std::string& name,
                                                    const Limits& limits) {
  return WithinMemory([&]() -> Result<std::unique_ptr<AudioReader>> {
    try {
      return OpenSource(ByteSource::OfMemory(std::move(bytes), name), {}, limits);
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::kResource, name + ": not enough memory to open the sound"};
    }
  });
}

Result<AnyMedia> OpenAnyMedia(const std::string& path, const std::optional<RawAudio>& raw,
                              const Limits& limits) {
  AnyMedia media;
  if (path != "-" && !raw) {
    // Devices and pipes with a name are waited for by who reads sound only: ReadFile says what is wrong with
    // them.
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) {
      VQC_ASSIGN(media.other, ReadFile(path, limits.max_input_bytes, "max_input_bytes"));
      return media;
    }
  }
  try {
    VQC_ASSIGN(auto source, ByteSource::Open(path));
    VQC_ASSIGN(const auto beginning, source->Peek(64));
    if (raw || LooksLikeAudio(beginning)) {
      VQC_ASSIGN(media.audio, OpenSource(std::move(source), raw, limits));
      return media;
    }
    if (path != "-") {
      source.reset();
      VQC_ASSIGN(media.other, ReadFile(path, limits.max_input_bytes, "max_input_bytes"));
      return media;
    }
    VQC_TRY(source->ReadIntoMemory(limits.max_input_bytes));
    media.other.resize(static_cast<size_t>(*source->size()));
    VQC_TRY(source->Read(media.other));
    return media;
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kResource, path + ": not enough memory to open it"};
  }
}

Result<std::unique_ptr<AudioWriter>> CreateAudio(const std::string& path, std::string_view extension,
                                                 const AudioInfo& info, const WriteOptions& options) {
  return WithinMemory([&]() -> Result<std::unique_ptr<AudioWriter>> {
    const std::string lower = Lower(extension);
    const bool raw = lower == ".raw" || lower == ".pcm";
    std::string known;
    bool writes = false;
    for (const MediaFormat& format : kFormats) {
      if (!format.writes) continue;
      known +=
          (known.empty() ? "" : ", ") + std::string(format.extensions.substr(0, format.extensions.find(' ')));
      for (std::string_view rest = format.extensions; !rest.empty();) {
        const size_t end = std::min(rest.find(' '), rest.size());
        writes |= rest.substr(0, end) == lower;
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    }
    if (!writes) {
      return Error{ErrorCode::kUsage,
                   "'" + lower + "' is no extension of sound that can be written; these are: " + known};
    }
    const AudioPart* part = nullptr;
    if (!raw && lower != ".wav") {
      const auto loaded = LoadSoundPart();
      if (!loaded.ok()) return Error{loaded.error().code, "'" + lower + "': " + loaded.error().message};
      part = *loaded;
    }
    VQC_ASSIGN(OutputFile file, OutputFile::Create(path, options));
    if (part) return part->create(std::move(file), lower, info);
    return CreateWav(std::move(file), info, !raw);
  });
}

}  // namespace vqc
