// SPDX-License-Identifier: Apache-2.0
// How well large codebooks are used, method by method, on the latents of photos.
//
//   large_codebooks --photos DIR --valid DIR --model DIR [--sizes 16384,100000,262144] [--device cuda]
//
// Takes the latents of random crops with the encoder of an image model, trains every method on those of
// --photos, and measures it on those of --valid, which no method sees. Prints one line of JSON for each
// method and size; bench/large_codebooks.py makes the table and the plot of docs/large-codebooks.md of them.
#include <torch/torch.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "base/stopwatch.h"
#include "models/device.h"
#include "training/image_latents.h"
#include "training/photo_set.h"
#include "training/quantizer_trainer.h"

namespace vqc {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string photos, valid, model, device = "cuda", only;
  std::vector<int64_t> sizes = {16384, 100000, 262144};
  int64_t crop = 256, crops = 12288, pictures = 128;
  int64_t batch = 32768, least_steps = 1000;
  double tokens_a_code = 200, tokens_measured = 50;
  int64_t start_rows = 40;  // of k-means, for each codeword
};

struct Method {
  const char* name;
  const char* config;  // without entries and dim
  bool start = false;  // codebooks begin with k-means
  bool anneal = true;
  double steps = 1;  // of the usual number
  double learning_rate = 1e-3;
};

constexpr Method kMethods[] = {
    {"VQ", R"({"type":"vq"})"},
    {"VQ, started by k-means", R"({"type":"vq"})", true},
    {"EMA, started, revival", R"({"type":"vq","update":"ema"})", true},
    {"cosine, started", R"({"type":"cosine"})", true},
    {"SimVQ", R"({"type":"simvq"})"},
    {"SimVQ, started", R"({"type":"simvq"})", true},
    {"VQGAN-LC", R"({"type":"vqgan_lc"})", true},
    {"VQBridge, constant rate", R"({"type":"vqbridge"})", false, false, 2},
    {"VQBridge, annealed", R"({"type":"vqbridge"})", false, true, 2},
};

// The nearest square: what vqbridge takes.
int64_t SquareNear(int64_t entries) {
  const auto root = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(entries))) / 4 * 4);
  return root * root;
}

nlohmann::json ConfigOf(const Method& method, int64_t entries, int64_t dim) {
  auto config = nlohmann::json::parse(method.config);
  config["dim"] = dim;
  config["entries"] = entries;
  if (config["type"] == "vqgan_lc") config["features"] = dim;
  if (config["type"] == "vqbridge") {
    config["entries"] = SquareNear(entries);
    config["patch"] = entries > 200000 ? 8 : 4;
  }
  return config;
}

torch::Tensor LatentsOf(const PhotoSet& photos, ImageLatents& network, const Options& options, int64_t crops,
                        uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<torch::Tensor> rows;
  for (int64_t done = 0; done < crops; done += 64) {
    rows.push_back(network.Encode(photos.Crops(std::min<int64_t>(64, crops - done), options.crop, random)));
  }
  return torch::cat(rows);
}

// Mean PSNR over 8-bit RGB, in dB, of pictures [B, 3, H, W] whose latents were replaced.
double PsnrOf(const torch::Tensor& pictures, const torch::Tensor& rows, ImageLatents& network) {
  const int64_t h = pictures.size(2) / network.Stride(), w = pictures.size(3) / network.Stride();
  double sum = 0;
  for (int64_t i = 0; i < pictures.size(0); ++i) {
    const auto decoded = network.Decode(rows.slice(0, i * h * w, (i + 1) * h * w), h, w).clamp(-1, 1);
    const auto levels = ((decoded + 1) * 127.5).round() - ((pictures.slice(0, i, i + 1) + 1) * 127.5).round();
    sum += 10 * std::log10(255.0 * 255.0 / std::max(1e-4, levels.pow(2).mean().item<double>()));
  }
  return sum / static_cast<double>(pictures.size(0));
}

