// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/image/image_tokenizer.h"

#include <torch/torch.h>

#include <cstring>

#include "base/crc32c.h"
#include "base/parallel.h"
#include "models/device.h"
#include "models/image_autoencoder.h"
#include "models/weights.h"
#include "quantizers/quantizer.h"
#include "tokenizers/image/tiles.h"
#include "tokenizers/outline.h"

namespace vqc {
namespace {

constexpr int kDefaultTile = 1024, kMaxTile = 16384;  // pixels
constexpr int kProbeSide = 64;                        // pixels

// Cells of `stride` pixels that cover `reach` pixels.
int Cells(int reach, int stride) { return (reach + stride - 1) / stride; }

// Pixels of the tile with its halo as [1, 3, h, w], channels last; beyond the picture its last row and column
// repeat.
torch::Tensor Pixels(const Clip& clip, const Tile& tile, int stride) {
  const int top = tile.y.halo_begin * stride, left = tile.x.halo_begin * stride;
  const int height = tile.y.halo_end * stride - top, width = tile.x.halo_end * stride - left;
  auto pixels = torch::empty({1, height, width, 3});
  float* out = pixels.data_ptr<float>();
  const float* planes[3];
  for (int c = 0; c < 3; ++c) planes[c] = clip.data.data() + (clip.channels == 1 ? 0 : c) * clip.PlaneSize();
  for (int y = 0; y < height; ++y) {
    const size_t row = static_cast<size_t>(std::min(top + y, clip.height - 1)) * clip.width;
    for (int x = 0; x < width; ++x) {
      const size_t at = row + std::min(left + x, clip.width - 1);
      for (const float* plane : planes) *out++ = plane[at];
    }
  }
  return pixels.permute({0, 3, 1, 2});
}

// What the config of a card says.
struct Parts {
  ImageNetworkConfig network;
  std::shared_ptr<Quantizer> quantizer;
  int tile = kDefaultTile;  // as given, in pixels

  int Tile() const { return tile / network.Stride() * network.Stride(); }
  int ReceptiveField() const { return 2 * network.EncoderReach() + network.Stride(); }
  int Halo() const { return Cells(network.EncoderReach(), network.Stride()) * network.Stride(); }
};

Result<Parts> PartsOf(const nlohmann::json& config) {
  if (!config.is_object()) return Error{ErrorCode::kModel, "image tokenizer: the config is not an object"};
  Parts parts;
  VQC_ASSIGN(parts.network, ParseImageNetwork(config.value("network", nlohmann::json::object())));
  VQC_ASSIGN(parts.quantizer, MakeQuantizer(config.value("quantizer", nlohmann::json::object())));
  if (const auto tile = config.find("tile"); tile != config.end()) {
    if (!tile->is_number_integer() || *tile < parts.network.Stride() || *tile > kMaxTile) {
      return Error{ErrorCode::kModel,
                   "image tokenizer: \"tile\" is " + tile->dump() + "; it must be from the stride " +
                       std::to_string(parts.network.Stride()) + " to " + std::to_string(kMaxTile)};
    }
    parts.tile = *tile;
  }
  return parts;
}

class ImageTokenizer : public Tokenizer {
 public:
  ImageTokenizer(Parts parts, torch::Device device, int threads)
      : encoder_(parts.network, parts.quantizer->Dim()),
        decoder_(parts.network, parts.quantizer->Dim()),
        quantizer_(parts.quantizer),
        device_(device),
        threads_(threads),
        encoder_halo_(Cells(parts.network.EncoderReach(), parts.network.Stride())),
        decoder_halo_(Cells(parts.network.DecoderReach(), parts.network.Stride())) {
    info_.type = "image";
    info_.vocab = quantizer_->Vocab();
    info_.stride = parts.network.Stride();
    info_.receptive_field = parts.ReceptiveField();
    info_.tile = parts.Tile();
    info_.halo = parts.Halo();
    const auto probe = quantizer_->Positions(torch::zeros({1, quantizer_->Dim(), 1, 1}));
    if (probe.defined()) positions_ = static_cast<size_t>(probe.size(1));
  }

