// SPDX-License-Identifier: Apache-2.0
// What std::unique_ptr frees FFmpeg's objects with. Inside libvqcodec_ffmpeg.so only.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
}

namespace vqc {

struct CodecFree {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
struct PacketFree {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FrameFree {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};

}  // namespace vqc
