// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/sound.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/records.h"
#include "codec/container/live.h"

namespace vqc {
namespace {

// Read at a time: of all channels enough for threads to share, of each enough to keep its network busy.
constexpr size_t kSamples = 1 << 19, kLeastFrames = 1 << 16;

}  // namespace

Result<std::optional<RawAudio>> RawOf(const RawOptions& options) {
  if (options.format.empty()) {
    if (options.rate == 0 && options.channels == 1) return std::optional<RawAudio>();
    return Error{ErrorCode::kUsage,
                 "--rate and --channels are for sound without a header; say which with --format"};
  }
  auto raw = ParseRawFormat(options.format);
  if (!raw) return Error{ErrorCode::kUsage, options.format + " is no format of samples"};
  if (options.rate == 0) {
    return Error{ErrorCode::kUsage, "--format " + options.format + " needs --rate, frames a second"};
  }
  raw->rate = options.rate;
  raw->channels = options.channels;
  return raw;
}

SampleFormat SampleOfBits(const std::string& bits) {
  return bits == "float" ? SampleFormat::kF32 : bits == "24" ? SampleFormat::kS24 : SampleFormat::kS16;
}

Result<ItemReport> EncodeSound(AudioReader& reader, const Job& job, const Bundle& bundle,
                               const AudioOptions& options, const OutputOptions& output,
                               const Stopwatch& watch) {
  const AudioInfo& info = reader.Info();
  AudioOptions audio = options;
  audio.frames = info.frames.value_or(0);
  VQC_ASSIGN(AudioEncoder encoder, AudioEncoder::Create(bundle, info.rate, info.channels, audio));
  VQC_TRY(MakeFolderOf(job.output, output));
  VQC_ASSIGN(OutputFile file, OutputFile::Create(job.output, {.force = output.force}));
  const auto channels = static_cast<size_t>(info.channels);
  std::vector<float> samples(std::max(kSamples / channels, kLeastFrames) * channels);
  for (;;) {
    VQC_ASSIGN(const size_t frames, reader.Read(samples));
    if (frames == 0) break;
    VQC_ASSIGN(const auto bytes,
               encoder.Push(std::span(samples).first(frames * static_cast<size_t>(info.channels))));
    VQC_TRY(file.Write(bytes));
  }
  VQC_ASSIGN(const auto bytes, encoder.Finish());
  VQC_TRY(file.Write(bytes));
  VQC_TRY(file.Commit());
  const double seconds = watch.Seconds();

  const AudioCounts& counts = encoder.Counts();
  const double duration = static_cast<double>(counts.frames) / info.rate;
  ItemReport report;
  report.record = ModelRecord(bundle.card);
  report.record.update(SoundRecord(info.rate, static_cast<uint32_t>(info.channels), counts.frames));
  report.record["tokens"] = counts.tokens;
  report.record["levels"] = options.levels == 0 ? bundle.tokenizer->Info().vocab.size() : options.levels;
  report.record["chunks"] = counts.chunks;
  report.record.update(SoundSizeRecord(counts.payload_bytes, counts.bytes, duration));
  report.record["seconds"] = seconds;
  report.record["seconds_network"] = counts.network_seconds;
  report.note = InputName(job.input) + " -> " + job.output + ": " + Fixed(duration, 2) + " s, " +
                std::to_string(info.channels) + " x " + std::to_string(info.rate) + " Hz, " +
                std::to_string(counts.tokens) + " tokens, " + SizeText(counts.bytes) + " (" +
                Fixed(report.record["kbps"], 3) + " kbps), " + Fixed(seconds, 2) + " s";
  if (reader.Repaired() > 0) {
    report.record["repaired_samples"] = reader.Repaired();
    report.warnings.push_back(
        std::to_string(reader.Repaired()) +
        " samples were not in [-1, 1]: clipped, or made silent where they were no numbers");
  }
  return report;
}

Status DecodeChunk(AudioDecoder& decoder, const Chunk& chunk, bool salvage, std::vector<std::string>& defects,
                   const AudioDecoder::Sink& sink) {
  const Status pushed = decoder.Push(chunk, sink);
  if (pushed.ok() || !salvage || pushed.error().code != ErrorCode::kCorruptData) return pushed;
  const uint64_t end = chunk.first_frame + chunk.frames;
  defects.push_back("frames " + std::to_string(chunk.first_frame) + " to " + std::to_string(end - 1) +
                    " are lost: " + pushed.error().message);
  return decoder.ConcealTo(end, sink);
}

std::string MadeUpText(uint64_t frames, double rate) {
  return Fixed(static_cast<double>(frames) / rate, 2) + " s of it are made up";
}

Result<ItemReport> DecodeSound(const SoundToDecode& what, const Job& job, const Bundle& bundle,
                               const OutputOptions& output, const Limits& limits, const Stopwatch& watch) {
  const StreamHeader& header = what.stream.header;
  VQC_ASSIGN(AudioDecoder decoder, AudioDecoder::Create(header, what.chunk_frames, bundle, limits));
  decoder.Gather();
  AudioInfo info;
  info.rate = static_cast<int>(header.rate);
  info.channels = static_cast<int>(header.channels);
  info.sample = SampleOfBits(what.bits);
  info.frames = header.frames;
  if (!what.stream.chunks.empty()) {
    const Chunk& last = what.stream.chunks.back();
    info.frames = std::max(header.frames, last.first_frame + last.frames);
  }
  VQC_TRY(MakeFolderOf(job.output, output));
  VQC_ASSIGN(const auto writer, CreateAudio(job.output, what.extension, info, {.force = output.force}));
  const auto sink = [&writer](std::span<const float> samples) { return writer->Write(samples); };
  std::vector<std::string> defects = what.defects;
  for (const Chunk& chunk : what.stream.chunks)
    VQC_TRY(DecodeChunk(decoder, chunk, what.salvage, defects, sink));
  VQC_TRY(decoder.Finish(sink));
  VQC_TRY(writer->Finish());
  const double seconds = watch.Seconds();

  const AudioCounts& counts = decoder.Counts();
  const double duration = static_cast<double>(*info.frames) / header.rate;
  ItemReport report;
  report.record = ModelRecord(bundle.card);
  report.record.update(SoundRecord(header.rate, header.channels, *info.frames));
  report.record["tokens"] = counts.tokens;
  report.record["levels"] = header.levels == 0 ? bundle.tokenizer->Info().vocab.size() : header.levels;
  report.record["chunks"] = counts.chunks;
  report.record.update(SoundSizeRecord(counts.payload_bytes, what.file_bytes, duration));
  report.record["crc_ok"] = defects.empty();
  report.record["seconds"] = seconds;
  report.record["seconds_network"] = counts.network_seconds;
  report.note = InputName(job.input) + " -> " + job.output + ": " + Fixed(duration, 2) + " s, " +
                std::to_string(info.channels) + " x " + std::to_string(info.rate) + " Hz, " +
                Fixed(seconds, 2) + " s";
  if (!defects.empty()) {
    report.record["defects"] = defects;
    report.record["made_up_frames"] = decoder.ConcealedFrames();
    report.exit_code = kExitSomeFailed;
    defects.push_back(MadeUpText(decoder.ConcealedFrames(), header.rate));
    for (const std::string& defect : defects) report.warnings.push_back("salvaged, but " + defect);
  }
  return report;
}

Result<uint32_t> ChunkFramesOf(std::span<const uint8_t> bytes, const Stream& stream) {
  if (stream.header.modality != Modality::kAudio) return 1u;
  StreamReader reader;
  reader.Push(bytes.first(std::min<size_t>(bytes.size(), 4096)));
  const auto first = reader.Next();  // fails where the first chunk is damaged; the head is there all the same
  if (reader.Header()) return reader.ChunkFrames();
  if (!stream.chunks.empty()) return stream.chunks.front().frames;  // a single chunk
  return 1u;
}

Modality ModalityOfStream(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return Modality::kImage;
  std::array<char, 5> head{};
  std::ifstream file(path, std::ios::binary);
  if (!file.read(head.data(), head.size())) return Modality::kImage;
  const auto kind = static_cast<uint8_t>(head[4]);
  const bool other = static_cast<uint8_t>(head[0]) == 0x8F && head[1] == 'V' && head[2] == 'Q' && kind & 0x80;
  return other ? static_cast<Modality>(kind & 0x07) : Modality::kImage;
}

}  // namespace vqc