  Status Load(const SafeTensors& tensors) {
    VQC_TRY(LoadForInference(*encoder_, tensors, "", device_));
    VQC_TRY(LoadForInference(*decoder_, tensors, "", device_));
    VQC_TRY(LoadForInference(*quantizer_, tensors, "quantizer.", device_));
    info_.profile = Profile();
    return {};
  }

  const TokenizerInfo& Info() const override { return info_; }

  TokenShape ShapeOf(int, int height, int width) const override {
    return ImageShape(info_.vocab.size(), info_.stride, static_cast<uint32_t>(height),
                      static_cast<uint32_t>(width));
  }

 private:
  Result<Encoding> DoEncode(const Clip& clip) const override {
    Encoding encoding;
    Tokens& tokens = encoding.tokens;
    tokens = {ShapeOf(1, clip.height, clip.width), info_.vocab, {}};
    tokens.ids.resize(tokens.shape.Count());
    encoding.positions.resize(tokens.shape.Positions() * positions_);
    const auto tiles = PlanTiles(static_cast<int>(tokens.shape.h), static_cast<int>(tokens.shape.w),
                                 info_.tile / info_.stride, encoder_halo_);
    VQC_TRY(ParallelFor(tiles.size(), threads_, [&](size_t i) -> Status {
      const Tile& tile = tiles[i];
      const InferenceScope scope;
      const auto latents =
          encoder_->forward(Pixels(clip, tile, info_.stride).to(device_)).to(torch::kFloat32);
      const auto codes = quantizer_->Encode(latents).to(torch::kCPU).contiguous();
      const auto view = codes.accessor<int64_t, 4>();  // [1, K, h, w]
      const auto unrounded = positions_ > 0 ? quantizer_->Positions(latents).to(torch::kCPU).contiguous()
                                            : torch::empty({1, 0, 0, 0});
      const auto positions = unrounded.accessor<float, 4>();  // [1, F, h, w]
      for (int y = tile.y.begin; y < tile.y.end; ++y) {
        for (int x = tile.x.begin; x < tile.x.end; ++x) {
          const size_t cell = static_cast<size_t>(y) * tokens.shape.w + x;
          const int row = y - tile.y.halo_begin, column = x - tile.x.halo_begin;
          for (uint32_t level = 0; level < tokens.shape.levels; ++level) {
            tokens.ids[cell * tokens.shape.levels + level] =
                static_cast<uint32_t>(view[0][level][row][column]);
          }
          for (size_t j = 0; j < positions_; ++j) {
            encoding.positions[cell * positions_ + j] = positions[0][static_cast<int64_t>(j)][row][column];
          }
        }
      }
      return {};
    }));
    return encoding;
  }

  Result<Clip> DoDecode(const Tokens& tokens, const Target& target) const override {
    Clip clip;
    clip.channels = target.channels;
    clip.height = target.height;
    clip.width = target.width;
    clip.data.resize(clip.PlaneSize() * static_cast<size_t>(target.channels));
    const auto tiles = PlanTiles(static_cast<int>(tokens.shape.h), static_cast<int>(tokens.shape.w),
                                 info_.tile / info_.stride, decoder_halo_);
    VQC_TRY(ParallelFor(tiles.size(), threads_, [&](size_t i) -> Status {
      const InferenceScope scope;
      const auto images = decoder_->forward(quantizer_->Decode(Codes(tokens, tiles[i]).to(device_)))
                              .to(torch::kCPU)
                              .contiguous(at::MemoryFormat::ChannelsLast);
      Paste(images, tiles[i], clip);
      return {};
    }));
    return clip;
  }

