// SPDX-License-Identifier: Apache-2.0
// What lost tokens cost, made up as salvage does and by repeating neighbours, as JSON:
//   conceal_bench FOLDER [--model image-f16] [--lost 0.2] [--device cpu]
// For every picture of the folder: tokens are lost one by one ("scattered") or in runs of raster order of
// 1/20 of the picture each ("bursts"), the same ones for both; PSNR is over 8-bit RGB, means over pictures.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <random>
#include <string>

#include "base/file.h"
#include "codec/codec.h"
#include "codec/payload.h"
#include "data/media/media.h"
#include "entropy/conceal.h"

namespace vqc {
namespace {

double Psnr(const Clip& a, const Clip& b) {
  const auto eight_bits = [](float x) { return std::round((std::clamp(x, -1.0f, 1.0f) + 1) * 127.5f); };
  double sum = 0;
  for (size_t i = 0; i < a.data.size(); ++i) {
    const double difference = eight_bits(a.data[i]) - eight_bits(b.data[i]);
    sum += difference * difference;
  }
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.data.size()) / sum);
}

std::vector<uint8_t> Lost(size_t count, double share, bool bursts, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> lost(count);
  const auto wanted = static_cast<size_t>(std::llround(share * static_cast<double>(count)));
  const size_t run = bursts ? std::max<size_t>(count / 20, 1) : 1;
  for (size_t gone = 0; gone < wanted;) {
    const size_t start = random() % count;
    for (size_t i = start; i < std::min(start + run, count) && gone < wanted; ++i) {
      gone += !lost[i];
      lost[i] = 1;
    }
  }
  return lost;
}

struct Sums {
  double intact = 0, repeated = 0, filled = 0;
};

Status Run(const std::string& folder, const std::string& model, double share, const std::string& device) {
  VQC_ASSIGN(const ModelEntry entry, FindModel(model));
  VQC_ASSIGN(const Bundle bundle, LoadBundle(entry, {.device = device, .threads = 2, .limits = {}}));
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) files.push_back(file.path().string());
  std::sort(files.begin(), files.end());
  std::map<std::string, Sums> sums;
  uint32_t pictures = 0;
  for (const std::string& file : files) {
    VQC_ASSIGN(const auto bytes, ReadFile(file, uint64_t{1} << 32));
    const auto picture = ReadImage(bytes, file);
    if (!picture.ok() || picture->channels != 3) continue;
    VQC_ASSIGN(const auto tokens, bundle.tokenizer->Encode({&*picture, 1}));
    const Tokenizer::Target target{1, 3, picture->height, picture->width};
    const auto psnr = [&](const Tokens& decoded) -> Result<double> {
      VQC_ASSIGN(const auto clips, bundle.tokenizer->Decode({&decoded, 1}, {&target, 1}));
      return Psnr(*picture, clips[0]);
    };
    VQC_ASSIGN(const double intact, psnr(tokens[0]));
    ++pictures;
    for (const bool bursts : {false, true}) {
      const auto lost = Lost(tokens[0].ids.size(), share, bursts, pictures);
      Tokens repeated = tokens[0];
      RepeatNeighbours(repeated, lost);
      SalvagedTokens salvaged{tokens[0], std::vector<uint8_t>(lost.size())};
      for (size_t i = 0; i < lost.size(); ++i) salvaged.known[i] = !lost[i];
      VQC_ASSIGN(const Tokens filled, FillUnknown(salvaged, bundle));
      VQC_ASSIGN(const double of_repeated, psnr(repeated));
      VQC_ASSIGN(const double of_filled, psnr(filled));
      Sums& sum = sums[bursts ? "bursts" : "scattered"];
      sum.intact += intact;
      sum.repeated += of_repeated;
      sum.filled += of_filled;
    }
  }
  for (const auto& [kind, sum] : sums) {
    std::printf(
        "{\"lost\": %.2f, \"kind\": \"%s\", \"pictures\": %u, \"psnr_intact\": %.2f, \"psnr_repeated\": "
        "%.2f, "
        "\"psnr_filled\": %.2f, \"gain_db\": %.2f}\n",
        share, kind.c_str(), pictures, sum.intact / pictures, sum.repeated / pictures, sum.filled / pictures,
        (sum.filled - sum.repeated) / pictures);
  }
  return {};
}

}  // namespace
}  // namespace vqc

int main(int argc, char** argv) {
  std::string folder, model = "image-f16", device = "cpu";
  double share = 0.2;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--model" && i + 1 < argc)
      model = argv[++i];
    else if (argument == "--lost" && i + 1 < argc)
      share = std::atof(argv[++i]);
    else if (argument == "--device" && i + 1 < argc)
      device = argv[++i];
    else
      folder = argument;
  }
  if (folder.empty() || share <= 0 || share >= 1) {
    std::fprintf(stderr, "conceal_bench FOLDER [--model image-f16] [--lost 0.2] [--device cpu]\n");
    return 2;
  }
  const vqc::Status status = vqc::Run(folder, model, share, device);
  if (!status.ok()) std::fprintf(stderr, "conceal_bench: %s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
