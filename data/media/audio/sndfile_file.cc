// SPDX-License-Identifier: Apache-2.0
#include "data/media/audio/sndfile_file.h"

#include <sndfile.h>

#include <algorithm>
#include <utility>

namespace vqc {
namespace {

struct SndfileClose {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SndfileHandle = std::unique_ptr<SNDFILE, SndfileClose>;

// --- reading ---

sf_count_t SourceSize(void* data) {
  return static_cast<sf_count_t>(static_cast<ByteSource*>(data)->size().value_or(0));
}

sf_count_t SourceSeek(sf_count_t offset, int whence, void* data) {
  auto& source = *static_cast<ByteSource*>(data);
  if (whence == SEEK_CUR) offset += static_cast<sf_count_t>(source.position());
  if (whence == SEEK_END) offset += SourceSize(data);
  if (offset >= 0) source.Seek(std::min<uint64_t>(static_cast<uint64_t>(offset), source.size().value_or(0)));
  return static_cast<sf_count_t>(source.position());
}

sf_count_t SourceRead(void* bytes, sf_count_t count, void* data) {
  if (count <= 0) return 0;
  const auto got =
      static_cast<ByteSource*>(data)->Read({static_cast<uint8_t*>(bytes), static_cast<size_t>(count)});
  return got.ok() ? static_cast<sf_count_t>(*got) : 0;
}

sf_count_t SourceTell(void* data) {
  return static_cast<sf_count_t>(static_cast<ByteSource*>(data)->position());
}

std::string NameOfMajor(int format) {
  SF_FORMAT_INFO info{};
  info.format = format & SF_FORMAT_TYPEMASK;
  if (sf_command(nullptr, SFC_GET_FORMAT_INFO, &info, sizeof info) != 0 || !info.name) return "sound";
  const std::string name = info.name;
  return name.substr(0, name.find(' '));
}

SampleFormat SampleOf(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
      return SampleFormat::kU8;
    case SF_FORMAT_PCM_24:
      return SampleFormat::kS24;
    case SF_FORMAT_PCM_32:
      return SampleFormat::kS32;
    case SF_FORMAT_FLOAT:
      return SampleFormat::kF32;
    case SF_FORMAT_DOUBLE:
      return SampleFormat::kF64;
    default:
      return SampleFormat::kS16;
  }
}

// Formats whose header says how many frames there are: fewer is damage.
bool StatesLength(int format) {
  const int major = format & SF_FORMAT_TYPEMASK;
  return major == SF_FORMAT_FLAC || major == SF_FORMAT_AIFF || major == SF_FORMAT_CAF ||
         major == SF_FORMAT_W64;
}

class SndfileReader final : public AudioReader {
 public:
  SndfileReader(std::unique_ptr<ByteSource> source, SndfileHandle file, const SF_INFO& info)
      : source_(std::move(source)), file_(std::move(file)), states_length_(StatesLength(info.format)) {
    info_ = {NameOfMajor(info.format), info.samplerate, info.channels, SampleOf(info.format), std::nullopt};
    if (states_length_ && info.frames >= 0 && info.frames < SF_COUNT_MAX) {
      info_.frames = static_cast<uint64_t>(info.frames);
    }
  }

  const AudioInfo& Info() const override { return info_; }

 private:
  Result<size_t> DoRead(std::span<float> interleaved) override {
    const auto wanted = static_cast<sf_count_t>(interleaved.size() / static_cast<size_t>(info_.channels));
    const sf_count_t got = std::max<sf_count_t>(sf_readf_float(file_.get(), interleaved.data(), wanted), 0);
    frames_ += static_cast<uint64_t>(got);
    if (got > 0) return static_cast<size_t>(got);
    const bool cut = states_length_ && info_.frames && frames_ < *info_.frames;
    if (sf_error(file_.get()) == SF_ERR_NO_ERROR && !cut) return size_t{0};
    return Error{ErrorCode::kInput,
                 source_->name() + ": the " + info_.format + " is damaged or cut off after " +
                     std::to_string(frames_) + " frames" +
                     (info_.frames ? " of " + std::to_string(*info_.frames) : std::string()) +
                     "; copy it again from its source"};
  }

  std::unique_ptr<ByteSource> source_;
  SndfileHandle file_;
  bool states_length_;
  uint64_t frames_ = 0;
  AudioInfo info_;
};

// --- writing ---

// The library writes a header first and mends it last; everything before the end goes through Overwrite.
struct Sink {
  OutputFile file;
  uint64_t position = 0, size = 0;
  Status status;
};

sf_count_t SinkSize(void* data) { return static_cast<sf_count_t>(static_cast<Sink*>(data)->size); }

sf_count_t SinkSeek(sf_count_t offset, int whence, void* data) {
  auto& sink = *static_cast<Sink*>(data);
  if (whence == SEEK_CUR) offset += static_cast<sf_count_t>(sink.position);
  if (whence == SEEK_END) offset += static_cast<sf_count_t>(sink.size);
  if (offset >= 0 && static_cast<uint64_t>(offset) <= sink.size)
    sink.position = static_cast<uint64_t>(offset);
  return static_cast<sf_count_t>(sink.position);
}

sf_count_t SinkWrite(const void* bytes, sf_count_t count, void* data) {
  auto& sink = *static_cast<Sink*>(data);
  std::span<const uint8_t> rest(static_cast<const uint8_t*>(bytes),
                                static_cast<size_t>(std::max<sf_count_t>(count, 0)));
  const auto again = static_cast<size_t>(std::min<uint64_t>(sink.size - sink.position, rest.size()));
  if (sink.status.ok() && again > 0) sink.status = sink.file.Overwrite(sink.position, rest.first(again));
  if (sink.status.ok() && rest.size() > again) sink.status = sink.file.Write(rest.subspan(again));
  if (!sink.status.ok()) return 0;
  sink.position += rest.size();
  sink.size = std::max(sink.size, sink.position);
  return count;
}

sf_count_t SinkTell(void* data) { return static_cast<sf_count_t>(static_cast<Sink*>(data)->position); }

class SndfileWriter final : public AudioWriter {
 public:
  SndfileWriter(std::unique_ptr<Sink> sink, int channels) : sink_(std::move(sink)), channels_(channels) {}