  // Codes of the tile with its halo: [1, K, h, w].
  torch::Tensor Codes(const Tokens& tokens, const Tile& tile) const {
    const int height = tile.y.halo_end - tile.y.halo_begin, width = tile.x.halo_end - tile.x.halo_begin;
    auto codes = torch::empty({1, static_cast<int64_t>(tokens.shape.levels), height, width}, torch::kInt64);
    auto view = codes.accessor<int64_t, 4>();
    for (uint32_t level = 0; level < tokens.shape.levels; ++level) {
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
          const size_t at =
              static_cast<size_t>(tile.y.halo_begin + y) * tokens.shape.w + tile.x.halo_begin + x;
          view[0][level][y][x] = tokens.ids[at * tokens.shape.levels + level];
        }
      }
    }
    return codes;
  }

  // Copies the core of the decoded tile [1, 3, h, w], channels last, into the clip.
  void Paste(const torch::Tensor& images, const Tile& tile, Clip& clip) const {
    const int stride = info_.stride, top = tile.y.halo_begin * stride, left = tile.x.halo_begin * stride;
    const float* pixels = images.data_ptr<float>();
    const int64_t width = images.size(3);
    for (int y = tile.y.begin * stride; y < std::min(tile.y.end * stride, clip.height); ++y) {
      for (int x = tile.x.begin * stride; x < std::min(tile.x.end * stride, clip.width); ++x) {
        const float* rgb = pixels + ((y - top) * width + (x - left)) * 3;
        const size_t at = static_cast<size_t>(y) * clip.width + x;
        const auto clamp = [](float v) { return std::clamp(v, -1.0f, 1.0f); };
        if (clip.channels == 1) {
          clip.data[at] = clamp((rgb[0] + rgb[1] + rgb[2]) / 3);
        } else {
          for (int c = 0; c < 3; ++c) clip.data[c * clip.PlaneSize() + at] = clamp(rgb[c]);
        }
      }
    }
  }

  // CRC-32C of the latents of a fixed picture: two machines that agree on it compute alike.
  uint32_t Profile() const {
    Clip probe;
    probe.channels = 3;
    probe.height = probe.width = kProbeSide;
    uint32_t state = 1;
    for (size_t i = 0; i < 3 * probe.PlaneSize(); ++i) {
      state = state * 1664525u + 1013904223u;
      probe.data.push_back(static_cast<float>(state >> 16) / 32767.5f - 1.0f);
    }
    const int cells = kProbeSide / info_.stride;
    const InferenceScope scope;
    const auto latents =
        encoder_->forward(Pixels(probe, PlanTiles(cells, cells, cells, 0)[0], info_.stride).to(device_))
            .to(torch::kCPU, torch::kFloat32)
            .contiguous();
    return Crc32c({static_cast<const uint8_t*>(latents.data_ptr()), latents.nbytes()});
  }

  // Holders' forward is not const; the modules are not changed after Load.
  mutable ImageEncoder encoder_;
  mutable ImageDecoder decoder_;
  std::shared_ptr<Quantizer> quantizer_;
  torch::Device device_;
  int threads_;
  int encoder_halo_, decoder_halo_;  // in cells
  size_t positions_ = 0;             // of a cell, see Quantizer::Positions
  TokenizerInfo info_;
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> MakeImageTokenizer(const ModelCard& card, const SafeTensors& tensors,
                                                            const std::string& device, int threads) {
  // First the device: libtorch looks for CUDA once, at its first need of a context.
  VQC_ASSIGN(const torch::Device resolved, ResolveDevice(device));
  VQC_ASSIGN(auto parts, PartsOf(card.config));
  auto tokenizer = std::make_shared<ImageTokenizer>(std::move(parts), resolved, threads);
  VQC_TRY(tokenizer->Load(tensors));
  return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

Result<nlohmann::json> CompleteImageConfig(const nlohmann::json& config) {
  VQC_ASSIGN(const auto parts, PartsOf(config));
  auto complete = config;
  complete["network"] = ToJson(parts.network);
  complete["tile"] = parts.Tile();
  complete["stride"] = parts.network.Stride();
  complete["receptive_field"] = parts.ReceptiveField();
  complete["halo"] = parts.Halo();
  complete["vocab"] = parts.quantizer->Vocab();
  return complete;
}

}  // namespace vqc
