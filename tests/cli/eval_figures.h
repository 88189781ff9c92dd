// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

namespace vqc {

// What `eval --json` printed, without what depends on the clock.
inline nlohmann::json WithoutTimes(nlohmann::json all) {
  all.erase("seconds");
  const auto clean = [](nlohmann::json& object) {
    for (const char* key :
         {"seconds_encode", "seconds_encode_network", "seconds_decode", "seconds_decode_network",
          "seconds_metrics", "peak_memory_encode", "peak_memory_decode"}) {
      object.erase(key);
    }
  };
  for (auto& record : all["results"]) clean(record);
  for (auto& model : all["models"]) clean(model["mean"]);
  if (all.contains("mean")) clean(all["mean"]);
  return all;
}

}  // namespace vqc
