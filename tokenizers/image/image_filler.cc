// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/image/image_filler.h"

#include <torch/torch.h>

#include <utility>
#include <vector>

#include "base/parallel.h"
#include "models/device.h"
#include "models/latent_filler.h"
#include "models/weights.h"
#include "quantizers/quantizer.h"
#include "tokenizers/image/tiles.h"

namespace vqc {
namespace {

constexpr int kTile = 64;  // positions

bool AnyLost(const TokenShape& shape, std::span<const uint8_t> lost, const Tile& tile) {
  for (int y = tile.y.begin; y < tile.y.end; ++y) {
    const size_t row = static_cast<size_t>(y) * shape.w * shape.levels;
    for (size_t i = row + static_cast<size_t>(tile.x.begin) * shape.levels;
         i < row + static_cast<size_t>(tile.x.end) * shape.levels; ++i) {
      if (lost[i]) return true;
    }
  }
  return false;
}

class ImageFiller : public TokenFiller {
 public:
  ImageFiller(const LatentFillerConfig& config, std::shared_ptr<Quantizer> quantizer, torch::Device device,
              int threads)
      : network_(config, quantizer->Dim()),
        quantizer_(std::move(quantizer)),
        device_(device),
        threads_(threads),
        halo_(config.Reach()) {}

  Status Load(const SafeTensors& model, const SafeTensors& filler) {
    VQC_TRY(LoadForInference(*quantizer_, model, "quantizer.", device_));
    return LoadForInference(*network_, filler, "", device_);
  }

  Status Fill(Tokens& tokens, std::span<const uint8_t> lost) const override {
    const Tokens known = tokens;
    const auto tiles =
        PlanTiles(static_cast<int>(tokens.shape.h), static_cast<int>(tokens.shape.w), kTile, halo_);
    return ParallelFor(tiles.size(), threads_, [&](size_t i) -> Status {
      if (!AnyLost(known.shape, lost, tiles[i])) return {};
      const InferenceScope scope;
      const auto [codes, holes] = Around(known, lost, tiles[i]);
      const auto filled = network_->forward(quantizer_->Decode(codes.to(device_)), holes.to(device_));
      Put(quantizer_->Encode(filled.contiguous()).to(torch::kCPU).contiguous(), lost, tiles[i], tokens);
      return {};
    });
  }

 private:
  // Codes [1, K, h, w] of the tile with its halo, 0 where they are lost, and where a position lacks any of
  // them, [1, 1, h, w].
  static std::pair<torch::Tensor, torch::Tensor> Around(const Tokens& tokens, std::span<const uint8_t> lost,
                                                        const Tile& tile) {
    const int height = tile.y.halo_end - tile.y.halo_begin, width = tile.x.halo_end - tile.x.halo_begin;
    const auto levels = static_cast<int64_t>(tokens.shape.levels);
    auto codes = torch::zeros({1, levels, height, width}, torch::kInt64);
    auto holes = torch::zeros({1, 1, height, width});
    auto code = codes.accessor<int64_t, 4>();
    auto hole = holes.accessor<float, 4>();
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const size_t at =
            (static_cast<size_t>(tile.y.halo_begin + y) * tokens.shape.w + tile.x.halo_begin + x) *
            tokens.shape.levels;
        for (int64_t level = 0; level < levels; ++level) {
          const size_t i = at + static_cast<size_t>(level);
          if (lost[i])
            hole[0][0][y][x] = 1;
          else
            code[0][level][y][x] = tokens.ids[i];
        }
      }
    }
    return {codes, holes};
  }

  // The lost ones of the tile's core, from the codes of the tile with its halo.
  static void Put(const torch::Tensor& codes, std::span<const uint8_t> lost, const Tile& tile,
                  Tokens& tokens) {
    const auto code = codes.accessor<int64_t, 4>();
    for (int y = tile.y.begin; y < tile.y.end; ++y) {
      for (int x = tile.x.begin; x < tile.x.end; ++x) {
        const size_t at = (static_cast<size_t>(y) * tokens.shape.w + x) * tokens.shape.levels;
        for (uint32_t level = 0; level < tokens.shape.levels; ++level) {
          if (!lost[at + level]) continue;
          tokens.ids[at + level] = static_cast<uint32_t>(
              code[0][static_cast<int64_t>(level)][y - tile.y.halo_begin][x - tile.x.halo_begin]);
        }
      }
    }
  }

  // Holders' forward is not const; the modules are not changed after Load.
  mutable LatentFiller network_;
  std::shared_ptr<Quantizer> quantizer_;
  torch::Device device_;
  int threads_, halo_;
};

}  // namespace

Result<std::shared_ptr<const TokenFiller>> MakeImageFiller(const ModelCard& card, const SafeTensors& model,
                                                           const SafeTensors& filler,
                                                           const std::string& device, int threads) {
  const auto& metadata = filler.Metadata();
  const auto stated = metadata.find(kFillerModel), network = metadata.find(kFillerNetwork);
  if (card.tokenizer != "image" || stated == metadata.end() || stated->second != HexOf(card.model_id))
    return Error{ErrorCode::kModel, "the filler was made for another model than " + card.name};
  const auto json = nlohmann::json::parse(network == metadata.end() ? "" : network->second, nullptr, false);
  VQC_ASSIGN(const LatentFillerConfig config, ParseLatentFiller(json));
  VQC_ASSIGN(const torch::Device resolved, ResolveDevice(device));
  VQC_ASSIGN(auto quantizer, MakeQuantizer(card.config.value("quantizer", nlohmann::json::object())));
  auto made = std::make_shared<ImageFiller>(config, std::move(quantizer), resolved, threads);
  VQC_TRY(made->Load(model, filler));
  return std::shared_ptr<const TokenFiller>(std::move(made));
}

}  // namespace vqc
