// SPDX-License-Identifier: Apache-2.0
#include "models/audio_config.h"

#include <string>

namespace vqc {
namespace {

using nlohmann::json;

// Reads whole numbers of an object and remembers the first thing that does not fit.
class Fields {
 public:
  Fields(const json& object, std::string name) : object_(object), name_(std::move(name)) {
    if (!object.is_object()) Fail(name_ + " is no JSON object");
  }
  void Read(const char* key, int low, int high, int& value) {
    ++known_;
    if (!object_.is_object() || !object_.contains(key)) {
      --known_;
      return;
    }
    const json& found = object_[key];
    if (!found.is_number_integer() || found < low || found > high) {
      Fail(name_ + "." + key + " is " + found.dump().substr(0, 40) + "; it must be a whole number from " +
           std::to_string(low) + " to " + std::to_string(high));
      return;
    }
    value = found.get<int>();
  }
  void Skip(const char* key) {
    if (object_.is_object() && object_.contains(key)) ++known_;
  }
  Status Finish() {
    if (problem_.empty() && object_.size() != known_) {
      Fail(name_ + " has a field that is not known; known are those of docs/audio.md");
    }
    return problem_.empty() ? Status() : Status(Error{ErrorCode::kModel, problem_});
  }

 private:
  void Fail(std::string text) {
    if (problem_.empty()) problem_ = std::move(text);
  }
  const json& object_;
  std::string name_, problem_;
  size_t known_ = 0;
};

Status ReadSide(const json& config, const char* key, int kernel, AudioNetworkConfig::Side& side) {
  if (!config.contains(key)) return {};
  Fields fields(config[key], std::string("network.") + key);
  fields.Read("width", 8, 2048, side.width);
  fields.Read("blocks", 1, 64, side.blocks);
  fields.Read("token_width", 0, 2048, side.token_width);
  fields.Read("token_blocks", 0, 64, side.token_blocks);
  fields.Read("expand", 1, 8, side.expand);
  fields.Read("ahead", 0, kernel - 1, side.ahead);
  return fields.Finish();
}

json SideJson(const AudioNetworkConfig::Side& side) {
  return {{"width", side.width},
          {"blocks", side.blocks},
          {"token_width", side.token_width},
          {"token_blocks", side.token_blocks},
          {"expand", side.expand},
          {"ahead", side.ahead}};
}

}  // namespace

int AudioNetworkConfig::ReceptiveField() const {
  return Window() + (kernel - 1) * (encoder.blocks * hop + encoder.token_blocks * Stride()) + Stride() - hop;
}

Result<AudioNetworkConfig> ParseAudioNetwork(const json& config) {
  AudioNetworkConfig network;
  Fields fields(config, "network");
  fields.Read("rate", 8000, 48000, network.rate);
  fields.Read("hop", 16, 2048, network.hop);
  fields.Read("fold", 1, 16, network.fold);
  fields.Read("kernel", 1, 31, network.kernel);
  fields.Read("phase_bins", 0, network.Bins(), network.phase_bins);
  fields.Skip("encoder");
  fields.Skip("decoder");
  VQC_TRY(fields.Finish());
  if (network.hop % 2 != 0) {
    return Error{ErrorCode::kModel, "network.hop is " + std::to_string(network.hop) + "; it must be even"};
  }
  VQC_TRY(ReadSide(config, "encoder", network.kernel, network.encoder));
  VQC_TRY(ReadSide(config, "decoder", network.kernel, network.decoder));
  return network;
}

json ToJson(const AudioNetworkConfig& config) {
  return {{"rate", config.rate},
          {"hop", config.hop},
          {"fold", config.fold},
          {"kernel", config.kernel},
          {"phase_bins", config.phase_bins},
          {"encoder", SideJson(config.encoder)},
          {"decoder", SideJson(config.decoder)}};
}

}  // namespace vqc
