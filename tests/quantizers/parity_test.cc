// SPDX-License-Identifier: Apache-2.0
// Quantizers beside those of vector-quantize-pytorch, with the same weights and latents: the same ids, values
// to 1e-5, gradients to 1e-4. tests/oracle/quantizers.py writes the golden file.
#include <torch/torch.h>

#include <fstream>

#include "tests/quantizers/quantizer_test_base.h"

namespace vqc {
namespace {

using Json = nlohmann::json;

Json Golden() {
  std::ifstream file(VQC_SOURCE_DIR "/tests/golden/quantizers.json");
  return Json::parse(file);
}

// {"shape": [...], "values": [...]}
torch::Tensor TensorOf(const Json& golden) {
  const auto shape = golden.at("shape").get<std::vector<int64_t>>();
  const auto values = golden.at("values").get<std::vector<double>>();
  return torch::tensor(at::ArrayRef<double>(values), torch::kFloat64).view(shape).to(torch::kFloat32);
}

void ExpectNear(const torch::Tensor& ours, const torch::Tensor& theirs, double tolerance,
                const std::string& what) {
  ASSERT_EQ(ours.sizes(), theirs.sizes()) << what;
  EXPECT_LE((ours - theirs).abs().max().item<double>(), tolerance) << what;
}

class Parity : public testing::TestWithParam<const char*> {};

TEST_P(Parity, IdsValuesAndGradientsAreTheSame) {
  const Json golden = Golden().at("cases").at(GetParam());
  const auto quantizer = MakeOrFail(golden.at("config"));
  ASSERT_TRUE(quantizer);
  auto parameters = quantizer->named_parameters();
  auto buffers = quantizer->named_buffers();
  {
    const torch::NoGradGuard no_grad;
    for (const auto& [name, values] : golden.at("tensors").items()) {
      auto* const tensor = parameters.contains(name) ? &parameters[name] : buffers.find(name);
      ASSERT_TRUE(tensor) << name;
      tensor->copy_(TensorOf(values));
    }
  }
  quantizer->train();
  const auto latents = TensorOf(golden.at("latents")).set_requires_grad(true);
  const auto out = quantizer->forward(latents);
  EXPECT_TRUE(torch::equal(out.codes.to(torch::kFloat32), TensorOf(golden.at("codes"))));
  ExpectNear(out.quantized, TensorOf(golden.at("quantized")), 1e-5, "quantized");

  const auto weighted = (out.quantized * TensorOf(golden.at("output_weights"))).sum();
  const auto of_output = torch::autograd::grad({weighted}, {latents}, {}, /*retain_graph=*/true);
  // Where the peer passes the decoder's gradient once for each level, it arrives that many times.
  const double times = golden.value("output_gradient_times", 1.0);
  ExpectNear(of_output[0] * times, TensorOf(golden.at("output_gradient")), 1e-4, "gradient of the output");

  if (golden.contains("loss")) {
    EXPECT_NEAR(golden.value("loss_times", 1.0) * out.loss.item<double>(), golden["loss"].get<double>(),
                1e-5);
  }
  std::vector<torch::Tensor> of = {latents};
  std::vector<std::string> names;
  for (const auto& [name, values] : golden.at("parameter_gradients").items()) {
    names.push_back(name);
    of.push_back(parameters[name]);
  }
  if (golden.contains("loss_gradient")) {
    const auto gradients = torch::autograd::grad({out.loss}, of);
    ExpectNear(gradients[0], TensorOf(golden["loss_gradient"]), 1e-4, "gradient of the loss");
    for (size_t i = 0; i < names.size(); ++i) {
      ExpectNear(gradients[i + 1], TensorOf(golden["parameter_gradients"][names[i]]), 1e-4, names[i]);
    }
  }
  if (golden.contains("updated")) {
    const TrainingStep step{.revive = false};
    quantizer->Update(quantizer->Observe(latents.detach(), out.codes, step), step);
    for (const auto& [name, values] : golden["updated"].items()) {
      const auto* const now = parameters.contains(name) ? &parameters[name] : buffers.find(name);
      ASSERT_TRUE(now) << name;
      ExpectNear(now->detach(), TensorOf(values), 1e-5, name + " after the update");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Parity,
                         testing::Values("vq", "vq_ema", "cosine", "residual", "fsq", "lfq", "simvq"),
                         [](const auto& test) { return std::string(test.param); });

TEST(ParityFile, HasNoOtherCases) { EXPECT_EQ(Golden().at("cases").size(), 7u); }

}  // namespace
}  // namespace vqc