void Print(const Json& line) {
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

struct Data {
  torch::Tensor train, valid, pictures, picture_rows;
};

Status RunMethod(const Method& method, int64_t size, const Data& data, ImageLatents& network,
                 const Options& options) {
  const Stopwatch watch;
  TrainQuantizerOptions train;
  train.quantizer = ConfigOf(method, size, network.Dim());
  const int64_t entries = train.quantizer["entries"];
  train.batch = options.batch;
  train.steps =
      static_cast<int64_t>(method.steps * std::max(static_cast<double>(options.least_steps),
                                                   options.tokens_a_code * static_cast<double>(entries) /
                                                       static_cast<double>(options.batch)));
  train.kmeans = method.start;
  train.start_rows = options.start_rows * entries;
  train.anneal = method.anneal;
  train.learning_rate = method.learning_rate;
  const auto alone = Processes::Meet(data.train.device());
  if (!alone.ok()) return alone.error();
  torch::manual_seed(train.seed);
  VQC_ASSIGN(auto trainer, QuantizerTrainer::Create(train, data.train.device(), **alone));
  VQC_TRY(trainer->Start(data.train));
  for (int64_t step = 0; step < train.steps; ++step) {
    trainer->Step(data.train, step, static_cast<double>(step) / static_cast<double>(train.steps));
  }
  trainer->Finish();
  TrainedQuantizer measured;
  const auto tokens = static_cast<int64_t>(options.tokens_measured * static_cast<double>(entries));
  const auto valid = data.valid.slice(0, 0, tokens);
  const bool unit = train.quantizer["type"] == "cosine";  // lengths are lost: measured on the unit sphere
  MeasureQuantizer(trainer->quantizer(), unit ? valid / valid.norm(2, {1}, true).clamp_min(1e-6) : valid,
                   65536, measured);
  const CodeStatistics& codes = measured.levels.front();
  Json line = {{"method", method.name},      {"config", train.quantizer},
               {"entries", entries},         {"steps", train.steps},
               {"tokens", measured.tokens},  {"usage", codes.usage},
               {"bound", codes.usage_bound}, {"perplexity", codes.perplexity},
               {"error", measured.error},    {"relative_error", measured.relative_error}};
  if (!unit) {
    const auto out = trainer->quantizer().forward(data.picture_rows);
    line["psnr"] = PsnrOf(data.pictures, out.quantized, network);
  }
  line["seconds"] = watch.Seconds();
  Print(line);
  return {};
}

Status RunAll(const Options& options) {
  VQC_ASSIGN(const auto device, ResolveDevice(options.device));
  VQC_ASSIGN(auto network, ImageLatents::Load(options.model, device));
  VQC_ASSIGN(const auto photos, PhotoSet::Load(options.photos, static_cast<int>(options.crop), device));
  VQC_ASSIGN(const auto held_out, PhotoSet::Load(options.valid, static_cast<int>(options.crop), device));
  const int64_t cells = (options.crop / network.Stride()) * (options.crop / network.Stride());
  const int64_t largest = *std::max_element(options.sizes.begin(), options.sizes.end());
  const auto wanted = static_cast<int64_t>(options.tokens_measured * static_cast<double>(largest) + 1);
  Data data;
  data.train = LatentsOf(photos, network, options, options.crops, 1);
  data.valid = LatentsOf(held_out, network, options, (wanted + cells - 1) / cells, 2);
  std::mt19937_64 random(3);
  data.pictures = held_out.Crops(options.pictures, options.crop, random);
  data.picture_rows = network.Encode(data.pictures);
  Print({{"photos", photos.size()},
         {"megapixels", photos.megapixels()},
         {"held_out", held_out.size()},
         {"held_out_megapixels", held_out.megapixels()},
         {"train_tokens", data.train.size(0)},
         {"valid_tokens", data.valid.size(0)},
         {"variance", data.valid.var(0).mean().item<double>()},
         {"psnr_unquantized", PsnrOf(data.pictures, data.picture_rows, network)}});
  for (const int64_t size : options.sizes) {
    for (const Method& method : kMethods) {
      if (!options.only.empty() && std::string(method.name).find(options.only) == std::string::npos) continue;
      VQC_TRY(RunMethod(method, size, data, network, options));
    }
  }
  return {};
}

}  // namespace
}  // namespace vqc

int main(int argc, char** argv) {
  vqc::Options options;
  CLI::App app("How well large codebooks are used, on the latents of photos");
  app.add_option("--photos", options.photos, "Folder of photos to learn from")->required();
  app.add_option("--valid", options.valid, "Folder of photos held out")->required();
  app.add_option("--model", options.model, "Folder of the image model whose latents are taken")->required();
  app.add_option("--sizes", options.sizes, "Codewords")->delimiter(',');
  app.add_option("--device", options.device, "cpu, cuda or cuda:N");
  app.add_option("--crop", options.crop, "Side of a crop in pixels");
  app.add_option("--crops", options.crops, "Crops to learn from");
  app.add_option("--pictures", options.pictures, "Crops whose PSNR is measured");
  app.add_option("--batch", options.batch, "Tokens of a step");
  app.add_option("--least-steps", options.least_steps, "Steps at least");
  app.add_option("--tokens-a-code", options.tokens_a_code, "Tokens to learn from, for each codeword");
  app.add_option("--tokens-measured", options.tokens_measured, "Tokens held out, for each codeword");
  app.add_option("--start-rows", options.start_rows, "Tokens of k-means, for each codeword");
  app.add_option("--only", options.only, "Methods whose name has this in it");
  CLI11_PARSE(app, argc, argv);
  const auto status = vqc::RunAll(options);
  if (status.ok()) return 0;
  std::fprintf(stderr, "large_codebooks: %s\n", status.error().message.c_str());
  return 1;
}
