// SPDX-License-Identifier: Apache-2.0
#include "training/training_run.h"

#include <ATen/Context.h>
#include <torch/cuda.h>

#include <cstdio>

#include "base/file.h"

namespace vqc {
namespace {

constexpr int64_t kSynchronizeEvery = 16;  // steps
constexpr int64_t kChoosingSteps = 8;
constexpr int kTriedKernels = 4;  // of a layer; the first ones are the likeliest

}  // namespace

TrainingRun::TrainingRun(const TrainingSchedule& schedule, c10::Device device)
    : schedule_(schedule), cuda_(device.is_cuda()) {}

Status TrainingRun::ReadProgress(const std::map<std::string, std::string>& metadata,
                                 const std::string& path) {
  if (!metadata.contains("step") || !metadata.contains("seconds")) {
    return Error{ErrorCode::kModel,
                 path + ": is no training state (it has no \"step\"); remove it to start anew"};
  }
  step_ = std::stoll(metadata.at("step"));
  seconds_ = before_ = std::stod(metadata.at("seconds"));
  if (metadata.contains("choosing")) choosing_ = std::stod(metadata.at("choosing"));
  std::fprintf(stderr, "resumed at step %ld, %.1f s\n", static_cast<long>(step_), seconds_);
  watch_ = {};
  return {};
}

Status TrainingRun::Write(const TensorBag& bag, const std::string& path) const {
  VQC_ASSIGN(auto bytes, WriteSafeTensors(bag.Views(), {{"step", std::to_string(step_)},
                                                        {"seconds", std::to_string(seconds_)},
                                                        {"choosing", std::to_string(choosing_)}}));
  return WriteFileAtomically(path, bytes, {.force = true});
}

double TrainingRun::Share() const {
  if (schedule_.steps > 0) return static_cast<double>(step_) / static_cast<double>(schedule_.steps);
  const double length = schedule_.seconds - choosing_;
  return length > 0 ? (seconds_ - choosing_) / length : 1;
}

bool TrainingRun::EndedEarly() const {
  if (!stopped_ || Share() >= 1) return false;
  std::fprintf(stderr, "stopped at %.1f of %.1f s; run again with the same --state to go on\n", seconds_,
               schedule_.seconds);
  return true;
}

void TrainingRun::CountStep() {
  ++step_;
  // The clock must see the device.
  if (cuda_ && (step_ % kSynchronizeEvery == 0 || step_ <= kChoosingSteps)) torch::cuda::synchronize();
  const double here = watch_.Seconds();
  seconds_ = before_ + here;
  if (cuda_ && step_ <= kChoosingSteps) choosing_ = seconds_;
  stopped_ = schedule_.stop_after > 0 && here > schedule_.stop_after;
}

double TrainingRun::Lap() {
  const double now = watch_.Seconds(), lap = now - lap_;
  lap_ = now;
  return lap;
}

void AllowFastKernels() {
  at::globalContext().setBenchmarkCuDNN(true);
  at::globalContext().setBenchmarkLimitCuDNN(kTriedKernels);
  at::globalContext().setDeterministicCuDNN(false);
  at::globalContext().setAllowTF32CuDNN(true);
  at::globalContext().setAllowTF32CuBLAS(true);
}

}  // namespace vqc
