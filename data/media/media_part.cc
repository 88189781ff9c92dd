// SPDX-License-Identifier: Apache-2.0
// libvqcodec_media.so: PNG and JPEG, whose libraries load in a few milliseconds.
#include "data/media/image_part.h"
#include "data/media/jpeg_file.h"
#include "data/media/png_file.h"

namespace {

vqc::Result<vqc::Clip> Read(std::span<const uint8_t> bytes, const vqc::ImageHeader& header,
                            const std::string& name) {
  return vqc::GuardPart(name, [&]() -> vqc::Result<vqc::Clip> {
    return header.kind == vqc::ImageKind::kPng ? vqc::DecodePng(bytes, header, name)
                                               : vqc::DecodeJpeg(bytes, header, name);
  });
}

vqc::Result<std::vector<uint8_t>> Write(const vqc::Clip& clip, vqc::ImageKind kind) {
  return vqc::GuardPart("output", [&]() -> vqc::Result<std::vector<uint8_t>> {
    return kind == vqc::ImageKind::kPng ? vqc::EncodePng(clip) : vqc::EncodeJpeg(clip);
  });
}

}  // namespace

extern "C" const vqc::ImagePart* vqc_media_part() {
  static constexpr vqc::ImagePart kPart{&Read, &Write};
  return &kPart;
}
