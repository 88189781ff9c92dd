// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/image/picture_tokenizer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/crc32c.h"
#include "tokenizers/outline.h"

namespace vqc {
namespace {

constexpr uint64_t kMaxPositions = 65536;  // of ids: where there is attention, it costs the square of them
constexpr size_t kColours = 3;

class PictureTokenizer : public Tokenizer {
 public:
  PictureTokenizer(std::string_view type, PictureParts parts, int threads)
      : parts_(std::move(parts)), threads_(threads) {
    info_.type = type;
    info_.vocab = parts_.codes->Vocab();
    info_.stride = parts_.stride;
    info_.profile = Profile();
  }

  const TokenizerInfo& Info() const override { return info_; }
  TokenShape ShapeOf(int, int height, int width) const override {
    return ImageShape(1, info_.stride, static_cast<uint32_t>(height), static_cast<uint32_t>(width));
  }

 private:
  Result<Encoding> DoEncode(const Clip& clip) const override {
    const TokenShape shape = ShapeOf(1, clip.height, clip.width);
    VQC_TRY(CheckPositions(shape));
    const auto stride = static_cast<size_t>(info_.stride);
    nn::Plane pixels(shape.h * stride, shape.w * stride, kColours);
    float* to = pixels.data.data();
    for (size_t y = 0; y < pixels.height; ++y) {
      const size_t row = std::min(y, static_cast<size_t>(clip.height) - 1) * static_cast<size_t>(clip.width);
      for (size_t x = 0; x < pixels.width; ++x) {
        const size_t at = row + std::min(x, static_cast<size_t>(clip.width) - 1);
        for (size_t c = 0; c < kColours; ++c)
          *to++ = clip.data[(clip.channels == 1 ? 0 : c) * clip.PlaneSize() + at];
      }
    }
    const nn::Plane latents = parts_.encode(pixels, threads_);
    VQC_ASSIGN(auto ids, parts_.codes->Encode(latents.data));
    return Encoding{{shape, info_.vocab, std::move(ids)}, {}};
  }

  Result<Clip> DoDecode(const Tokens& tokens, const Target& target) const override {
    VQC_TRY(CheckPositions(tokens.shape));
    VQC_ASSIGN(const PictureParts::Network* decode, parts_.decode->Get());
    nn::Plane codewords(tokens.shape.h, tokens.shape.w, 0);
    codewords.channels = parts_.codes->Dim();
    codewords.data = parts_.codes->Decode(tokens.ids, 1);
    const nn::Plane pixels = (*decode)(codewords, threads_);
    Clip clip;
    clip.channels = target.channels;
    clip.height = target.height;
    clip.width = target.width;
    clip.data.resize(clip.PlaneSize() * static_cast<size_t>(target.channels));
    const auto clamp = [](float v) { return std::clamp(v, -1.0f, 1.0f); };
    for (size_t y = 0; y < static_cast<size_t>(clip.height); ++y) {
      for (size_t x = 0; x < static_cast<size_t>(clip.width); ++x) {
        const float* rgb = pixels.Row(y) + x * kColours;
        const size_t at = y * static_cast<size_t>(clip.width) + x;
        if (clip.channels == 1) {
          clip.data[at] = clamp((rgb[0] + rgb[1] + rgb[2]) / 3);
        } else {
          for (size_t c = 0; c < kColours; ++c) clip.data[c * clip.PlaneSize() + at] = clamp(rgb[c]);
        }
      }
    }
    return clip;
  }

  Status CheckPositions(const TokenShape& shape) const {
    if (uint64_t{shape.h} * shape.w <= kMaxPositions) return {};
    return Error{ErrorCode::kLimit, "the picture has " + std::to_string(uint64_t{shape.h} * shape.w) +
                                        " cells of " + std::to_string(info_.stride) +
                                        " pixels, this model takes at most " + std::to_string(kMaxPositions) +
                                        "; make it smaller or cut it"};
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
    const nn::Plane latents = parts_.encode(probe, threads_);
    return Crc32c(
        {reinterpret_cast<const uint8_t*>(latents.data.data()), latents.data.size() * sizeof(float)});
  }

  PictureParts parts_;
  int threads_;
  TokenizerInfo info_;
};

}  // namespace

nlohmann::json ConfigOf(const PictureParts& parts) {
  return {{"network", parts.network}, {"stride", parts.stride}, {"vocab", parts.codes->Vocab()}};
}

std::shared_ptr<const Tokenizer> MakePictureTokenizer(std::string_view type, PictureParts parts,
                                                      int threads) {
  return std::make_shared<PictureTokenizer>(type, std::move(parts), threads);
}

}  // namespace vqc
