// SPDX-License-Identifier: Apache-2.0
#include "quantizers/fsq.h"
#include "quantizers/quantizer.h"
#include "quantizers/vq.h"

namespace vqc {

const std::vector<QuantizerRow>& Quantizers() {
  static const std::vector<QuantizerRow> rows = {
      {"fsq", "finite scalar quantization: tanh, rounded per dimension", &Fsq::Make},
      {"vq", "vector quantization: closest codeword of a learned codebook", &Vq::Make},
  };
  return rows;
}

Result<std::shared_ptr<Quantizer>> MakeQuantizer(const nlohmann::json& config) {
  const std::string type = config.is_object() ? config.value("type", "") : "";
  std::string known;
  for (const QuantizerRow& row : Quantizers()) {
    if (row.name == type) return row.make(config);
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  return Error{ErrorCode::kModel, "quantizer type \"" + type + "\" is not known; known are: " + known};
}

}  // namespace vqc
