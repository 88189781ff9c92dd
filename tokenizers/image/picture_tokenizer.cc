// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/image/picture_tokenizer.h"

#include <string>
#include <utility>

#include "base/crc32c.h"
#include "tokenizers/outline.h"

namespace vqc {
namespace {

constexpr uint64_t kMaxPositions = 65536;  // of ids: where there is attention, it costs the square of them
constexpr size_t kColours = 3;

PixelSteps StepsOf(const nn::Plane& plane) {
  return {static_cast<int64_t>(plane.width * kColours), kColours, 1};
}

class PictureTokenizer : public Tokenizer {
 public:
  PictureTokenizer(std::string_view type, PictureParts parts, int threads)
      : parts_(std::move(parts)), threads_(threads), info_(InfoOf(type, parts_)) {
    info_.profile = Profile();
  }

  const TokenizerInfo& Info() const override { return info_; }
  TokenShape ShapeOf(int, int height, int width) const override {
    return ImageShape(1, info_.stride, static_cast<uint32_t>(height), static_cast<uint32_t>(width));
  }

 private:
  Result<Encoding> DoEncode(const Clip& clip) const override {
    const TokenShape shape = ShapeOf(1, clip.height, clip.width);
    VQC_TRY(CheckPositions(shape, info_.stride));
    const auto stride = static_cast<size_t>(info_.stride);
    nn::Plane pixels(shape.h * stride, shape.w * stride, kColours);
    CopyPixels(clip, WholeOf(shape, info_.stride), StepsOf(pixels), pixels.data.data());
    const nn::Plane latents = parts_.encoder.Apply(pixels, threads_);
    VQC_ASSIGN(auto ids, parts_.codes->Encode(latents.data));
    return Encoding{{shape, info_.vocab, std::move(ids)}, {}};
  }

  Result<Clip> DoDecode(const Tokens& tokens, const Target& target) const override {
    VQC_TRY(CheckPositions(tokens.shape, info_.stride));
    VQC_ASSIGN(const nn::PlaneNetwork* decoder, parts_.decoder->Get());
    nn::Plane codewords(tokens.shape.h, tokens.shape.w, 0);
    codewords.channels = parts_.codes->Dim();
    codewords.data = parts_.codes->Decode(tokens.ids, 1);
    const nn::Plane pixels = decoder->Apply(codewords, threads_);
    Clip clip;
    clip.channels = target.channels;
    clip.height = target.height;
    clip.width = target.width;
    clip.data.resize(clip.PlaneSize() * static_cast<size_t>(target.channels));
    PutPixels(pixels.data.data(), StepsOf(pixels), WholeOf(tokens.shape, info_.stride), clip);
    return clip;
  }

  // Of the latents of a small fixed picture.
  uint32_t Profile() const {
    const auto side = static_cast<size_t>(info_.stride) * 2;
    nn::Plane probe(side, side, kColours);
    uint32_t state = 1;
    for (float& value : probe.data) {
      state = state * 1664525u + 1013904223u;
      value = static_cast<float>(state >> 16) / 32767.5f - 1.0f;
    }
    const nn::Plane latents = parts_.encoder.Apply(probe, threads_);
    return Crc32c(
        {reinterpret_cast<const uint8_t*>(latents.data.data()), latents.data.size() * sizeof(float)});
  }

  PictureParts parts_;
  int threads_;
  TokenizerInfo info_;
};

}  // namespace

Status CheckPositions(const TokenShape& shape, int stride) {
  if (uint64_t{shape.h} * shape.w <= kMaxPositions) return {};
  return Error{ErrorCode::kLimit, "the picture has " + std::to_string(uint64_t{shape.h} * shape.w) +
                                      " cells of " + std::to_string(stride) +
                                      " pixels, this model takes at most " + std::to_string(kMaxPositions) +
                                      "; make it smaller or cut it"};
}

TokenizerInfo InfoOf(std::string_view type, const PictureParts& parts) {
  TokenizerInfo info;
  info.type = type;
  info.vocab = parts.codes->Vocab();
  info.stride = parts.stride;
  return info;
}

PixelArea WholeOf(const TokenShape& shape, int stride) {
  return {0, 0, static_cast<int>(shape.h) * stride, static_cast<int>(shape.w) * stride};
}

nlohmann::json ConfigOf(const PictureParts& parts) {
  return {{"network", parts.network}, {"stride", parts.stride}, {"vocab", parts.codes->Vocab()}};
}

std::shared_ptr<const Tokenizer> MakePictureTokenizer(std::string_view type, PictureParts parts,
                                                      int threads) {
  return std::make_shared<PictureTokenizer>(type, std::move(parts), threads);
}

}  // namespace vqc
