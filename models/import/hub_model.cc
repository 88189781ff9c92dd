// SPDX-License-Identifier: Apache-2.0
#include "models/import/hub_model.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/folder.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/sha256.h"
#include "base/trailing_commas.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxJsonBytes = 16u << 20;
constexpr std::string_view kPickles[] = {".pt",  ".pth", ".th",   ".bin", ".ckpt",
                                         ".dac", ".pkl", ".nemo", ".jit"};
constexpr std::string_view kUsual[] = {"model.safetensors", "diffusion_pytorch_model.safetensors"};
constexpr std::string_view kIndex = ".safetensors.index.json", kWeights = ".safetensors";

std::string NameOf(const std::string& path) { return fs::path(path).filename().string(); }

bool IsPickle(const std::string& path) {
  const std::string extension = fs::path(path).extension().string();
  return std::find(std::begin(kPickles), std::end(kPickles), extension) != std::end(kPickles);
}

Error RefusePickle(const std::string& path) {
  const bool script = path.ends_with(".jit");
  return Error{ErrorCode::kModel,
               Printable(path) +
                   (script ? ": TorchScript is not read, because it is a program; "
                           : ": a pickle is not read, because reading one runs whatever code is in it; ") +
                   "convert it once: `pip install torch safetensors`, then `python3 -c 'import sys, torch, "
                   "safetensors.torch as s; d = " +
                   (script ? "torch.jit.load(sys.argv[1], \"cpu\").state_dict()"
                           : "torch.load(sys.argv[1], \"cpu\", weights_only=True); d = d.get(\"state_dict\", "
                             "d.get(\"model\", d))") +
                   "; s.save_file({k: v.clone().contiguous() for k, v in d.items() if torch.is_tensor(v)}, "
                   "sys.argv[2])' " +
                   Printable(NameOf(path)) + " model.safetensors`"};
}

Result<std::string> ReadText(const std::string& path) {
  VQC_ASSIGN(const auto bytes, ReadFile(path, kMaxJsonBytes));
  return std::string(bytes.begin(), bytes.end());
}

Result<nlohmann::json> Parse(const std::string& text, const std::string& path, size_t max_depth) {
  auto json = ParseJsonObject(text, {.max_depth = max_depth, .max_values = 1u << 20, .max_key_bytes = 1024});
  if (!json.ok()) return Error{ErrorCode::kModel, Printable(path) + ": " + json.error().message};
  return json;
}

// A language model of speech has the file of its tokenizer beside its own weights, as kyutai's have: that is
// the one that is meant. `named` is what config.json calls it; empty where there is none.
std::string TokenizerAmong(const std::vector<std::string>& files, const std::string& named) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const std::string& name) {
    return named.empty() ? name.starts_with("tokenizer-") : name == named;
  });
  return found == files.end() ? "" : *found;
}

// The one file that holds the weights, or the index of several; an error says why there is none.
Result<std::string> FindWeights(const std::string& folder, const std::string& tokenizer) {
  std::vector<std::string> indexes, files;
  std::string pickle;
  VQC_ASSIGN(const auto names, NamesInFolder(folder));
  for (const std::string& name : names) {
    if (name.ends_with(kIndex)) indexes.push_back(name);
    if (name.ends_with(kWeights)) files.push_back(name);
    if (IsPickle(name) && pickle.empty()) pickle = name;
  }
  if (const std::string name = TokenizerAmong(files, tokenizer); !name.empty()) return folder + "/" + name;
  for (const std::string_view usual : kUsual) {
    if (std::find(files.begin(), files.end(), usual) != files.end()) return folder + "/" + std::string(usual);
  }
  if (indexes.size() == 1) return folder + "/" + indexes.front();
  if (indexes.empty() && files.size() == 1) return folder + "/" + files.front();
  if (files.empty() && !pickle.empty()) return RefusePickle(folder + "/" + pickle);
  std::string found;
  for (const std::string& name : indexes.empty() ? files : indexes) found += " " + Printable(name, 64);
  return Error{ErrorCode::kModel,
               Printable(folder) + (found.empty() ? ": holds no .safetensors file"
                                                  : ": holds several files of weights:" + found +
                                                        "; name the one that is meant")};
}

}  // namespace

