// SPDX-License-Identifier: Apache-2.0
// The entries of the torch part (libvqcodec_torch.so), which is loaded when a network is first needed, so
// that everything else starts without libtorch.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/card.h"
#include "models/write_bundle.h"
#include "tokenizers/network_options.h"
#include "tokenizers/token_filler.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

struct TrainImageOptions;  // training/train_image.h
struct TrainPriorOptions;
struct TrainDecoderOptions;    // training/train_decoder.h
struct TrainAudioOptions;      // training/train_audio.h
struct ActionNetworkOptions;   // training/train_action.h
struct ActionChunks;           // training/action_chunks.h
struct TrainQuantizerOptions;  // training/train_quantizer.h
struct TrainedQuantizer;
struct StepCost;
struct FeatureOptions;      // training/features.h
struct TrainLadderOptions;  // training/train_ladder.h
struct TrainFillerOptions;  // training/train_filler.h
class PictureJudge;         // eval/picture_judge.h

struct TrainedActionNetwork {
  nlohmann::json network;       // the config with its defaults filled in
  std::vector<uint32_t> vocab;  // of each level
  OwnedTensors tensors;
};

struct TorchPart {
  // A tokenizer of the card's type with the weights of `tensors`. Error kModel names the tensor that is
  // missing, misshapen or not finite; kResource a device that is not there.
  Result<std::shared_ptr<const Tokenizer>> (*load_tokenizer)(const ModelCard& card,
                                                             const SafeTensors& tensors,
                                                             const NetworkOptions& options);
  Status (*train_image)(const TrainImageOptions& options);
  Status (*train_decoder)(const TrainDecoderOptions& options);
  Status (*train_prior)(const TrainPriorOptions& options);
  Status (*train_audio)(const TrainAudioOptions& options);
  Result<TrainedActionNetwork> (*train_action)(const ActionNetworkOptions& options,
                                               const ActionChunks& chunks);
  std::vector<std::string> (*quantizers)();  // "name  summary" lines for `vqcodec list`
  std::string (*version)();                  // libtorch's
  Result<TrainedQuantizer> (*train_quantizer)(const TrainQuantizerOptions& options);
  Result<StepCost> (*measure_step_cost)(const TrainQuantizerOptions& options, int64_t rounds);
  Result<int64_t> (*write_features)(const FeatureOptions& options);  // rows that were written
  Status (*train_ladder)(const TrainLadderOptions& options);
  // Judges whose weights are in the file that scripts/classifier_weights.py or scripts/lpips_weights.py
  // wrote. kModel where it is another one or, of a classifier, only its trunk.
  Result<std::shared_ptr<const PictureJudge>> (*load_classifier)(const std::string& path);
  Result<std::shared_ptr<const PictureJudge>> (*load_lpips)(const std::string& path);
  // The filler of the card's model, whose weights are `model`. Error kModel says what does not fit.
  Result<std::shared_ptr<const TokenFiller>> (*load_filler)(const ModelCard& card, const SafeTensors& model,
                                                            const SafeTensors& filler,
                                                            const std::string& device, int threads);
  Status (*train_filler)(const TrainFillerOptions& options);
};

// Loads the part once. Error kResource says where it was looked for and how to build it.
Result<const TorchPart*> LoadTorchPart();

// The symbol that libvqcodec_torch.so exports.
extern "C" const TorchPart* vqc_torch_part();

}  // namespace vqc
