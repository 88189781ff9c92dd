// SPDX-License-Identifier: Apache-2.0
// Where models are found: a folder given by path, or a name or key looked up in the model folders
// ($VQCODEC_MODELS, then the installed share/vqcodec/models, then models/pretrained of the source tree).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/card.h"

namespace vqc {

inline constexpr std::string_view kDefaultImageModel = "image-f16";
inline constexpr std::string_view kDefaultAudioModel = "speech-rvq";

struct ModelEntry {
  std::string folder;
  ModelCard card;
};

inline constexpr std::string_view kCardFile = "card.json";
inline constexpr std::string_view kWeightsFile = "model.safetensors";

// The folders that models are looked for in, the first one first; they need not exist.
std::vector<std::string> ModelFolders();

// Every readable card in the model folders, by name; of two with one name the first folder's. A card that
// cannot be read is reported in `bad`, one line each.
std::vector<ModelEntry> ListModels(std::vector<std::string>* bad = nullptr);
// Text with a slash in it is the path of a model's folder, any other a name. Errors (kModel) list the known
// names.
Result<ModelEntry> FindModel(const std::string& name_or_folder);
Result<ModelEntry> FindModel(const ModelKey& key);

}  // namespace vqc
