// SPDX-License-Identifier: Apache-2.0
// Training of an audio tokenizer from samples. No torch in this header.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace vqc {

struct TrainAudioOptions {
  std::string data;            // folder of .npy files of samples, see training/audio_set.h
  std::string valid;           // the same, held out; empty: none is looked at
  std::string output;          // bundle folder, written at the end
  std::string state;           // file of the resumable state; read when it is there
  std::string log;             // CSV file, appended; empty: none
  std::string name = "audio";  // of the model
  nlohmann::json config;       // {"network": ..., "quantizer": ...}
  nlohmann::json about;        // of the card: license, data, ...

  std::string device = "auto";
  int64_t batch = 32;
  double clip = 1;         // seconds
  double seconds = 600;    // the whole schedule, over all resumed runs
  double stop_after = 0;   // seconds of this run after which the state is saved and it ends; 0: no limit
  double write_every = 0;  // seconds, after which `output` gets the model as it is; 0: at the end only
  int64_t steps = 0;       // the schedule in steps instead of seconds; 0: seconds
  double learning_rate = 6e-4;
  double adversarial_from = 0.2;  // share of the schedule before discriminators judge; 1: they never do
  double complex_weight = 2;      // of the complex spectra in the loss
  double waveform_weight = 0;     // of the ratio of signal to distortion, in dB
  double opinion_weight = 0;      // of each point of opinion that disturbances of loudness take
  double speech_weight = 0;       // of what is not understood, from 0 to 1
  uint64_t seed = 1;
};

Status TrainAudio(const TrainAudioOptions& options);

}  // namespace vqc