  Status Open(SF_INFO info) {
    SF_VIRTUAL_IO io{&SinkSize, &SinkSeek, nullptr, &SinkWrite, &SinkTell};
    file_.reset(sf_open_virtual(&io, SFM_WRITE, &info, sink_.get()));
    if (file_) {
      sf_command(file_.get(), SFC_SET_CLIPPING, nullptr, SF_TRUE);
      return {};
    }
    return Error{ErrorCode::kUsage, std::string("the sound cannot be written in this format: ") +
                                        sf_strerror(nullptr) + "; write .wav"};
  }

  Status Write(std::span<const float> interleaved) override {
    const auto frames = static_cast<sf_count_t>(interleaved.size() / static_cast<size_t>(channels_));
    if (sf_writef_float(file_.get(), interleaved.data(), frames) == frames && sink_->status.ok()) return {};
    return Failure();
  }

  Status Finish() override {
    const int failed = sf_close(file_.release());
    if (failed != 0 || !sink_->status.ok()) return Failure();
    return sink_->file.Commit();
  }

 private:
  Error Failure() const {
    if (!sink_->status.ok()) return sink_->status.error();
    return Error{ErrorCode::kOutput, "libsndfile could not write the sound; write .wav"};
  }

  std::unique_ptr<Sink> sink_;
  int channels_;
  SndfileHandle file_;
};

int FormatOf(std::string_view extension, SampleFormat sample) {
  const auto pcm = [&](int most) {
    int bits = sample == SampleFormat::kU8 || sample == SampleFormat::kS16 ? 16
               : sample == SampleFormat::kS24                              ? 24
                                                                           : 32;
    bits = std::min(bits, most);
    return bits == 16 ? SF_FORMAT_PCM_16 : bits == 24 ? SF_FORMAT_PCM_24 : SF_FORMAT_PCM_32;
  };
  const int wide = sample == SampleFormat::kF32 ? SF_FORMAT_FLOAT : pcm(32);
  if (extension == ".flac") return SF_FORMAT_FLAC | pcm(24);
  if (extension == ".ogg") return SF_FORMAT_OGG | SF_FORMAT_VORBIS;
  if (extension == ".opus") return SF_FORMAT_OGG | SF_FORMAT_OPUS;
  if (extension == ".aiff" || extension == ".aif") return SF_FORMAT_AIFF | wide;
  if (extension == ".caf") return SF_FORMAT_CAF | wide;
  if (extension == ".w64") return SF_FORMAT_W64 | wide;
  return 0;
}

}  // namespace

Result<std::unique_ptr<AudioReader>> OpenSndfile(std::unique_ptr<ByteSource>& source) {
  SF_VIRTUAL_IO io{&SourceSize, &SourceSeek, &SourceRead, nullptr, &SourceTell};
  SF_INFO info{};
  SndfileHandle file(sf_open_virtual(&io, SFM_READ, &info, source.get()));
  if (!file) {
    source->Seek(0);
    return std::unique_ptr<AudioReader>();
  }
  return std::unique_ptr<AudioReader>(
      std::make_unique<SndfileReader>(std::move(source), std::move(file), info));
}

Result<std::unique_ptr<AudioWriter>> CreateSndfile(OutputFile file, std::string_view extension,
                                                   const AudioInfo& info) {
  SF_INFO wanted{};
  wanted.samplerate = info.rate;
  wanted.channels = info.channels;
  wanted.format = FormatOf(extension, info.sample);
  if (!file.CanOverwrite()) {
    return Error{ErrorCode::kUsage,
                 std::string(extension) +
                     " cannot be written into a pipe, because its header is mended at the end; "
                     "write .wav there"};
  }
  if (wanted.format == 0 || !sf_format_check(&wanted)) {
    return Error{ErrorCode::kUsage, std::string(extension) + " files do not hold " +
                                        std::to_string(info.channels) + " channels at " +
                                        std::to_string(info.rate) + " Hz; write .wav"};
  }
  auto sink = std::make_unique<Sink>(Sink{std::move(file), 0, 0, {}});
  auto writer = std::make_unique<SndfileWriter>(std::move(sink), info.channels);
  VQC_TRY(writer->Open(wanted));
  return std::unique_ptr<AudioWriter>(std::move(writer));
}

}  // namespace vqc
