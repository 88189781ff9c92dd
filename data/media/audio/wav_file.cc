// SPDX-License-Identifier: Apache-2.0
#include "data/media/audio/wav_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/within_memory.h"
#include "data/media/audio/pcm.h"
#include "data/media/byte_view.h"

namespace vqc {
namespace {

constexpr uint16_t kPcm = 1, kFloat = 3, kExtensible = 0xFFFE;
constexpr uint64_t kUnknown = UINT64_MAX;
// Programs that write into a pipe put a size in the header that cannot be meant.
constexpr uint64_t kAbsurdSize = 0x7FFFF000;
constexpr size_t kBlockFrames = 4096;

Error BadWav(const ByteSource& source, const std::string& what) {
  return Error{ErrorCode::kInput, source.name() + ": " + what + "; copy it again from its source"};
}

struct WavLayout {
  RawAudio raw;
  uint64_t data_bytes = 0;  // kUnknown: to the end
};

std::optional<SampleFormat> SampleOf(uint16_t tag, uint16_t bits) {
  if (tag == kFloat && bits == 32) return SampleFormat::kF32;
  if (tag == kFloat && bits == 64) return SampleFormat::kF64;
  if (tag != kPcm) return std::nullopt;
  if (bits == 8) return SampleFormat::kU8;
  if (bits == 16) return SampleFormat::kS16;
  if (bits == 24) return SampleFormat::kS24;
  if (bits == 32) return SampleFormat::kS32;
  return std::nullopt;
}

// Walks the chunks of a WAV up to its samples. nullopt: a coding that is not ours.
class WavHeaderReader {
 public:
  explicit WavHeaderReader(ByteSource& source) : source_(source) {}

  Result<std::optional<WavLayout>> Run() {
    std::array<uint8_t, 12> riff{};
    VQC_TRY(Take(riff));
    const ByteView view(riff, false);
    const uint64_t riff_size = view.U32(4);
    for (;;) {
      std::array<uint8_t, 8> head{};
      VQC_TRY(Take(head));
      const ByteView chunk(head, false);
      uint64_t size = chunk.U32(4);
      if (chunk.Is(0, "data")) {
        if (!layout_) return BadWav(source_, "the WAV has samples before it says of what kind");
        return SetSize(size, riff_size);
      }
      std::vector<uint8_t> body(static_cast<size_t>(std::min<uint64_t>(size, kMaxBody)));
      VQC_TRY(Take(body));
      VQC_TRY(Skip(size - body.size() + size % 2));
      if (chunk.Is(0, "fmt ")) {
        VQC_ASSIGN(const bool ours, ReadFormat(body));
        if (!ours) return std::optional<WavLayout>();
      }
      if (chunk.Is(0, "ds64") && body.size() >= 16) {
        const ByteView sizes(body, false);
        size64_ = sizes.U32(8) | uint64_t{sizes.U32(12)} << 32;
      }
    }
  }

 private:
  static constexpr size_t kMaxBody = 64;  // of a chunk, as far as it is looked at

  Status Take(std::span<uint8_t> bytes) {
    VQC_ASSIGN(const size_t got, source_.Read(bytes));
    if (got == bytes.size()) return {};
    return BadWav(source_,
                  "the WAV is cut off in its header, after " + std::to_string(source_.position()) + " bytes");
  }

  Status Skip(uint64_t count) {
    std::array<uint8_t, 4096> waste{};
    if (source_.size()) {
      if (source_.Seek(source_.position() + count)) return {};
      return BadWav(source_, "the WAV is cut off in its header");
    }
    for (; count > 0; count -= std::min<uint64_t>(count, waste.size())) {
      VQC_TRY(Take(std::span(waste).first(static_cast<size_t>(std::min<uint64_t>(count, waste.size())))));
    }
    return {};
  }

  Result<bool> ReadFormat(std::span<const uint8_t> body) {
    if (body.size() < 16)
      return BadWav(source_, "the WAV has a format chunk of " + std::to_string(body.size()) +
                                 " bytes, it has at least 16");
    const ByteView view(body, false);
    uint16_t tag = view.U16(0);
    const uint16_t bits = view.U16(14);
    if (tag == kExtensible && body.size() >= 26) tag = view.U16(24);
    const auto sample = SampleOf(tag, bits);
    if (!sample) return false;
    layout_.emplace();
    layout_->raw.sample = *sample;
    layout_->raw.channels = view.U16(2);
    const uint32_t rate = view.U32(4);
    if (rate == 0 || rate > INT32_MAX || layout_->raw.channels == 0) {
      return BadWav(source_, "the WAV claims " + std::to_string(rate) + " frames a second in " +
                                 std::to_string(layout_->raw.channels) + " channels");
    }
    layout_->raw.rate = static_cast<int>(rate);
    const size_t block = BytesOf(*sample) * static_cast<size_t>(layout_->raw.channels);
    if (view.U16(12) != block) {
      return BadWav(source_, "the WAV claims frames of " + std::to_string(view.U16(12)) + " bytes, " +
                                 std::to_string(layout_->raw.channels) + " channels of " +
                                 std::to_string(bits) + " bits take " + std::to_string(block));
    }
    return true;
  }

