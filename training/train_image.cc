// SPDX-License-Identifier: Apache-2.0
#include "training/train_image.h"

#include <torch/cuda.h>
#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "base/guard.h"
#include "entropy/priors.h"
#include "models/card.h"
#include "models/device.h"
#include "training/bundle_writer.h"
#include "training/image_trainer.h"

namespace vqc {
namespace {

constexpr int64_t kLogEvery = 200;  // steps
constexpr char kLogHead[] =
    "step,seconds,progress,distortion,psnr,bits_per_token,gradient_norm,rate_weight,images_per_second\n";

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// What is kept between runs beside the optimizer.
struct Progress {
  int64_t step = 0;
  double seconds = 0;
};

Status SaveState(const ImageTrainer& trainer, const Progress& progress, const std::string& path) {
  TensorBag bag;
  trainer.Save(bag);
  VQC_ASSIGN(auto bytes, WriteSafeTensors(bag.Views(), {{"step", std::to_string(progress.step)},
                                                        {"seconds", std::to_string(progress.seconds)}}));
  return WriteFileAtomically(path, bytes, {.force = true});
}

Result<Progress> LoadState(ImageTrainer& trainer, const std::string& path) {
  VQC_ASSIGN(const SafeTensors state, SafeTensors::Open(path));
  VQC_TRY(trainer.Load(state));
  const auto& metadata = state.Metadata();
  if (!metadata.contains("step") || !metadata.contains("seconds")) {
    return Error{ErrorCode::kModel,
                 path + ": is no training state (it has no \"step\"); remove it to start anew"};
  }
  return Progress{std::stoll(metadata.at("step")), std::stod(metadata.at("seconds"))};
}

class Log {
 public:
  explicit Log(const std::string& path) {
    if (path.empty()) return;
    const bool fresh = !std::filesystem::exists(path);
    file_ = std::fopen(path.c_str(), "a");
    if (file_ && fresh) std::fputs(kLogHead, file_);
  }
  ~Log() {
    if (file_) std::fclose(file_);
  }
  void Write(const std::string& line) {
    std::fprintf(stderr, "%s\n", line.c_str());
    if (file_) std::fprintf(file_, "%s\n", line.c_str()), std::fflush(file_);
  }

 private:
  std::FILE* file_ = nullptr;
};

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
  Progress done;
  if (!options.state.empty() && std::filesystem::exists(options.state)) {
    VQC_ASSIGN(done, LoadState(*trainer, options.state));
    std::fprintf(stderr, "resumed at step %ld, %.1f s\n", static_cast<long>(done.step), done.seconds);
  }
  const bool cuda = trainer->device().is_cuda();
  at::globalContext().setBenchmarkCuDNN(true);
  at::globalContext().setDeterministicCuDNN(false);
  at::globalContext().setAllowTF32CuDNN(true);
  at::globalContext().setAllowTF32CuBLAS(true);

  Log log(options.log);
  const double start = Now(), before = done.seconds;
  double window = start;
  const auto share = [&] {
    return options.steps > 0 ? static_cast<double>(done.step) / static_cast<double>(options.steps)
                             : done.seconds / options.seconds;
  };
  bool stopped = false;
  while (share() < 1 && !stopped) {
    const ImageMeasures m = trainer->Step(photos, share());
    ++done.step;
    if (done.step % 16 == 0 && cuda) torch::cuda::synchronize();  // the clock must see the device
    done.seconds = before + Now() - start;
    stopped = options.stop_after > 0 && Now() - start > options.stop_after;
    if (done.step % kLogEvery == 0) {
      char line[256];
      std::snprintf(line, sizeof line, "%ld,%.1f,%.4f,%.6f,%.3f,%.3f,%.4f,%.4f,%.0f",
                    static_cast<long>(done.step), done.seconds, share(), m.distortion.item<double>(),
                    m.psnr.item<double>(), m.bits.item<double>(), m.norm.item<double>(), m.rate_weight,
                    static_cast<double>(kLogEvery * options.batch) / (Now() - window));
      window = Now();
      log.Write(line);
    }
  }
  if (!options.state.empty()) VQC_TRY(SaveState(*trainer, done, options.state));
  if (valid) {
    at::globalContext().setBenchmarkCuDNN(false);
    const auto e = trainer->Evaluate(*valid);
    char line[160];
    std::snprintf(line, sizeof line,
                  "# held out: PSNR %.3f dB, %.3f bits per token (estimate), %.4f of the codebook used",
                  e.psnr, e.bits, e.usage);
    log.Write(line);
  }
  if (stopped && share() < 1) {
    std::fprintf(stderr, "stopped at %.1f of %.1f s; run again with the same --state to go on\n",
                 done.seconds, options.seconds);
    return {};
  }
  return WriteTrainedBundle(*trainer, options);
}

}  // namespace

Status TrainImage(const TrainImageOptions& options) {
  return Guard("training", [&] { return Train(options); });
}

}  // namespace vqc
