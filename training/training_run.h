// SPDX-License-Identifier: Apache-2.0
// TrainingRun: how far a training is, over all the runs that it is cut into, and the file between them.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"
#include "base/safetensors.h"
#include "base/stopwatch.h"
#include "models/weights.h"

namespace vqc {

inline constexpr int64_t kLogEvery = 100;  // steps between lines of a log

struct TrainingSchedule {
  int64_t steps = 0;      // of the whole training; 0: it is measured in seconds
  double seconds = 0;     // of the whole training
  double stop_after = 0;  // seconds of this run; 0: no limit
};

class TrainingRun {
 public:
  // The clock starts here, and anew with Resume.
  TrainingRun(const TrainingSchedule& schedule, c10::Device device);

  // Goes on from the file `path`, where one is named and there. The trainer loads its tensors, this the rest.
  template <class Trainer>
  Status Resume(Trainer& trainer, const std::string& path) {
    if (path.empty() || !std::filesystem::exists(path)) return {};
    VQC_ASSIGN(const SafeTensors state, SafeTensors::Open(path));
    VQC_TRY(trainer.Load(state));
    return ReadProgress(state.Metadata(), path);
  }
  template <class Trainer>
  Status Save(const Trainer& trainer, const std::string& path) const {  // nothing where no path is named
    if (path.empty()) return {};
    TensorBag bag;
    trainer.Save(bag);
    return Write(bag, path);
  }

  // Of the whole training, from 0 to 1 and beyond. Where its length is given in seconds, those of the first
  // steps, in which kernels are chosen, are of the training but not of its schedule: until then it is 0.
  double Share() const;
  bool GoesOn() const { return Share() < 1 && !stopped_; }
  // Whether stop_after ended it; then it says how to go on.
  bool EndedEarly() const;

  // Call after each step.
  void CountStep();
  int64_t step() const { return step_; }
  double seconds() const { return seconds_; }
  // Seconds since the last call, or since the start.
  double Lap();

 private:
  Status ReadProgress(const std::map<std::string, std::string>& metadata, const std::string& path);
  Status Write(const TensorBag& bag, const std::string& path) const;

  TrainingSchedule schedule_;
  bool cuda_, stopped_ = false;
  int64_t step_ = 0;
  double seconds_ = 0, before_ = 0;  // of all runs, of those before
  double choosing_ = 0;              // of them, those of the first steps
  Stopwatch watch_;
  double lap_ = 0;
};

// Kernels that are fast and need not give the same bits each time.
void AllowFastKernels();

}  // namespace vqc