  Result<std::optional<WavLayout>> SetSize(uint64_t size, uint64_t riff_size) {
    const bool open_riff = riff_size == 0 || riff_size >= kAbsurdSize;
    const uint64_t block = BytesOf(layout_->raw.sample) * static_cast<uint64_t>(layout_->raw.channels);
    if (size == UINT32_MAX && size64_) {
      size = *size64_;
    } else if ((size == 0 && open_riff) || (!source_.size() && size >= kAbsurdSize) || size == UINT32_MAX) {
      size = kUnknown;
    }
    layout_->data_bytes = size;
    if (size == kUnknown) return layout_;
    if (size % block != 0) {
      return BadWav(source_, "the WAV claims " + std::to_string(size) +
                                 " bytes of samples, which is no whole number of frames of " +
                                 std::to_string(block) + " bytes");
    }
    if (source_.size() && size > *source_.size() - source_.position()) {
      return BadWav(source_, "the WAV is cut off: it claims " + std::to_string(size) + " bytes of samples, " +
                                 std::to_string(*source_.size() - source_.position()) + " are there");
    }
    return layout_;
  }

  ByteSource& source_;
  std::optional<WavLayout> layout_;
  std::optional<uint64_t> size64_;
};

class PcmReader final : public AudioReader {
 public:
  PcmReader(std::unique_ptr<ByteSource> source, const RawAudio& raw, uint64_t data_bytes, std::string format)
      : source_(std::move(source)), raw_(raw), left_(data_bytes) {
    info_ = {std::move(format), raw.rate, raw.channels, raw.sample, std::nullopt};
    if (left_ == kUnknown && source_->size()) left_ = *source_->size() - source_->position();
    if (left_ != kUnknown) info_.frames = left_ / Block();
  }

  const AudioInfo& Info() const override { return info_; }

 private:
  uint64_t Block() const { return BytesOf(raw_.sample) * static_cast<uint64_t>(raw_.channels); }

  Result<size_t> DoRead(std::span<float> interleaved) override {
    const size_t channels = static_cast<size_t>(raw_.channels);
    uint64_t wanted = std::min(interleaved.size() / channels, kBlockFrames) * Block();
    wanted = std::min(wanted, left_);
    bytes_.resize(static_cast<size_t>(wanted));
    VQC_ASSIGN(const size_t got, source_->Read(bytes_));
    if (left_ != kUnknown) {
      left_ -= got;
      if (got < wanted) {
        return Error{ErrorCode::kInput, source_->name() + ": is cut off: " + std::to_string(left_) +
                                            " bytes of samples are missing; copy it again from its source"};
      }
    }
    if (got % Block() != 0) {
      return Error{ErrorCode::kInput,
                   source_->name() + ": ends in the middle of a frame of " + std::to_string(Block()) +
                       " bytes; check the sample format and the number of channels, or copy it "
                       "again from its source"};
    }
    const size_t frames = got / Block();
    ToFloats(raw_.sample, raw_.big_endian, std::span(bytes_).first(got),
             interleaved.first(frames * channels));
    return frames;
  }

  std::unique_ptr<ByteSource> source_;
  RawAudio raw_;
  uint64_t left_;
  AudioInfo info_;
  std::vector<uint8_t> bytes_;
};

// More than any header here takes.
constexpr uint64_t kHeaderBytes = 128;

// The subformat of WAVE_FORMAT_EXTENSIBLE from its third byte on.
constexpr std::array<uint8_t, 14> kSubformatTail = {0, 0, 0,    0, 0x10, 0,    0x80,
                                                    0, 0, 0xAA, 0, 0x38, 0x9B, 0x71};

std::vector<uint8_t> WavHeader(const AudioInfo& info, std::optional<uint64_t> data_bytes) {
  const auto channels = static_cast<uint32_t>(info.channels);
  const uint32_t block = static_cast<uint32_t>(BytesOf(info.sample)) * channels;
  const uint16_t tag = IsFloat(info.sample) ? kFloat : kPcm;
  const bool extensible = channels > 2 || BitsOf(info.sample) > 16;
  const bool large = data_bytes && *data_bytes > UINT32_MAX - kHeaderBytes;
  ByteWriter body;
  body.Append("WAVE");
  if (large) {  // sizes of 64 bits: of the file less 8, of the samples; frames; no table
    body.Append("ds64");
    body.U32(28);
    body.U64(4 + 36 + (extensible ? 48 : 24) + 8 + *data_bytes + *data_bytes % 2);
    body.U64(*data_bytes);
    body.U64(*data_bytes / block);
    body.U32(0);
  }
  body.Append("fmt ");
  body.U32(extensible ? 40 : 16);
  body.U16(extensible ? kExtensible : tag);
  body.U16(static_cast<uint16_t>(channels));
  body.U32(static_cast<uint32_t>(info.rate));
  body.U32(static_cast<uint32_t>(info.rate) * block);
  body.U16(static_cast<uint16_t>(block));
  body.U16(static_cast<uint16_t>(BitsOf(info.sample)));
  if (extensible) {
    body.U16(22);
    body.U16(static_cast<uint16_t>(BitsOf(info.sample)));
    body.U32(channels == 1 ? 4 : channels == 2 ? 3 : 0);  // front centre; left and right; not said
    body.U16(tag);
    body.Append(kSubformatTail);
  }
  body.Append("data");
  body.U32(data_bytes && !large ? static_cast<uint32_t>(*data_bytes) : UINT32_MAX);
  ByteWriter out;
  out.Append(large ? "RF64" : "RIFF");
  out.U32(data_bytes && !large ? static_cast<uint32_t>(body.size() + *data_bytes + *data_bytes % 2)
                               : UINT32_MAX);
  out.Append(body.bytes());
  return std::move(out).Take();
}

class PcmWriter final : public AudioWriter {
 public:
  PcmWriter(OutputFile file, const AudioInfo& info, bool with_header)
      : file_(std::move(file)), info_(info), with_header_(with_header) {}

