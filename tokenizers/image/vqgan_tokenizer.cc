// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/image/vqgan_tokenizer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/crc32c.h"
#include "models/nn/vqgan.h"
#include "quantizers/search/search.h"
#include "tokenizers/outline.h"

namespace vqc {
namespace {

constexpr uint64_t kMaxPositions = 65536;  // of ids: attention costs the square of them
constexpr size_t kColours = 3;

class VqganTokenizer : public Tokenizer {
 public:
  VqganTokenizer(int stride, nn::VqganEncoder encoder, nn::VqganDecoder decoder, Codebook codebook,
                 int threads)
      : encoder_(std::move(encoder)),
        decoder_(std::move(decoder)),
        codebook_(std::move(codebook)),
        threads_(threads) {
    info_.type = "vqgan";
    info_.vocab = {static_cast<uint32_t>(codebook_.size())};
    info_.stride = stride;
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
    const nn::Plane latents = encoder_.Apply(pixels, threads_);
    std::vector<int32_t> ids(latents.Positions());
    VQC_TRY(Search(codebook_, Rows(latents.data.data(), static_cast<int64_t>(ids.size()), codebook_.dim()),
                   std::span<int32_t>(ids), {}, {.threads = threads_}));
    return Encoding{{shape, info_.vocab, {ids.begin(), ids.end()}}, {}};
  }

  Result<Clip> DoDecode(const Tokens& tokens, const Target& target) const override {
    VQC_TRY(CheckPositions(tokens.shape));
    const auto dim = static_cast<size_t>(codebook_.dim());
    nn::Plane codewords(tokens.shape.h, tokens.shape.w, dim);
    for (size_t i = 0; i < tokens.ids.size(); ++i)
      std::copy_n(codebook_.rows().Row(tokens.ids[i]), dim, codewords.data.data() + i * dim);
    const nn::Plane pixels = decoder_.Apply(codewords, threads_);
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
                                        " pixels, this model's attention takes at most " +
                                        std::to_string(kMaxPositions) + "; make it smaller or cut it"};
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
    const nn::Plane latents = encoder_.Apply(probe, threads_);
    return Crc32c(
        {reinterpret_cast<const uint8_t*>(latents.data.data()), latents.data.size() * sizeof(float)});
  }

  nn::VqganEncoder encoder_;
  nn::VqganDecoder decoder_;
  Codebook codebook_;
  int threads_;
  TokenizerInfo info_;
};

}  // namespace

Result<BuiltTokenizer> BuildVqgan(std::string_view, const nlohmann::json& network,
                                  const audio::Weights& weights, int threads) {
  nn::ConfigFields fields(network);
  const auto config = nn::VqganConfig::Read(fields);
  const auto entries = fields.Whole("entries", 2, 1 << 20, 16384);
  // Codewords and latents are compared by direction; the checkpoint's codewords then have length 1.
  const bool cosine = fields.Flag("cosine", false);
  VQC_TRY(fields.Done());
  VQC_ASSIGN(auto encoder, nn::VqganEncoder::Load(weights, config));
  VQC_ASSIGN(auto decoder, nn::VqganDecoder::Load(weights, config));
  VQC_ASSIGN(const auto values, weights("quantize.embedding.weight", {entries, config.dim}));
  VQC_ASSIGN(auto codebook, Codebook::Make(Rows(values.data(), entries, config.dim),
                                           cosine ? Metric::kCosine : Metric::kSquaredL2));
  BuiltTokenizer built;
  built.config = {
      {"network", fields.Read()}, {"stride", config.Stride()}, {"vocab", {static_cast<uint32_t>(entries)}}};
  built.tokenizer = std::make_shared<VqganTokenizer>(config.Stride(), std::move(encoder), std::move(decoder),
                                                     std::move(codebook), threads);
  return built;
}

}  // namespace vqc
