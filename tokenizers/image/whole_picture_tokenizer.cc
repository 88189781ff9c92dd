// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/image/whole_picture_tokenizer.h"

#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "base/crc32c.h"
#include "base/guard.h"
#include "base/parallel.h"
#include "models/device.h"
#include "models/float_weights.h"
#include "models/nn/tensor_codes.h"
#include "models/nn/tensor_flow.h"
#include "models/nn/tensor_planes.h"
#include "tokenizers/architectures.h"
#include "tokenizers/image/picture_tokenizer.h"
#include "tokenizers/image/tile_batches.h"
#include "tokenizers/outline.h"

namespace vqc {
namespace {

using nn::TensorPlace;

constexpr int kMostPictures = 32;  // that are run at once on a GPU
constexpr int kCopying = 4;        // threads that put together what goes to a GPU
constexpr int kWhole = 1 << 20;    // cells of a tile that a picture is never larger than
constexpr int kProbeCells = 2;     // of the probe's side

// What a GPU gives, on its way to the memory of the host.
struct Coming {
  torch::Tensor values;
  std::optional<c10::Event> done;  // none on the CPU

  explicit Coming(const torch::Tensor& from) {
    if (from.device().is_cpu()) {
      values = from;
      return;
    }
    values = torch::empty(from.sizes(), from.options().device(torch::kCPU).pinned_memory(true));
    values.copy_(from, /*non_blocking=*/true);
    const c10::impl::VirtualGuardImpl guards(from.device().type());
    done.emplace(from.device().type());
    done->record(guards.getStream(from.device()));
  }
  const torch::Tensor& Wait() const {
    if (done) done->synchronize();
    return values;
  }
};

class WholePictureTokenizer : public Tokenizer {
 public:
  WholePictureTokenizer(std::string_view type, PictureParts parts, const TensorPlace& place, int threads,
                        int most_pictures)
      : parts_(std::move(parts)),
        place_(place),
        threads_(threads),
        most_pictures_(most_pictures),
        info_(InfoOf(type, parts_)) {
    info_.batch = place.device.is_cpu() ? most_pictures : kGpuBatch;
    if (auto books = parts_.codes->Parts(); !books.empty()) codes_.emplace(books, 1, place);
  }

  void Prepare() {
    const InferenceScope scope;
    const Clip probe = ProbePicture(kProbeCells * info_.stride);
    const TokenShape shape = ShapeOf(1, probe.height, probe.width);
    const auto rows = Latents({&probe, 1}, PlanOf({&shape, 1}).front())
                          .slice(0, 0, static_cast<int64_t>(shape.Positions()))
                          .to(torch::kCPU)
                          .contiguous();
    // What the profile of the same network by our own layers cannot be, nor that of another type.
    std::vector<uint8_t> seen(1, static_cast<uint8_t>(place_.type));
    const auto* bytes = reinterpret_cast<const uint8_t*>(rows.const_data_ptr<float>());
    seen.insert(seen.end(), bytes, bytes + rows.nbytes());
    info_.profile = Crc32c(seen);
  }

  const TokenizerInfo& Info() const override { return info_; }
  TokenShape ShapeOf(int, int height, int width) const override {
    return ImageShape(1, info_.stride, static_cast<uint32_t>(height), static_cast<uint32_t>(width));
  }

 private:
  Result<Encoding> DoEncode(const Clip& clip) const override {
    VQC_ASSIGN(auto all, DoEncodeBatch({&clip, 1}));
    return std::move(all.front());
  }
  Result<Clip> DoDecode(const Tokens& tokens, const Target& target) const override {
    VQC_ASSIGN(auto all, DoDecodeBatch({&tokens, 1}, {&target, 1}));
    return std::move(all.front());
  }

  Result<std::vector<Encoding>> DoEncodeBatch(std::span<const Clip> clips) const override {
    std::vector<Encoding> all(clips.size());
    std::vector<TokenShape> shapes;
    for (const Clip& clip : clips) shapes.push_back(ShapeOf(1, clip.height, clip.width));
    VQC_TRY(Run(
        shapes, [&](const TileBatch& batch) { return Launch(clips, batch); },
        [&](const TileBatch& batch, const torch::Tensor& made) -> Status {
          VQC_ASSIGN(const auto ids, IdsOf(made));
          const size_t each = ids.size() / batch.tiles.size();
          for (size_t i = 0; i < batch.tiles.size(); ++i) {
            const auto first = ids.begin() + static_cast<ptrdiff_t>(i * each);
            const size_t picture = batch.tiles[i].picture;
            all[picture].tokens = {
                shapes[picture], info_.vocab, {first, first + static_cast<ptrdiff_t>(each)}};
          }
          return {};
        }));
    return all;
  }