  Status Begin() {
    if (!with_header_) return {};
    std::optional<uint64_t> bytes;
    if (info_.frames) bytes = *info_.frames * BytesOf(info_.sample) * static_cast<uint64_t>(info_.channels);
    return file_.Write(WavHeader(info_, bytes));
  }

  Status Write(std::span<const float> interleaved) override {
    return WithinMemory([&]() -> Status {
      bytes_.resize(interleaved.size() * BytesOf(info_.sample));
      FromFloats(info_.sample, interleaved, bytes_);
      written_ += bytes_.size();
      return file_.Write(bytes_);
    });
  }

  Status Finish() override {
    return WithinMemory([&]() -> Status {
      const uint64_t frames = written_ / BytesOf(info_.sample) / static_cast<uint64_t>(info_.channels);
      if (info_.frames && *info_.frames != frames) {
        return Error{ErrorCode::kInternal,
                     "a WAV of " + std::to_string(*info_.frames) + " frames got " + std::to_string(frames)};
      }
      if (with_header_ && written_ % 2 == 1) {
        const uint8_t pad = 0;
        VQC_TRY(file_.Write({&pad, 1}));
      }
      // Longer than its header can say: the header stays that of a stream.
      if (with_header_ && !info_.frames && written_ <= UINT32_MAX - kHeaderBytes && file_.CanOverwrite()) {
        VQC_TRY(file_.Overwrite(0, WavHeader(info_, written_)));
      }
      return file_.Commit();
    });
  }

 private:
  OutputFile file_;
  AudioInfo info_;
  bool with_header_;
  uint64_t written_ = 0;
  std::vector<uint8_t> bytes_;
};

}  // namespace

bool LooksLikeWav(std::span<const uint8_t> beginning) {
  const ByteView view(beginning);
  return (view.Is(0, "RIFF") || view.Is(0, "RF64")) && view.Is(8, "WAVE");
}

Result<std::unique_ptr<AudioReader>> OpenWav(std::unique_ptr<ByteSource>& source) {
  // A pipe cannot go back to its beginning, where another reader would begin.
  const bool can_return = source->size().has_value();
  VQC_ASSIGN(const auto layout, WavHeaderReader(*source).Run());
  if (layout) {
    return std::unique_ptr<AudioReader>(
        std::make_unique<PcmReader>(std::move(source), layout->raw, layout->data_bytes, "WAV"));
  }
  if (!can_return) {
    return Error{ErrorCode::kInput,
                 source->name() +
                     ": the WAV holds neither PCM nor float samples; convert it, or give it as a "
                     "file instead of a pipe"};
  }
  source->Seek(0);
  return std::unique_ptr<AudioReader>();
}

Result<std::unique_ptr<AudioReader>> OpenRaw(std::unique_ptr<ByteSource> source, const RawAudio& raw) {
  if (raw.rate <= 0 || raw.channels <= 0) {
    return Error{ErrorCode::kUsage, "samples without a header need --rate and --channels, found " +
                                        std::to_string(raw.rate) + " and " + std::to_string(raw.channels)};
  }
  return std::unique_ptr<AudioReader>(std::make_unique<PcmReader>(std::move(source), raw, kUnknown, "raw"));
}

Result<std::unique_ptr<AudioWriter>> CreateWav(OutputFile file, const AudioInfo& info, bool with_header) {
  auto writer = std::make_unique<PcmWriter>(std::move(file), info, with_header);
  VQC_TRY(writer->Begin());
  return std::unique_ptr<AudioWriter>(std::move(writer));
}

}  // namespace vqc
