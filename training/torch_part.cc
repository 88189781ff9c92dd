// SPDX-License-Identifier: Apache-2.0
// What libvqcodec_torch.so offers to the rest of the program.
#include "tokenizers/torch_part.h"

#include <torch/version.h>

#include "quantizers/quantizer.h"
#include "tokenizers/image/image_filler.h"
#include "tokenizers/tokenizers.h"
#include "training/action_trainer.h"
#include "training/classifier_judge.h"
#include "training/features.h"
#include "training/lpips.h"
#include "training/train_audio.h"
#include "training/train_decoder.h"
#include "training/train_filler.h"
#include "training/train_image.h"
#include "training/train_ladder.h"
#include "training/train_quantizer.h"

namespace vqc {
namespace {

std::vector<std::string> QuantizerLines() {
  std::vector<std::string> lines;
  for (const QuantizerRow& row : Quantizers())
    lines.push_back(std::string(row.name) + "  " + std::string(row.summary));
  return lines;
}

std::string Version() { return TORCH_VERSION; }

constexpr TorchPart kPart = {&MakeTokenizer,  &TrainImage,         &TrainDecoder,    &TrainPrior,
                             &TrainAudio,     &TrainActionNetwork, &QuantizerLines,  &Version,
                             &TrainQuantizer, &MeasureStepCost,    &WriteFeatures,   &TrainLadder,
                             &LoadClassifier, &LoadLpips,          &MakeImageFiller, &TrainFiller};

}  // namespace

extern "C" const TorchPart* vqc_torch_part() { return &kPart; }

}  // namespace vqc