  Result<std::vector<Clip>> DoDecodeBatch(std::span<const Tokens> batch,
                                          std::span<const Target> targets) const override {
    VQC_ASSIGN(const nn::PlaneNetwork* decoder, Decoder());
    std::vector<Clip> all(batch.size());
    std::vector<TokenShape> shapes;
    for (const Tokens& tokens : batch) shapes.push_back(tokens.shape);
    VQC_TRY(Run(
        shapes, [&](const TileBatch& some) { return Launch(*decoder, batch, some); },
        [&](const TileBatch& some, const torch::Tensor& made) {
          return ParallelFor(some.tiles.size(), Copying(), [&](size_t i) -> Status {
            const size_t picture = some.tiles[i].picture;
            const auto pixels = made.select(0, static_cast<int64_t>(i));
            Clip& clip = all[picture];
            clip.channels = targets[picture].channels;
            clip.height = targets[picture].height;
            clip.width = targets[picture].width;
            clip.data.resize(clip.PlaneSize() * static_cast<size_t>(clip.channels));
            PutPixels(pixels.const_data_ptr<float>(), StepsOf(pixels), WholeOf(shapes[picture], info_.stride),
                      clip);
            return {};
          });
        }));
    return all;
  }

  // Complete on the device, so that any stream may use it.
  Result<const nn::PlaneNetwork*> Decoder() const {
    VQC_ASSIGN(const nn::PlaneNetwork* decoder, parts_.decoder->Get());
    if (!place_.device.is_cpu()) {
      const c10::impl::VirtualGuardImpl guards(place_.device.type());
      guards.synchronizeStream(guards.getDefaultStream(place_.device));
    }
    return decoder;
  }

  // Pictures of one size together.
  std::vector<TileBatch> PlanOf(std::span<const TokenShape> shapes) const {
    std::vector<GridSize> grids;
    for (const TokenShape& shape : shapes)
      grids.push_back({static_cast<int>(shape.h), static_cast<int>(shape.w)});
    return PlanBatches(grids, kWhole, 0, [this](int height, int width) {
      return std::min(PlacesOnGpu(int64_t{height} * info_.stride, int64_t{width} * info_.stride),
                      most_pictures_);
    });
  }

  // launch(batch) and what is to be done with what it gives. A GPU computes a batch while the next one is put
  // together.
  template <class Launching, class Collecting>
  Status Run(std::span<const TokenShape> shapes, const Launching& launch, const Collecting& collect) const {
    for (const TokenShape& shape : shapes) VQC_TRY(CheckPositions(shape, info_.stride));
    const auto batches = PlanOf(shapes);
    if (place_.device.is_cpu()) {
      return ParallelFor(batches.size(), threads_, [&](size_t i) -> Status {
        return Guard("the network", [&]() -> Status {
          const InferenceScope scope;
          return collect(batches[i], launch(batches[i]).Wait());
        });
      });
    }
    return Guard("the network", [&]() -> Status {
      const InferenceScope scope;
      const StreamScope stream(place_.device);
      std::deque<std::pair<const TileBatch*, Coming>> computing;
      for (size_t i = 0; i < batches.size() || !computing.empty();) {
        if (i < batches.size() && computing.size() < kComputing) {
          computing.emplace_back(&batches[i], launch(batches[i]));
          ++i;
          continue;
        }
        VQC_TRY(collect(*computing.front().first, computing.front().second.Wait()));
        computing.pop_front();
      }
      return {};
    });
  }

  int Copying() const { return place_.device.is_cpu() ? 1 : kCopying; }
  static PixelSteps StepsOf(const torch::Tensor& pixels) {  // [3, height, width]
    return {pixels.stride(1), pixels.stride(2), pixels.stride(0)};
  }
  // Memory of the host that a GPU copies from and to at its full speed.
  torch::Tensor OnHost(torch::IntArrayRef sizes, torch::ScalarType type = torch::kFloat32) const {
    return torch::empty(sizes, torch::TensorOptions(type).pinned_memory(!place_.device.is_cpu()));
  }
  torch::Tensor OnDevice(const torch::Tensor& x) const { return x.to(place_.device, /*non_blocking=*/true); }

