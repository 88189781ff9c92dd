// SPDX-License-Identifier: Apache-2.0
#include "training/train_image.h"

#include <torch/torch.h>

#include <cstdio>
#include <optional>

#include "base/guard.h"
#include "entropy/priors.h"
#include "models/card.h"
#include "models/device.h"
#include "tokenizers/image/image_tokenizer.h"
#include "training/bundle_writer.h"
#include "training/csv_log.h"
#include "training/image_trainer.h"
#include "training/training_run.h"

namespace vqc {
namespace {

constexpr int64_t kImageLogEvery = 200;  // steps
constexpr char kImageLogHead[] =
    "step,seconds,progress,distortion,psnr,bits_per_token,gradient_norm,rate_weight,images_per_second\n";

Status WriteModel(ImageTrainer& trainer, const TrainImageOptions& options) {
  ModelCard card;
  card.name = options.name;
  card.tokenizer = "image";
  TensorBag bag;
  nlohmann::json config = options.config;
  config["quantizer"] = trainer.Export(bag);
  VQC_ASSIGN(card.config, CompleteImageConfig(config));
  card.about = options.about;
  return WriteTrainedBundle(options.output, std::move(card), bag);
}

Status Train(const TrainImageOptions& options) {
  // First the device: libtorch looks for CUDA once, and seeding is enough to make it look.
  VQC_TRY(ResolveDevice(options.device));
  torch::manual_seed(options.seed);
  VQC_ASSIGN(auto trainer, ImageTrainer::Create(options));
  VQC_ASSIGN(const PhotoSet photos,
             PhotoSet::Load(options.data, static_cast<int>(options.crop), trainer->device()));
  std::optional<PhotoSet> valid;
  if (!options.valid.empty()) {
    VQC_ASSIGN(valid, PhotoSet::Load(options.valid, 1, trainer->device()));
  }
  std::fprintf(stderr, "%zu photos (%.0f megapixels, %zu files skipped), %.2f M parameters, %s\n",
               photos.size(), photos.megapixels(), photos.skipped(),
               static_cast<double>(trainer->ParameterCount()) / 1e6, trainer->device().str().c_str());
  TrainingRun run({options.steps, options.seconds, options.stop_after}, trainer->device());
  VQC_TRY(run.Resume(*trainer, options.state));
  AllowFastKernels();

  CsvLog log(options.log, kImageLogHead);
  while (run.GoesOn()) {
    const ImageMeasures m = trainer->Step(photos, run.Share());
    run.CountStep();
    if (run.step() % kImageLogEvery == 0) {
      char line[256];
      std::snprintf(line, sizeof line, "%ld,%.1f,%.4f,%.6f,%.3f,%.3f,%.4f,%.4f,%.0f",
                    static_cast<long>(run.step()), run.seconds(), run.Share(), m.distortion.item<double>(),
                    m.psnr.item<double>(), m.bits.item<double>(), m.norm.item<double>(), m.rate_weight,
                    static_cast<double>(kImageLogEvery * options.batch) / run.Lap());
      log.Write(line);
    }
  }
  VQC_TRY(run.Save(*trainer, options.state));
  if (valid) {
    at::globalContext().setBenchmarkCuDNN(false);
    const auto e = trainer->Evaluate(*valid);
    char line[160];
    std::snprintf(line, sizeof line,
                  "# held out: PSNR %.3f dB, %.3f bits per token (estimate), %.4f of the codebook used",
                  e.psnr, e.bits, e.usage);
    log.Write(line);
  }
  if (run.EndedEarly()) return {};
  return WriteModel(*trainer, options);
}

}  // namespace

Status TrainImage(const TrainImageOptions& options) {
  return Guard("training", [&] { return Train(options); });
}

}  // namespace vqc
