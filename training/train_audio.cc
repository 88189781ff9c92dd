// SPDX-License-Identifier: Apache-2.0
#include "training/train_audio.h"

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <cstdio>
#include <optional>

#include "base/guard.h"
#include "models/card.h"
#include "models/device.h"
#include "tokenizers/audio/audio_tokenizer.h"
#include "training/audio_trainer.h"
#include "training/bundle_writer.h"
#include "training/csv_log.h"
#include "training/training_run.h"

namespace vqc {
namespace {

constexpr char kAudioLogHead[] =
    "step,seconds,progress,mel,complex,distortion,disturbance,unintelligible,commitment,adversarial,features,"
    "discriminators,gradient_norm,clips_per_second\n";

Status WriteModel(AudioTrainer& trainer, const TrainAudioOptions& options) {
  ModelCard card;
  card.name = options.name;
  card.modality = Modality::kAudio;
  card.tokenizer = "audio";
  VQC_ASSIGN(card.config, CompleteAudioConfig(options.config));
  card.about = options.about;
  TensorBag bag;
  trainer.Export(bag);
  return WriteTrainedBundle(options.output, std::move(card), bag);
}

double Value(const torch::Tensor& measure) { return measure.defined() ? measure.item<double>() : 0; }

std::string Line(const TrainingRun& run, const AudioMeasures& m, double speed) {
  char line[256];
  std::snprintf(line, sizeof line, "%ld,%.1f,%.4f,%.4f,%.4f,%.2f,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.3f,%.0f",
                static_cast<long>(run.step()), run.seconds(), run.Share(), Value(m.mel), Value(m.complex),
                Value(m.distortion), Value(m.disturbance), Value(m.unintelligible), Value(m.commitment),
                Value(m.adversarial), Value(m.features), Value(m.judged), Value(m.norm), speed);
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
  TrainingRun run({options.steps, options.seconds, options.stop_after}, trainer->device());
  VQC_TRY(run.Resume(*trainer, options.state));
  if (trainer->device().is_cuda())
    at::set_num_threads(2);  // little is left for the CPU, and waiting threads are in the way of others
  AllowFastKernels();

  CsvLog log(options.log, kAudioLogHead);
  double written = run.seconds();
  while (run.GoesOn()) {
    VQC_ASSIGN(const AudioMeasures measures, trainer->Step(set, run.Share()));
    run.CountStep();
    if (options.write_every > 0 && run.seconds() >= written + options.write_every) {
      written = run.seconds();
      VQC_TRY(WriteModel(*trainer, options));
    }
    if (run.step() % kLogEvery == 0) {
      log.Write(Line(run, measures, static_cast<double>(kLogEvery * options.batch) / run.Lap()));
    }
  }
  VQC_TRY(run.Save(*trainer, options.state));
  if (valid) {
    const auto e = trainer->Evaluate(*valid);
    char line[256];
    std::snprintf(line, sizeof line,
                  "# held out: mel distance %.4f, complex %.4f, distortion %.2f dB, disturbance %.4f, "
                  "unintelligible %.4f, "
                  "%.4f of the codebooks used",
                  e.mel, e.complex, e.distortion, e.disturbance, e.unintelligible, e.usage);
    log.Write(line);
  }
  if (run.EndedEarly()) return {};
  return WriteModel(*trainer, options);
}

}  // namespace

Status TrainAudio(const TrainAudioOptions& options) {
  return Guard("training", [&] { return Train(options); });
}

}  // namespace vqc
