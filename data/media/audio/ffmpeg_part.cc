// SPDX-License-Identifier: Apache-2.0
// libvqcodec_ffmpeg.so: sound tracks through FFmpeg's demuxers and decoders (5.1 and later).
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
}

#include <algorithm>
#include <bit>
#include <utility>

#include "data/media/audio/audio_part.h"
#include "data/media/audio/ffmpeg_encode.h"
#include "data/media/audio/ffmpeg_free.h"
#include "data/media/audio/pcm.h"

namespace vqc {
namespace {

// Formats that hold their sound themselves: none of these opens other files or addresses.
constexpr char kFormats[] =
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,codec2,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,"
    "mpegts,"
    "ogg,"
    "tta,w64,wav,wv";
constexpr int kIoBytes = 1 << 16;

struct FormatClose {
  void operator()(AVFormatContext* context) const { avformat_close_input(&context); }
};
struct IoFree {
  void operator()(AVIOContext* io) const {
    av_freep(&io->buffer);
    avio_context_free(&io);
  }
};

int ReadSource(void* opaque, uint8_t* bytes, int count) {
  const auto got = static_cast<ByteSource*>(opaque)->Read({bytes, static_cast<size_t>(count)});
  if (!got.ok()) return AVERROR(EIO);
  return *got == 0 ? AVERROR_EOF : static_cast<int>(*got);
}

int64_t SeekSource(void* opaque, int64_t offset, int whence) {
  auto& source = *static_cast<ByteSource*>(opaque);
  const auto size = static_cast<int64_t>(source.size().value_or(0));
  if (whence & AVSEEK_SIZE) return size;
  whence &= ~AVSEEK_FORCE;
  if (whence == SEEK_CUR) offset += static_cast<int64_t>(source.position());
  if (whence == SEEK_END) offset += size;
  if (offset < 0 || !source.Seek(static_cast<uint64_t>(offset))) return AVERROR(EINVAL);
  return offset;
}

std::string TextOf(int error) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(error, text, sizeof text);
  return text;
}

std::optional<SampleFormat> SampleOf(AVSampleFormat format) {
  switch (av_get_packed_sample_fmt(format)) {
    case AV_SAMPLE_FMT_U8:
      return SampleFormat::kU8;
    case AV_SAMPLE_FMT_S16:
      return SampleFormat::kS16;
    case AV_SAMPLE_FMT_S32:
      return SampleFormat::kS32;
    case AV_SAMPLE_FMT_FLT:
      return SampleFormat::kF32;
    case AV_SAMPLE_FMT_DBL:
      return SampleFormat::kF64;
    default:
      return std::nullopt;
  }
}

class FfmpegReader final : public AudioReader {
 public:
  explicit FfmpegReader(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  // False where FFmpeg does not know the format; `Release` then gives the source back.
  Result<bool> Open() {
    av_log_set_level(AV_LOG_QUIET);
    io_.reset(avio_alloc_context(static_cast<unsigned char*>(av_malloc(kIoBytes)), kIoBytes, 0, source_.get(),
                                 &ReadSource, nullptr, &SeekSource));
    AVFormatContext* context = avformat_alloc_context();
    packet_.reset(av_packet_alloc());
    frame_.reset(av_frame_alloc());
    if (!io_ || !context || !packet_ || !frame_) return Error{ErrorCode::kResource, "no memory for FFmpeg"};
    context->pb = io_.get();
    av_opt_set(context, "format_whitelist", kFormats, 0);
    av_opt_set(context, "protocol_whitelist", "", 0);
    if (avformat_open_input(&context, nullptr, nullptr, nullptr) < 0) return false;  // frees the context
    format_.reset(context);
    if (const int error = avformat_find_stream_info(context, nullptr); error < 0) return Bad(TextOf(error));
    const AVCodec* codec = nullptr;
    stream_ = av_find_best_stream(context, AVMEDIA_TYPE_AUDIO, -1, -1, &codec, 0);
    if (stream_ < 0 || !codec) return Bad("it has no sound track that can be decoded");
    for (unsigned i = 0; i < context->nb_streams; ++i) {
      if (static_cast<int>(i) != stream_) context->streams[i]->discard = AVDISCARD_ALL;
    }
    codec_.reset(avcodec_alloc_context3(codec));
    if (!codec_) return Error{ErrorCode::kResource, "no memory for FFmpeg"};
    int error = avcodec_parameters_to_context(codec_.get(), context->streams[stream_]->codecpar);
    codec_->pkt_timebase = context->streams[stream_]->time_base;
    codec_->thread_count = 1;
    if (error >= 0) error = avcodec_open2(codec_.get(), codec, nullptr);
    if (error < 0) return Bad(TextOf(error));
    // The rate and channels of some formats are known with the first frame only.
    VQC_ASSIGN(const bool any, NextFrame());
    if (!any) return Bad("its sound track is empty");
    const auto sample = SampleOf(static_cast<AVSampleFormat>(frame_->format));
    if (!sample) return Bad("its samples are of an unknown kind");
    info_ = {std::string(format_->iformat->long_name ? format_->iformat->long_name : format_->iformat->name) +
                 ", " + codec->name,
             frame_->sample_rate, frame_->ch_layout.nb_channels, *sample, std::nullopt};
    if (info_.rate <= 0 || info_.channels <= 0) return Bad("its rate or number of channels is not known");
    return true;
  }

  std::unique_ptr<ByteSource> Release() {
    format_.reset();
    io_.reset();
    return std::move(source_);
  }

  const AudioInfo& Info() const override { return info_; }

 private:
  Error Bad(const std::string& what) const {
    return Error{ErrorCode::kInput, source_->name() + ": the sound cannot be decoded: " + what};
  }
  Error Damaged(int error) const {
    return Error{ErrorCode::kInput, source_->name() + ": the sound is damaged after " +
                                        std::to_string(frames_) + " frames (" + TextOf(error) +
                                        "); copy it again from its source"};
  }

  // The next decoded frame in frame_; false at the end.
  Result<bool> NextFrame() {
    used_ = 0;
    for (;;) {
      const int got = avcodec_receive_frame(codec_.get(), frame_.get());
      if (got == 0) return true;
      if (got == AVERROR_EOF) return false;
      if (got != AVERROR(EAGAIN)) return Damaged(got);
      VQC_TRY(SendPacket());
    }
  }

  Status SendPacket() {
    for (;;) {
      av_packet_unref(packet_.get());
      const int read = av_read_frame(format_.get(), packet_.get());
      if (read == AVERROR_EOF) {
        VQC_TRY(CheckLength());
        avcodec_send_packet(codec_.get(), nullptr);
        return {};
      }
      if (read < 0) return Damaged(read);
      if (packet_->stream_index != stream_) continue;
      if (packet_->flags & AV_PKT_FLAG_CORRUPT) return Damaged(AVERROR_INVALIDDATA);
      last_end_ = std::max(last_end_, packet_->pts + packet_->duration);
      const int sent = avcodec_send_packet(codec_.get(), packet_.get());
      if (sent < 0) return Damaged(sent);
      return {};
    }
  }

  // MP4 and its kin state the length of a track exactly; what ends earlier was cut off.
  Status CheckLength() const {
    const AVStream& stream = *format_->streams[stream_];
    const bool exact = std::string_view(format_->iformat->name).find("mp4") != std::string_view::npos;
    if (!exact || stream.duration <= 0) return {};
    const double missing = static_cast<double>(stream.duration - last_end_) * av_q2d(stream.time_base);
    return missing < 0.5 ? Status() : Status(Damaged(AVERROR_EOF));
  }

  Result<size_t> DoRead(std::span<float> interleaved) override {
    while (used_ >= frame_->nb_samples) {
      VQC_ASSIGN(const bool any, NextFrame());
      if (!any) return size_t{0};
      if (frame_->sample_rate != info_.rate || frame_->ch_layout.nb_channels != info_.channels ||
          SampleOf(static_cast<AVSampleFormat>(frame_->format)) != info_.sample) {
        return Bad("its rate, channels or samples change after " + std::to_string(frames_) +
                   " frames; cut it there first");
      }
    }
    const auto channels = static_cast<size_t>(info_.channels);
    const size_t count =
        std::min(interleaved.size() / channels, static_cast<size_t>(frame_->nb_samples - used_));
    const size_t size = BytesOf(info_.sample), from = static_cast<size_t>(used_) * size;
    constexpr bool kBigEndian = std::endian::native == std::endian::big;
    if (av_sample_fmt_is_planar(static_cast<AVSampleFormat>(frame_->format))) {
      plane_.resize(count);
      for (size_t c = 0; c < channels; ++c) {
        ToFloats(info_.sample, kBigEndian, {frame_->extended_data[c] + from, count * size}, plane_);
        for (size_t i = 0; i < count; ++i) interleaved[i * channels + c] = plane_[i];
      }
    } else {
      ToFloats(info_.sample, kBigEndian,
               {frame_->extended_data[0] + from * channels, count * channels * size},
               interleaved.first(count * channels));
    }
    used_ += static_cast<int>(count);
    frames_ += count;
    return count;
  }

  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<AVIOContext, IoFree> io_;  // outlives format_
  std::unique_ptr<AVFormatContext, FormatClose> format_;
  std::unique_ptr<AVCodecContext, CodecFree> codec_;
  std::unique_ptr<AVPacket, PacketFree> packet_;
  std::unique_ptr<AVFrame, FrameFree> frame_;
  int stream_ = -1, used_ = 0;
  int64_t last_end_ = 0;
  uint64_t frames_ = 0;
  std::vector<float> plane_;
  AudioInfo info_;
};

Result<std::unique_ptr<AudioReader>> Open(std::unique_ptr<ByteSource>& source) {
  auto reader = std::make_unique<FfmpegReader>(std::move(source));
  VQC_ASSIGN(const bool known, reader->Open());
  if (known) return std::unique_ptr<AudioReader>(std::move(reader));
  source = reader->Release();
  source->Seek(0);
  return std::unique_ptr<AudioReader>();
}

}  // namespace
}  // namespace vqc

extern "C" const vqc::AudioPart* vqc_ffmpeg_part() {
  static constexpr vqc::AudioPart kPart{&vqc::Open, nullptr, nullptr, &vqc::FfmpegEncode};
  return &kPart;
}
