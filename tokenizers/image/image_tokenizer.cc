// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/image/image_tokenizer.h"

#include <torch/torch.h>

#include <cstring>
#include <deque>

#include "base/crc32c.h"
#include "base/parallel.h"
#include "models/device.h"
#include "models/image_autoencoder.h"
#include "models/weights.h"
#include "quantizers/quantizer.h"
#include "tokenizers/image/pixels.h"
#include "tokenizers/image/tile_batches.h"
#include "tokenizers/image/tiles.h"
#include "tokenizers/outline.h"

namespace vqc {
namespace {

constexpr int kDefaultTile = 1024, kMaxTile = 16384;  // pixels
constexpr int kProbeSide = 64;                        // pixels

// Cells of `stride` pixels that cover `reach` pixels.
int Cells(int reach, int stride) { return (reach + stride - 1) / stride; }

// Of a tile with its halo.
PixelArea AreaOf(const Tile& tile, int stride) {
  return {tile.y.halo_begin * stride, tile.x.halo_begin * stride,
          (tile.y.halo_end - tile.y.halo_begin) * stride, (tile.x.halo_end - tile.x.halo_begin) * stride};
}

// The tiles of a batch on the device as [places, 3, h, w], channels last; empty places are zeros.
torch::Tensor Pixels(std::span<const Clip> clips, const TileBatch& batch, int stride, torch::Device device) {
  const int64_t height = int64_t{batch.height} * stride, width = int64_t{batch.width} * stride;
  const bool on_cpu = device.is_cpu();
  // To a GPU go planes, which are quicker to copy; it puts the channels last itself.
  const auto pixels =
      torch::empty({batch.places, 3, height, width},
                   on_cpu ? torch::TensorOptions().memory_format(at::MemoryFormat::ChannelsLast)
                          : torch::TensorOptions().pinned_memory(true));
  const PixelSteps steps{pixels.stride(2), pixels.stride(3), pixels.stride(1)};
  for (size_t i = 0; i < batch.tiles.size(); ++i) {
    const PlacedTile& placed = batch.tiles[i];
    CopyPixels(clips[placed.picture], AreaOf(placed.tile, stride), steps,
               pixels.data_ptr<float>() + static_cast<int64_t>(i) * pixels.stride(0));
  }
  const auto filled = static_cast<int64_t>(batch.tiles.size());
  if (filled < batch.places) pixels.slice(0, filled).zero_();
  return on_cpu ? pixels
                : pixels.to(device, torch::kFloat32, /*non_blocking=*/true)
                      .contiguous(at::MemoryFormat::ChannelsLast);
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
    info_.batch = device.is_cpu() ? 1 : kGpuBatch;
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
    VQC_ASSIGN(auto all, DoEncodeBatch({&clip, 1}));
    return std::move(all.front());
  }

  Result<std::vector<Encoding>> DoEncodeBatch(std::span<const Clip> clips) const override {
    std::vector<Encoding> encodings(clips.size());
    std::vector<GridSize> grids;
    for (size_t i = 0; i < clips.size(); ++i) {
      Tokens& tokens = encodings[i].tokens;
      tokens = {ShapeOf(1, clips[i].height, clips[i].width), info_.vocab, {}};
      tokens.ids.resize(tokens.shape.Count());
      encodings[i].positions.resize(tokens.shape.Positions() * positions_);
      grids.push_back({static_cast<int>(tokens.shape.h), static_cast<int>(tokens.shape.w)});
    }
    const auto batches = PlanBatches(grids, info_.tile / info_.stride, encoder_halo_,
                                     [this](int height, int width) { return Places(height, width); });
    if (device_.is_cpu()) {
      VQC_TRY(ParallelFor(batches.size(), threads_, [&](size_t i) -> Status {
        const InferenceScope scope;
        Collect(Launch(clips, batches[i]), batches[i], encodings);
        return {};
      }));
      return encodings;
    }
    // A GPU computes a batch while the next one is put together.
    const InferenceScope scope;
    const StreamScope stream(device_);
    std::deque<std::pair<const TileBatch*, Computed>> computing;
    const auto collect = [&] {
      Collect(computing.front().second, *computing.front().first, encodings);
      computing.pop_front();
    };
    for (const TileBatch& batch : batches) {
      if (computing.size() == kComputing) collect();
      computing.emplace_back(&batch, Launch(clips, batch));
    }
    while (!computing.empty()) collect();
    return encodings;
  }

