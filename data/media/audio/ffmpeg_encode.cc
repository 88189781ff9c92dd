// SPDX-License-Identifier: Apache-2.0
// Part of libvqcodec_ffmpeg.so.
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/dict.h>
}

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "data/media/audio/ffmpeg_encode.h"
#include "data/media/audio/ffmpeg_free.h"

namespace vqc {
namespace {

// What is left of them after a call are those that it does not know.
class Options {
 public:
  ~Options() { av_dict_free(&options_); }
  int Parse(const std::string& text) { return av_dict_parse_string(&options_, text.c_str(), "=", ":", 0); }
  AVDictionary** Get() { return &options_; }
  std::string First() const {
    const AVDictionaryEntry* entry = av_dict_get(options_, "", nullptr, AV_DICT_IGNORE_SUFFIX);
    return entry ? entry->key : "";
  }

 private:
  AVDictionary* options_ = nullptr;
};

// A container that is written into memory.
class MemoryFile {
 public:
  ~MemoryFile() {
    if (!context_) return;
    if (context_->pb) {
      uint8_t* bytes = nullptr;
      avio_close_dyn_buf(context_->pb, &bytes);
      av_free(bytes);
    }
    avformat_free_context(context_);
  }
  int Open(const std::string& format) {
    const int error = avformat_alloc_output_context2(&context_, nullptr, format.c_str(), nullptr);
    if (error < 0) return error;
    context_->flags |= AVFMT_FLAG_BITEXACT;  // no version of the library, no random serial numbers
    return avio_open_dyn_buf(&context_->pb);
  }
  AVFormatContext* context() const { return context_; }
  std::vector<uint8_t> Bytes() {
    uint8_t* bytes = nullptr;
    const int size = avio_close_dyn_buf(context_->pb, &bytes);
    context_->pb = nullptr;
    std::vector<uint8_t> file(bytes, bytes + size);
    av_free(bytes);
    return file;
  }

 private:
  AVFormatContext* context_ = nullptr;
};

class Coder {
 public:
  explicit Coder(const AudioCoding& coding) : coding_(coding) {}

  Result<CodedAudio> Run(const Clip& sound) {
    VQC_TRY(Open(sound));
    const auto frames = static_cast<int64_t>(sound.frames);
    const int64_t step = codec_->frame_size > 0 ? codec_->frame_size : 4096;
    for (int64_t at = 0; at < frames; at += step) {
      VQC_TRY(Fill(sound, at, step));
      VQC_TRY(Send(frame_.get()));
    }
    VQC_TRY(Send(nullptr));
    VQC_TRY(Check(av_write_trailer(file_.context())));
    coded_.file = file_.Bytes();
    return std::move(coded_);
  }

 private:
  Status Check(int error) const {
    if (error >= 0) return {};
    char text[AV_ERROR_MAX_STRING_SIZE] = {};
    av_strerror(error, text, sizeof text);
    return Error{ErrorCode::kUsage, "FFmpeg's encoder " + coding_.encoder + " with " + coding_.options +
                                        " in " + coding_.format + ": " + text};
  }

