// SPDX-License-Identifier: Apache-2.0
#include "training/train_decoder.h"

#include <torch/torch.h>

#include <cstdio>
#include <optional>

#include "base/guard.h"
#include "models/decoder.h"
#include "models/device.h"
#include "training/csv_log.h"
#include "training/decoder_trainer.h"
#include "training/training_run.h"

namespace vqc {
namespace {

constexpr char kDecoderLogHead[] =
    "step,seconds,progress,distortion,features,adversarial,judged,gradient_norm,images_per_second\n";

Status Train(const TrainDecoderOptions& options) {
  // First the device: libtorch looks for CUDA once, and seeding is enough to make it look.
  VQC_TRY(ResolveDevice(options.device));
  torch::manual_seed(options.seed);
  VQC_ASSIGN(const ModelEntry model, FindModel(options.model));
  VQC_ASSIGN(auto trainer, DecoderTrainer::Create(options, model));
  VQC_ASSIGN(const PhotoSet photos,
             PhotoSet::Load(options.data, static_cast<int>(options.crop), trainer->device()));
  std::optional<PhotoSet> valid;
  if (!options.valid.empty()) {
    VQC_ASSIGN(valid, PhotoSet::Load(options.valid, 64, trainer->device()));
  }
  std::fprintf(stderr, "%zu photos (%.0f megapixels, %zu files skipped), %.2f M parameters, %s\n",
               photos.size(), photos.megapixels(), photos.skipped(),
               static_cast<double>(trainer->ParameterCount()) / 1e6, trainer->device().str().c_str());
  TrainingRun run({options.steps, options.seconds, options.stop_after}, trainer->device());
  VQC_TRY(run.Resume(*trainer, options.state));
  AllowFastKernels();

  CsvLog log(options.log, kDecoderLogHead);
  const auto judge = [&](const char* when) {
    if (!valid) return;
    at::globalContext().setBenchmarkCuDNN(false);
    const auto e = trainer->Evaluate(*valid);
    at::globalContext().setBenchmarkCuDNN(true);
    char line[128];
    std::snprintf(line, sizeof line, "# held out, %s: PSNR %.3f dB, distance of features %.4f", when, e.psnr,
                  e.features);
    log.Write(line);
  };
  if (run.step() == 0) judge("before");
  run.Lap();
  while (run.GoesOn()) {
    const DecoderMeasures m = trainer->Step(photos, run.Share());
    run.CountStep();
    if (run.step() % kLogEvery == 0) {
      char line[256];
      std::snprintf(line, sizeof line, "%ld,%.1f,%.4f,%.6f,%.4f,%.4f,%.4f,%.4f,%.0f",
                    static_cast<long>(run.step()), run.seconds(), run.Share(), m.distortion.item<double>(),
                    m.features.item<double>(), m.adversarial.item<double>(), m.judged.item<double>(),
                    m.norm.item<double>(), static_cast<double>(kLogEvery * options.batch) / run.Lap());
      log.Write(line);
    }
  }
  VQC_TRY(run.Save(*trainer, options.state));
  judge("after");
  if (run.EndedEarly()) return {};
  DecoderCard card;
  card.name = options.name;
  card.decodes = model.card.model_id;
  card.network = trainer->Network();
  card.about = options.about;
  TensorBag bag;
  trainer->Export(bag);
  return WriteDecoder(options.output, std::move(card), bag.Views());
}

}  // namespace

Status TrainDecoder(const TrainDecoderOptions& options) {
  return Guard("training", [&] { return Train(options); });
}

}  // namespace vqc