Result<HubModel> HubModel::Open(const std::string& path, const Limits& limits) {
  HubModel model;
  model.path_ = path;
  std::error_code error;
  std::string folder = path, weights = path;
  const bool is_folder = fs::is_directory(path, error);
  if (!is_folder) {
    if (!fs::exists(path, error))
      return Error{ErrorCode::kModel, Printable(path) + ": there is no such file or folder"};
    if (IsPickle(path)) return RefusePickle(path);
    folder = fs::path(path).parent_path().string();
    if (folder.empty()) folder = ".";
  }
  if (const std::string config = folder + "/config.json"; fs::exists(config, error))
    VQC_TRY(model.ReadConfig(config));
  if (is_folder) {
    VQC_ASSIGN(weights, FindWeights(folder, model.Field("mimi_name")));
  }
  VQC_TRY(weights.ends_with(kIndex) ? model.ReadParts(weights, limits) : model.ReadWeights(weights, limits));
  return model;
}

std::string HubModel::Field(const char* field) const {
  const auto found = config_.find(field);
  return found != config_.end() && found->is_string() ? found->get<std::string>() : "";
}

Status HubModel::ReadConfig(const std::string& file) {
  VQC_ASSIGN(const std::string text, ReadText(file));
  VQC_ASSIGN(config_, Parse(WithoutTrailingCommas(text), file, 8));
  return {};
}

Status HubModel::ReadWeights(const std::string& file, const Limits& limits) {
  auto read = ReadFile(file, limits.max_model_bytes, "max_model_bytes");
  if (!read.ok()) {
    Error error = std::move(read).error();
    if (error.code == ErrorCode::kInput) error.code = ErrorCode::kModel;
    return error;
  }
  std::vector<uint8_t> bytes = *std::move(read);
  sources_.push_back({{"name", Printable(NameOf(file))}, {"sha256", HexOf(Sha256Of(bytes))}});
  VQC_ASSIGN(auto tensors, SafeTensors::Parse(std::move(bytes), file, limits));
  files_.push_back(std::move(tensors));
  for (const auto& [name, view] : files_.back().Tensors()) {
    if (!tensors_.emplace(name, view).second) {
      return Error{ErrorCode::kModel, Printable(file) + ": tensor " + Printable(name) +
                                          " is in another part of the checkpoint too; get it anew"};
    }
  }
  return {};
}

Status HubModel::ReadParts(const std::string& index, const Limits& limits) {
  VQC_ASSIGN(const std::string text, ReadText(index));
  VQC_ASSIGN(const auto json, Parse(text, index, 3));
  const auto map = json.find("weight_map");
  if (map == json.end() || !map->is_object())
    return Error{ErrorCode::kModel, Printable(index) + ": has no object weight_map; get it anew"};
  std::set<std::string> parts;
  for (const auto& [tensor, part] : map->items()) {
    const std::string name = part.is_string() ? part.get<std::string>() : "";
    if (name.empty() || name.find('/') != std::string::npos || !name.ends_with(kWeights)) {
      return Error{ErrorCode::kModel, Printable(index) + ": tensor " + Printable(tensor) +
                                          " is said to be in " + Printable(part.dump(), 64) +
                                          "; parts are .safetensors files beside the index"};
    }
    parts.insert(name);
  }
  for (const std::string& part : parts)
    VQC_TRY(ReadWeights(fs::path(index).parent_path().string() + "/" + part, limits));
  for (const auto& [tensor, part] : map->items()) {
    if (!Has(tensor)) {
      return Error{ErrorCode::kModel, Printable(index) + ": tensor " + Printable(tensor) + " is not in " +
                                          Printable(part.get<std::string>()) + "; get the checkpoint anew"};
    }
  }
  return {};
}

}  // namespace vqc
