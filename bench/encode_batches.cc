// SPDX-License-Identifier: Apache-2.0
// Pictures a second that a tokenizer takes on a GPU from decoded pictures in memory, beside those of its bare
// network, as JSON:
//   encode_batches [--model image-f16] [--device cuda] [--side 256] [--pictures 4096] [--threads 4]
// The bare network is encoder and quantizer on a batch that lies on the GPU already, of as many pictures as the
// tokenizer's batches have, call after call, ids staying there. The tokenizer is called from --threads threads,
// each with 128 pictures at a time, as `vqcodec tokenize` does. Both take turns; medians of the rounds.
#include <torch/cuda.h>
#include <torch/torch.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "base/parallel.h"
#include "base/stopwatch.h"
#include "codec/bundle.h"
#include "models/device.h"
#include "tokenizers/image/tile_batches.h"
#include "training/frozen_network.h"

namespace vqc {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string model = "image-f16", device = "cuda";
  int side = 256, pictures = 4096, threads = 4, rounds = 5;
};

std::vector<Clip> Noise(const Options& options) {
  torch::manual_seed(1);
  std::vector<Clip> clips(static_cast<size_t>(options.pictures));
  for (Clip& clip : clips) {
    clip.channels = 3;
    clip.height = clip.width = options.side;
    const auto values = torch::rand({int64_t{3} * options.side * options.side}) * 2 - 1;
    clip.data.assign(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
  }
  return clips;
}

void Synchronize(c10::Device device) {
  if (!device.is_cpu()) torch::cuda::synchronize(device.index());
}

// Seconds for about as many pictures; sets how many they were.
double BareSeconds(FrozenNetwork& network, c10::Device device, const Options& options, int64_t& pictures) {
  const InferenceScope scope;
  const int64_t places = PlacesOnGpu(options.side, options.side);
  const auto batch = (torch::rand({places, 3, options.side, options.side}) * 2 - 1)
                         .to(device)
                         .contiguous(at::MemoryFormat::ChannelsLast);
  Synchronize(device);
  const Stopwatch watch;
  torch::Tensor ids;
  for (pictures = 0; pictures < options.pictures; pictures += places)
    ids = network.quantizer->Encode(network.encoder->forward(batch).to(torch::kFloat32));
  Synchronize(device);
  return watch.Seconds();
}

Result<double> TokenizerSeconds(const Tokenizer& tokenizer, const std::vector<Clip>& clips,
                                const Options& options) {
  const auto batch = static_cast<size_t>(tokenizer.Info().batch);
  const size_t calls = (clips.size() + batch - 1) / batch;
  const Stopwatch watch;
  VQC_TRY(ParallelFor(calls, options.threads, [&](size_t i) -> Status {
    const auto some = std::span(clips).subspan(i * batch, std::min(batch, clips.size() - i * batch));
    const auto tokens = tokenizer.Encode(some);
    return tokens.ok() ? Status() : tokens.error();
  }));
  return watch.Seconds();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Result<Json> Measure(const Options& options) {
  VQC_ASSIGN(const c10::Device device, ResolveDevice(options.device));
  VQC_ASSIGN(const ModelEntry entry, FindModel(options.model));
  VQC_ASSIGN(const Bundle bundle, LoadBundle(entry, {options.device}));
  VQC_ASSIGN(FrozenNetwork network, LoadFrozen(entry, "figures", device));
  const auto clips = Noise(options);
  std::vector<double> bare, tokenizer;
  for (int round = 0; round <= options.rounds; ++round) {  // the first one is not counted
    int64_t pictures = 0;
    const double network_seconds = BareSeconds(network, device, options, pictures);
    VQC_ASSIGN(const double seconds, TokenizerSeconds(*bundle.tokenizer, clips, options));
    if (round == 0) continue;
    bare.push_back(static_cast<double>(pictures) / network_seconds);
    tokenizer.push_back(static_cast<double>(clips.size()) / seconds);
  }
  return Json{{"model", options.model},
              {"side", options.side},
              {"threads", options.threads},
              {"bare_pictures_per_second", Median(bare)},
              {"tokenizer_pictures_per_second", Median(tokenizer)},
              {"share", Median(tokenizer) / Median(bare)}};
}

}  // namespace
}  // namespace vqc

int main(int argc, char** argv) {
  vqc::Options options;
  CLI::App app("Times a tokenizer's batches on a GPU beside its bare network");
  app.add_option("--model", options.model, "Name or folder of a model of the tokenizer \"image\"");
  app.add_option("--device", options.device, "cuda or cuda:N");
  app.add_option("--side", options.side, "Of the pictures, in pixels")->check(CLI::Range(16, 4096));
  app.add_option("--pictures", options.pictures, "Pictures of a round")->check(CLI::Range(1, 100000));
  app.add_option("--threads", options.threads, "Threads that call the tokenizer")->check(CLI::Range(1, 64));
  app.add_option("--rounds", options.rounds, "Rounds that count")->check(CLI::Range(1, 100));
  CLI11_PARSE(app, argc, argv);
  const auto measured = vqc::Measure(options);
  if (!measured.ok()) {
    std::fprintf(stderr, "encode_batches: %s\n", measured.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", measured->dump().c_str());
  return 0;
}