  // Of tiles of so many cells. On a CPU a batch is no quicker than its tiles one by one.
  int Places(int height, int width) const {
    return device_.is_cpu() ? 1 : PlacesOnGpu(height * info_.stride, width * info_.stride);
  }

  // What the network makes of a batch, on the device, where it may still be computing.
  struct Computed {
    torch::Tensor ids;        // [places, K, h, w] int64
    torch::Tensor positions;  // [places, F, h, w]
  };
  Computed Launch(std::span<const Clip> clips, const TileBatch& batch) const {
    const auto latents = encoder_->forward(Pixels(clips, batch, info_.stride, device_)).to(torch::kFloat32);
    return {quantizer_->Encode(latents),
            positions_ > 0 ? quantizer_->Positions(latents) : torch::empty({batch.places, 0, 0, 0})};
  }

  static void Collect(const Computed& computed, const TileBatch& batch, std::vector<Encoding>& encodings) {
    const auto codes = computed.ids.to(torch::kCPU).contiguous();
    const auto unrounded = computed.positions.to(torch::kCPU).contiguous();
    const auto view = codes.accessor<int64_t, 4>();
    const auto positions = unrounded.accessor<float, 4>();
    const auto factors = static_cast<size_t>(unrounded.size(1));
    for (size_t i = 0; i < batch.tiles.size(); ++i) {
      const Tile& tile = batch.tiles[i].tile;
      Encoding& encoding = encodings[batch.tiles[i].picture];
      Tokens& tokens = encoding.tokens;
      const auto ids = view[static_cast<int64_t>(i)];
      const auto at = positions[static_cast<int64_t>(i)];
      for (int y = tile.y.begin; y < tile.y.end; ++y) {
        for (int x = tile.x.begin; x < tile.x.end; ++x) {
          const size_t cell = static_cast<size_t>(y) * tokens.shape.w + x;
          const int row = y - tile.y.halo_begin, column = x - tile.x.halo_begin;
          for (uint32_t level = 0; level < tokens.shape.levels; ++level)
            tokens.ids[cell * tokens.shape.levels + level] = static_cast<uint32_t>(ids[level][row][column]);
          for (size_t j = 0; j < factors; ++j)
            encoding.positions[cell * factors + j] = at[static_cast<int64_t>(j)][row][column];
        }
      }
    }
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
    const int stride = info_.stride, top = tile.y.begin * stride, left = tile.x.begin * stride;
    const int64_t width = images.size(3);
    const float* first =
        images.const_data_ptr<float>() +
        3 * (width * (tile.y.begin - tile.y.halo_begin) + tile.x.begin - tile.x.halo_begin) * stride;
    PutPixels(first, {3 * width, 3, 1}, {top, left, tile.y.end * stride - top, tile.x.end * stride - left},
              clip);
  }

  // CRC-32C of the latents of a fixed picture: two machines that agree on it compute alike.
  uint32_t Profile() const {
    const Clip probe = ProbePicture(kProbeSide);
    const int cells = kProbeSide / info_.stride;
    const InferenceScope scope;
    const TileBatch batch{cells, cells, Places(cells, cells), {{0, PlanTiles(cells, cells, cells, 0)[0]}}};
    const auto latents = encoder_->forward(Pixels({&probe, 1}, batch, info_.stride, device_))
                             .slice(0, 0, 1)
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
