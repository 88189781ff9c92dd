// SPDX-License-Identifier: Apache-2.0
#include "training/train_audio.h"

#include <ATen/Parallel.h>
#include <torch/cuda.h>
#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/guard.h"
#include "models/card.h"
#include "models/device.h"
#include "tokenizers/audio/audio_tokenizer.h"
#include "training/audio_trainer.h"
#include "training/bundle_writer.h"
#include "training/csv_log.h"

namespace vqc {
namespace {

constexpr int64_t kLogEvery = 100;  // steps
constexpr char kLogHead[] =
    "step,seconds,progress,mel,complex,commitment,adversarial,features,discriminators,gradient_norm,"
    "clips_per_second\n";

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Progress {
  int64_t step = 0;
  double seconds = 0;
};

Status SaveState(const AudioTrainer& trainer, const Progress& progress, const std::string& path) {
  TensorBag bag;
  trainer.Save(bag);
  VQC_ASSIGN(auto bytes, WriteSafeTensors(bag.Views(), {{"step", std::to_string(progress.step)},
                                                        {"seconds", std::to_string(progress.seconds)}}));
  return WriteFileAtomically(path, bytes, {.force = true});
}

Result<Progress> LoadState(AudioTrainer& trainer, const std::string& path) {
  VQC_ASSIGN(const SafeTensors state, SafeTensors::Open(path));
  VQC_TRY(trainer.Load(state));
  const auto& metadata = state.Metadata();
  if (!metadata.contains("step") || !metadata.contains("seconds")) {
    return Error{ErrorCode::kModel,
                 path + ": is no training state (it has no \"step\"); remove it to start anew"};
  }
  return Progress{std::stoll(metadata.at("step")), std::stod(metadata.at("seconds"))};
}

Status WriteAudioBundle(AudioTrainer& trainer, const TrainAudioOptions& options) {
  ModelCard card;
  card.name = options.name;
  card.modality = Modality::kAudio;
  card.tokenizer = "audio";
  VQC_ASSIGN(const auto quantizer,
             MakeQuantizer(options.config.value("quantizer", nlohmann::json::object())));
  VQC_ASSIGN(card.config, CompleteAudioConfig(options.config));
  card.prior = "adaptive";
  card.factors = CardFactors(*quantizer);
  card.about = options.about;
  TensorBag bag;
  trainer.Export(bag);
  return WriteBundle(options.output, std::move(card), bag);
}

double Value(const torch::Tensor& measure) { return measure.defined() ? measure.item<double>() : 0; }

std::string Line(const Progress& done, double share, const AudioMeasures& m, double speed) {
  char line[256];
  std::snprintf(line, sizeof line, "%ld,%.1f,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.3f,%.0f",
                static_cast<long>(done.step), done.seconds, share, Value(m.mel), Value(m.complex),
                Value(m.commitment), Value(m.adversarial), Value(m.features), Value(m.judged), Value(m.norm),
                speed);
  return line;
}

Status Train(const TrainAudioOptions& options) {
  VQC_TRY(ResolveDevice(options.device));  // first: libtorch looks for CUDA once, and seeding makes it look
  torch::manual_seed(options.seed);
  VQC_ASSIGN(auto trainer, AudioTrainer::Create(options));
  VQC_ASSIGN(const AudioSet set, AudioSet::Load(options.data, trainer->ClipLength(), trainer->device()));
  std::optional<AudioSet> valid;
  if (!options.valid.empty()) {
    VQC_ASSIGN(valid, AudioSet::Load(options.valid, trainer->ClipLength(), trainer->device()));
  }
  std::fprintf(stderr, "%zu files, %.0f s of sound, %.2f M parameters, %s\n", set.size(),
               set.seconds(trainer->Rate()), static_cast<double>(trainer->ParameterCount()) / 1e6,
               trainer->device().str().c_str());
  Progress done;
  if (!options.state.empty() && std::filesystem::exists(options.state)) {
    VQC_ASSIGN(done, LoadState(*trainer, options.state));
    std::fprintf(stderr, "resumed at step %ld, %.1f s\n", static_cast<long>(done.step), done.seconds);
  }
  const bool cuda = trainer->device().is_cuda();
  if (cuda)
    at::set_num_threads(2);  // little is left for the CPU, and waiting threads are in the way of others
  at::globalContext().setBenchmarkCuDNN(true);
  at::globalContext().setDeterministicCuDNN(false);
  at::globalContext().setAllowTF32CuDNN(true);
  at::globalContext().setAllowTF32CuBLAS(true);

  CsvLog log(options.log, kLogHead);
  const double start = Now(), before = done.seconds;
  double window = start;
  const auto share = [&] {
    return options.steps > 0 ? static_cast<double>(done.step) / static_cast<double>(options.steps)
                             : done.seconds / options.seconds;
  };
  bool stopped = false;
  while (share() < 1 && !stopped) {
    VQC_ASSIGN(const AudioMeasures measures, trainer->Step(set, share()));
    ++done.step;
    if (done.step % 16 == 0 && cuda) torch::cuda::synchronize();  // the clock must see the device
    done.seconds = before + Now() - start;
    stopped = options.stop_after > 0 && Now() - start > options.stop_after;
    if (done.step % kLogEvery == 0) {
      log.Write(
          Line(done, share(), measures, static_cast<double>(kLogEvery * options.batch) / (Now() - window)));
      window = Now();
    }
  }
  if (!options.state.empty()) VQC_TRY(SaveState(*trainer, done, options.state));
  if (valid) {
    const auto e = trainer->Evaluate(*valid);
    char line[160];
    std::snprintf(line, sizeof line, "# held out: mel distance %.4f, %.4f of the codebooks used", e.mel,
                  e.usage);
    log.Write(line);
  }
  if (stopped && share() < 1) {
    std::fprintf(stderr, "stopped at %.1f of %.1f s; run again with the same --state to go on\n",
                 done.seconds, options.seconds);
    return {};
  }
  return WriteAudioBundle(*trainer, options);
}

}  // namespace

Status TrainAudio(const TrainAudioOptions& options) {
  return Guard("training", [&] { return Train(options); });
}

}  // namespace vqc
