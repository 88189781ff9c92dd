// SPDX-License-Identifier: Apache-2.0
// A checkpoint as other programs publish it: a folder with config.json and safetensors, whole or in parts.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/safetensors.h"

namespace vqc {

class HubModel {
 public:
  // `path` is the folder, or its safetensors file; config.json may be missing, then Config() is empty. Of the
  // folder of a language model of speech the file of its tokenizer is read (config.json: "mimi_name"). Errors
  // (kModel, kLimit) name the file. Pickles are refused, since reading one runs code; the message says how to
  // convert it.
  static Result<HubModel> Open(const std::string& path, const Limits& limits = {});

  const std::string& path() const { return path_; }
  const nlohmann::json& config() const { return config_; }  // an object
  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  bool Has(const std::string& tensor) const { return tensors_.contains(tensor); }
  // The config's string `field`; empty where it has none.
  std::string Field(const char* field) const;
  // {"name": ..., "sha256": ...} of each file that was read, for the card.
  const nlohmann::json& sources() const { return sources_; }

 private:
  Status ReadConfig(const std::string& file);
  Status ReadWeights(const std::string& file, const Limits& limits);
  Status ReadParts(const std::string& index, const Limits& limits);

  std::string path_;
  nlohmann::json config_ = nlohmann::json::object(), sources_ = nlohmann::json::array();
  std::vector<SafeTensors> files_;  // that the views point into
  std::map<std::string, TensorView> tensors_;
};

}  // namespace vqc