  // Float32 rows of latents of all places of a batch, on the device.
  torch::Tensor Latents(std::span<const Clip> clips, const TileBatch& batch) const {
    const auto filled = static_cast<int64_t>(batch.tiles.size());
    const PixelArea area{0, 0, batch.height * info_.stride, batch.width * info_.stride};
    const auto pixels = OnHost({batch.places, 3, area.height, area.width});
    pixels.slice(0, filled).zero_();
    (void)ParallelFor(batch.tiles.size(), Copying(), [&](size_t i) -> Status {
      const auto picture = pixels.select(0, static_cast<int64_t>(i));
      CopyPixels(clips[batch.tiles[i].picture], area, StepsOf(picture), picture.data_ptr<float>());
      return {};
    });
    const auto latents = RunPlanes(parts_.encoder, place_, OnDevice(pixels));
    return latents.permute({0, 2, 3, 1}).to(torch::kFloat32).flatten(0, 2).contiguous();
  }

  // Ids, or rows of latents where ids are made of them on the host.
  Coming Launch(std::span<const Clip> clips, const TileBatch& batch) const {
    const InferenceScope scope;
    const auto rows = Latents(clips, batch);
    const auto made = codes_ ? codes_->Encode(rows).to(torch::kInt32) : rows;
    return Coming(made.slice(0, 0, static_cast<int64_t>(batch.tiles.size()) * batch.height * batch.width));
  }
  Result<std::vector<uint32_t>> IdsOf(const torch::Tensor& made) const {
    const auto count = static_cast<size_t>(made.numel());
    if (!codes_) return parts_.codes->Encode({made.const_data_ptr<float>(), count});
    const auto* ids = made.const_data_ptr<int32_t>();
    return std::vector<uint32_t>(ids, ids + count);
  }

  // Pixels [pictures, 3, height, width].
  Coming Launch(const nn::PlaneNetwork& decoder, std::span<const Tokens> all, const TileBatch& batch) const {
    const InferenceScope scope;
    const int64_t each = int64_t{batch.height} * batch.width, dim = static_cast<int64_t>(parts_.codes->Dim());
    const auto filled = static_cast<int64_t>(batch.tiles.size());
    torch::Tensor rows;
    if (codes_) {
      const auto ids = OnHost({batch.places * each, 1}, torch::kInt64);
      ids.slice(0, filled * each).zero_();
      for (int64_t i = 0; i < filled; ++i)
        std::copy_n(all[batch.tiles[static_cast<size_t>(i)].picture].ids.begin(), each,
                    ids.data_ptr<int64_t>() + i * each);
      rows = codes_->Decode(OnDevice(ids));
    } else {
      const auto values = OnHost({batch.places * each, dim});
      values.slice(0, filled * each).zero_();
      for (int64_t i = 0; i < filled; ++i) {
        const auto decoded = parts_.codes->Decode(all[batch.tiles[static_cast<size_t>(i)].picture].ids, 1);
        std::copy(decoded.begin(), decoded.end(), values.data_ptr<float>() + i * each * dim);
      }
      rows = OnDevice(values);
    }
    const auto x = rows.view({batch.places, batch.height, batch.width, dim}).permute({0, 3, 1, 2});
    return Coming(RunPlanes(decoder, place_, x).slice(0, 0, filled).to(torch::kFloat32).contiguous());
  }

  PictureParts parts_;
  TensorPlace place_;
  int threads_, most_pictures_;
  std::optional<nn::TensorCodes> codes_;  // of codebooks
  TokenizerInfo info_;
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> MakeWholePictureTokenizer(const ModelCard& card,
                                                                   const SafeTensors& tensors,
                                                                   const NetworkOptions& options,
                                                                   int most_pictures) {
  VQC_ASSIGN(const torch::Device device, ResolveDevice(options.device));
  const TensorPlace place =
      nn::PlaceOn(device, options.precision == Precision::kBFloat16 ? torch::kBFloat16 : torch::kFloat32);
  const nn::Weights weights(
      [tensors](const std::string& name, const std::vector<int64_t>& shape) {
        return ReadWeights(tensors, name, shape);
      },
      nn::MakeTensorMaker(place));
  const auto network = card.config.find("network");
  if (network == card.config.end()) return Error{ErrorCode::kModel, "the card's config has no network"};
  VQC_ASSIGN(PictureParts parts, BuildPictureParts(card.tokenizer, *network, weights, options.threads));
  if (most_pictures == 0) most_pictures = device.is_cpu() ? 1 : kMostPictures;
  auto tokenizer = std::make_shared<WholePictureTokenizer>(card.tokenizer, std::move(parts), place,
                                                           options.threads, most_pictures);
  tokenizer->Prepare();
  return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

}  // namespace vqc