  Status Open(const Clip& sound) {
    av_log_set_level(AV_LOG_QUIET);
    const AVCodec* codec = avcodec_find_encoder_by_name(coding_.encoder.c_str());
    if (!codec || file_.Open(coding_.format) < 0) {
      return Error{ErrorCode::kResource,
                   "the installed FFmpeg has no " +
                       (codec ? "format " + coding_.format : "encoder " + coding_.encoder) +
                       "; install one that has (libavcodec-extra of Debian)"};
    }
    codec_.reset(avcodec_alloc_context3(codec));
    packet_.reset(av_packet_alloc());
    frame_.reset(av_frame_alloc());
    if (!codec_ || !packet_ || !frame_) return Error{ErrorCode::kResource, "no memory for FFmpeg"};
    const AVSampleFormat* formats = codec->sample_fmts;
    codec_->sample_fmt = AV_SAMPLE_FMT_S16;
    for (; formats && *formats != AV_SAMPLE_FMT_NONE; ++formats) {
      if (*formats == AV_SAMPLE_FMT_FLT) codec_->sample_fmt = AV_SAMPLE_FMT_FLT;
    }
    codec_->sample_rate = static_cast<int>(sound.rate);
    codec_->time_base = {1, codec_->sample_rate};
    codec_->thread_count = 1;
    codec_->flags |= AV_CODEC_FLAG_BITEXACT;
    if (file_.context()->oformat->flags & AVFMT_GLOBALHEADER) codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_channel_layout_default(&codec_->ch_layout, sound.channels);
    Options options;
    VQC_TRY(Check(options.Parse(coding_.options)));
    VQC_TRY(Check(avcodec_open2(codec_.get(), codec, options.Get())));
    if (const std::string left = options.First(); !left.empty()) {
      return Error{ErrorCode::kUsage, "FFmpeg's encoder " + coding_.encoder + " has no option " + left};
    }
    AVStream* stream = avformat_new_stream(file_.context(), nullptr);
    if (!stream) return Error{ErrorCode::kResource, "no memory for FFmpeg"};
    VQC_TRY(Check(avcodec_parameters_from_context(stream->codecpar, codec_.get())));
    stream->time_base = codec_->time_base;
    Options format_options;
    VQC_TRY(Check(format_options.Parse(coding_.format_options)));
    return Check(avformat_write_header(file_.context(), format_options.Get()));
  }

  Status Fill(const Clip& sound, int64_t at, int64_t step) {
    const int64_t there = std::min<int64_t>(step, sound.frames - at);
    const bool short_end = codec_->codec->capabilities & AV_CODEC_CAP_SMALL_LAST_FRAME;
    frame_.reset(av_frame_alloc());
    if (!frame_) return Error{ErrorCode::kResource, "no memory for FFmpeg"};
    frame_->nb_samples = static_cast<int>(short_end ? there : step);
    frame_->format = codec_->sample_fmt;
    frame_->sample_rate = codec_->sample_rate;
    frame_->pts = at;
    VQC_TRY(Check(av_channel_layout_copy(&frame_->ch_layout, &codec_->ch_layout)));
    VQC_TRY(Check(av_frame_get_buffer(frame_.get(), 0)));
    const auto channels = static_cast<int64_t>(sound.channels);
    for (int64_t i = 0; i < frame_->nb_samples * channels; ++i) {
      const float sample = i < there * channels ? sound.data[static_cast<size_t>(at * channels + i)] : 0.0f;
      if (codec_->sample_fmt == AV_SAMPLE_FMT_FLT) {
        reinterpret_cast<float*>(frame_->data[0])[i] = sample;
      } else {
        const auto value = std::clamp(std::lround(32768 * sample), -32768l, 32767l);
        reinterpret_cast<int16_t*>(frame_->data[0])[i] = static_cast<int16_t>(value);
      }
    }
    return {};
  }

  // Null: there is no more.
  Status Send(const AVFrame* frame) {
    VQC_TRY(Check(avcodec_send_frame(codec_.get(), frame)));
    for (;;) {
      const int got = avcodec_receive_packet(codec_.get(), packet_.get());
      if (got == AVERROR(EAGAIN) || got == AVERROR_EOF) return {};
      VQC_TRY(Check(got));
      coded_.payload_bytes += static_cast<uint64_t>(packet_->size);
      AVFormatContext* file = file_.context();
      av_packet_rescale_ts(packet_.get(), codec_->time_base, file->streams[0]->time_base);
      packet_->stream_index = 0;
      VQC_TRY(Check(av_interleaved_write_frame(file, packet_.get())));  // takes the packet's data
    }
  }

  const AudioCoding& coding_;
  MemoryFile file_;
  std::unique_ptr<AVCodecContext, CodecFree> codec_;
  std::unique_ptr<AVPacket, PacketFree> packet_;
  std::unique_ptr<AVFrame, FrameFree> frame_;
  CodedAudio coded_;
};

}  // namespace

Result<CodedAudio> FfmpegEncode(const Clip& sound, const AudioCoding& coding) {
  return Coder(coding).Run(sound);
}

}  // namespace vqc
