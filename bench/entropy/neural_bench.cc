// SPDX-License-Identifier: Apache-2.0
// The integer network of a model's prior "neural" by every set of instructions that the machine has and, with
// --gpu, on a GPU, as JSON, a line each:
//   neural_bench [--model image-f16] [--tokens 1048576] [--gpu N]
// Maps of 32 x 48 tokens: every second one of ids without any order, the others of ids that repeat those
// before or above. Counted are the logits (16 for each digit) that differ from those of the plain loops.
// Seconds are those of all maps: of the processor alone on one thread, of the GPU with the copies there and
// back.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "base/parallel.h"
#include "base/safetensors.h"
#include "entropy/neural_maps.h"
#include "entropy/neural_tables.h"
#include "models/store.h"

namespace vqc {
namespace {

constexpr uint32_t kHeight = 32, kWidth = 48;
constexpr size_t kTogether = 64;  // maps

Tokens Map(uint32_t vocab, bool repeats, std::mt19937& random) {
  Tokens map{{1, 1, kHeight, kWidth}, {vocab}, {}};
  for (size_t i = 0; i < map.shape.Count(); ++i) {
    const uint32_t chance = random() % 4;
    if (repeats && chance == 0 && i >= 1)
      map.ids.push_back(map.ids[i - 1]);
    else if (repeats && chance == 1 && i >= kWidth)
      map.ids.push_back(map.ids[i - kWidth]);
    else
      map.ids.push_back(random() % vocab);
  }
  return map;
}

struct Network {
  std::vector<Digit> digits;
  uint32_t vocab = 0;
  NeuralNetwork network;
};

Result<Network> Open(const std::string& name) {
  VQC_ASSIGN(const ModelEntry entry, FindModel(name));
  VQC_ASSIGN(const SafeTensors weights, SafeTensors::Open(entry.folder + "/" + std::string(kWeightsFile)));
  VQC_ASSIGN(const TensorView bytes, weights.Get("prior.tables"));
  VQC_ASSIGN(const NeuralTables tables, ReadNeuralTables(bytes.bytes));
  VQC_ASSIGN(NeuralNetwork network, NeuralNetwork::Make(tables.shape, tables.weights));
  return Network{tables.layout.plan[0], tables.head.vocab[0], std::move(network)};
}

Status Run(const std::string& model, size_t tokens, int gpu) {
  VQC_ASSIGN(const Network net, Open(model));
  std::mt19937 random(1);
  std::vector<Tokens> maps;
  while (maps.size() * kHeight * kWidth < tokens)
    maps.push_back(Map(net.vocab, maps.size() % 2 == 1, random));
  NeuralNetwork plain = net.network;
  plain.Use(kNeuralScalar);
  VQC_ASSIGN(const NeuralMaps reference, NeuralMaps::Make(std::make_shared<const NeuralNetwork>(plain),
                                                          net.digits, {.threads = CoreCount()}));
  const auto measure = [&](const std::string& name, const NeuralMaps& tested) -> Status {
    size_t different = 0, compared = 0;
    double seconds = 0;
    std::vector<int32_t> expected, logits;
    for (size_t i = 0; i < maps.size(); i += kTogether) {
      const auto some = std::span(maps).subspan(i, std::min(kTogether, maps.size() - i));
      VQC_TRY(reference.Logits(some, expected));
      if (i == 0) VQC_TRY(tested.Logits(some, logits));  // memory is taken, clocks are up
      const auto start = std::chrono::steady_clock::now();
      VQC_TRY(tested.Logits(some, logits));
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      for (size_t j = 0; j < expected.size(); ++j) different += logits[j] != expected[j];
      compared += expected.size();
    }
    const size_t count = maps.size() * kHeight * kWidth;
    std::printf(
        "{\"by\": \"%s\", \"tokens\": %zu, \"logits\": %zu, \"different\": %zu, \"seconds\": %.4f, "
        "\"tokens_per_second\": %.0f}\n",
        name.c_str(), count, compared, different, seconds, static_cast<double>(count) / seconds);
    return {};
  };
  for (const NeuralKernels* kernels : UsableNeuralKernels()) {
    if (kernels == &kNeuralScalar) continue;
    NeuralNetwork network = net.network;
    network.Use(*kernels);
    VQC_ASSIGN(const NeuralMaps tested,
               NeuralMaps::Make(std::make_shared<const NeuralNetwork>(network), net.digits, {.threads = 1}));
    VQC_TRY(measure(kernels->name, tested));
  }
  if (gpu < 0) return {};
  VQC_ASSIGN(const NeuralMaps tested, NeuralMaps::Make(std::make_shared<const NeuralNetwork>(net.network),
                                                       net.digits, {.threads = 1, .gpu = gpu}));
  return measure("cuda", tested);
}

}  // namespace
}  // namespace vqc

int main(int argc, char** argv) {
  std::string model = "image-f16";
  long long tokens = 1 << 20;
  int gpu = -1;
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (option == "--model")
      model = value;
    else if (option == "--tokens")
      tokens = std::atoll(value);
    else if (option == "--gpu")
      gpu = std::atoi(value);
    else
      tokens = 0;
  }
  if (tokens < 1 || tokens > (1 << 28)) {
    std::fprintf(stderr, "neural_bench [--model image-f16] [--tokens 1048576] [--gpu N]\n");
    return 2;
  }
  const vqc::Status status = vqc::Run(model, static_cast<size_t>(tokens), gpu);
  if (!status.ok()) std::fprintf(stderr, "neural_bench: %s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
