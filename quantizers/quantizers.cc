// SPDX-License-Identifier: Apache-2.0
#include "base/guard.h"
#include "quantizers/fsq.h"
#include "quantizers/ibq.h"
#include "quantizers/product.h"
#include "quantizers/projected.h"
#include "quantizers/quantizer.h"
#include "quantizers/residual.h"
#include "quantizers/sign_quantizer.h"
#include "quantizers/simvq.h"
#include "quantizers/vq.h"
#include "quantizers/vqbridge.h"
#include "quantizers/vqgan_lc.h"

namespace vqc {

const std::vector<QuantizerRow>& Quantizers() {
  static const std::vector<QuantizerRow> rows = {
      {"fsq", "finite scalar quantization: tanh, rounded per dimension", &Fsq::Make},
      {"lfq", "lookup-free quantization: the sign of each dimension", &SignQuantizer::MakeLfq},
      {"bsq", "binary spherical quantization: signs on the unit sphere", &SignQuantizer::MakeBsq},
      {"vq", "vector quantization: closest codeword of a learned codebook", &Vq::Make},
      {"cosine", "vector quantization on the unit sphere", &Vq::MakeCosine},
      {"simvq", "a frozen random codebook behind a learned linear layer", &SimVq::Make},
      {"vqgan_lc", "a frozen codebook of features behind a learned projector", &VqganLc::Make},
      {"vqbridge", "a codebook that a small transformer makes of a learned one", &VqBridge::Make},
      {"ibq", "index backpropagation: every codeword learns from every token", &Ibq::Make},
      {"residual", "levels that each quantize what the last one left", &Residual::Make},
      {"product", "slices of dimensions with a quantizer each", &Product::Make},
      {"parallel", "the mean of quantizers that see the same latents", &Parallel::Make},
      {"projected", "a quantizer between two learned linear layers", &Projected::Make},
  };
  return rows;
}

Result<std::shared_ptr<Quantizer>> MakeQuantizer(const nlohmann::json& config) {
  const auto found = config.is_object() ? config.find("type") : config.end();
  const std::string type = found != config.end() && found->is_string() ? found->get<std::string>() : "";
  std::string known;
  for (const QuantizerRow& row : Quantizers()) {
    if (row.name == type)
      return Guard(
          type, [&] { return row.make(config); }, ErrorCode::kModel);
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  return Error{ErrorCode::kModel,
               "quantizer type \"" + type.substr(0, 60) + "\" is not known; known are: " + known};
}

}  // namespace vqc
