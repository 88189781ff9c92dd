// SPDX-License-Identifier: Apache-2.0
#include "training/train_filler.h"

#include <torch/torch.h>

#include <cstdio>
#include <optional>

#include "base/file.h"
#include "base/guard.h"
#include "models/device.h"
#include "tokenizers/image/image_filler.h"
#include "training/csv_log.h"
#include "training/filler_trainer.h"
#include "training/training_run.h"

namespace vqc {
namespace {

constexpr char kFillerLogHead[] = "step,seconds,progress,psnr,images_per_second\n";

Status Train(const TrainFillerOptions& options) {
  // First the device: libtorch looks for CUDA once, and seeding is enough to make it look.
  VQC_TRY(ResolveDevice(options.device));
  torch::manual_seed(options.seed);
  VQC_ASSIGN(const ModelEntry model, FindModel(options.model));
  VQC_ASSIGN(auto trainer, FillerTrainer::Create(options, model));
  VQC_ASSIGN(const PhotoSet photos,
             PhotoSet::Load(options.data, static_cast<int>(options.crop), trainer->device()));
  std::optional<PhotoSet> valid;
  if (!options.valid.empty()) {
    VQC_ASSIGN(valid, PhotoSet::Load(options.valid, 64, trainer->device()));
  }
  std::fprintf(stderr, "%zu photos (%.0f megapixels, %zu files skipped), %.2f M parameters, %s\n",
               photos.size(), photos.megapixels(), photos.skipped(),
               static_cast<double>(trainer->ParameterCount()) / 1e6, trainer->device().str().c_str());
  TrainingRun run({options.steps, options.seconds, 0}, trainer->device());
  AllowFastKernels();

  CsvLog log(options.log, kFillerLogHead);
  while (run.GoesOn()) {
    const auto psnr = trainer->Step(photos, run.Share());
    run.CountStep();
    if (run.step() % kLogEvery == 0) {
      char line[128];
      std::snprintf(line, sizeof line, "%ld,%.1f,%.4f,%.3f,%.0f", static_cast<long>(run.step()),
                    run.seconds(), run.Share(), psnr.item<double>(),
                    static_cast<double>(kLogEvery * options.batch) / run.Lap());
      log.Write(line);
    }
  }
  if (valid) {
    at::globalContext().setBenchmarkCuDNN(false);
    const auto e = trainer->Evaluate(*valid);
    char line[96];
    std::snprintf(line, sizeof line, "# held out: PSNR filled %.3f dB, without losses %.3f dB", e.filled,
                  e.intact);
    log.Write(line);
  }
  TensorBag bag;
  trainer->Export(bag);
  VQC_ASSIGN(
      const auto bytes,
      WriteSafeTensors(bag.Views(),
                       {{kFillerModel, HexOf(model.card.model_id)},
                        {kFillerNetwork, ToJson(LatentFillerConfig{options.width, options.blocks}).dump()}}));
  return WriteFileAtomically(model.folder + "/" + std::string(kFillerFile), bytes, {.force = true});
}

}  // namespace

Status TrainFiller(const TrainFillerOptions& options) {
  return Guard("training", [&] { return Train(options); });
}

}  // namespace vqc
