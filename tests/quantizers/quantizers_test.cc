// SPDX-License-Identifier: Apache-2.0
// The contract, which every quantizer of the table keeps.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <set>

#include "quantizers/code_counter.h"
#include "quantizers/quantizer.h"
#include "tests/quantizers/quantizer_test_base.h"

namespace vqc {
namespace {

constexpr const char* kConfigs[] = {
    R"({"type":"fsq","levels":[8,8,8,5,5,5]})",
    R"({"type":"fsq","levels":[3]})",
    R"({"type":"fsq","levels":[8,5,5],"noise":0.5})",
    R"({"type":"lfq","bits":9})",
    R"({"type":"lfq","bits":24,"tokens":2,"temperature":1})",
    R"({"type":"bsq","bits":12})",
    R"({"type":"bsq","bits":36,"tokens":3,"group":9,"commitment":0.25})",
    R"({"type":"vq","entries":37,"dim":4})",
    R"({"type":"vq","entries":37,"dim":4,"update":"ema","decay":0.2,"estimator":"rotation"})",
    R"({"type":"vq","entries":16,"dim":4,"uniform":0.05})",
    R"({"type":"cosine","entries":37,"dim":4})",
    R"({"type":"cosine","entries":37,"dim":4,"update":"ema","decay":0.2})",
    R"({"type":"simvq","entries":37,"dim":4})",
    R"({"type":"vqgan_lc","entries":37,"dim":4,"features":6})",
    R"({"type":"vqbridge","entries":36,"dim":4,"patch":2,"hidden":16})",
    R"({"type":"ibq","entries":37,"dim":4})",
    R"({"type":"residual","levels":3,"quantizer":{"type":"vq","entries":16,"dim":4,"update":"ema"}})",
    R"({"type":"residual","levels":3,"shared":true,"quantizer":{"type":"vq","entries":16,"dim":4,"update":"ema"}})",
    R"({"type":"residual","levels":3,"quantizer":{"type":"projected","dim":6,"quantizer":{"type":"cosine","entries":16,"dim":3}}})",
    R"({"type":"product","groups":2,"dim":8,"quantizer":{"type":"vq","entries":16,"dim":4,"update":"ema"}})",
    R"({"type":"product","groups":2,"quantizer":{"type":"fsq","levels":[5,5]}})",
    R"({"type":"parallel","heads":3,"quantizer":{"type":"projected","dim":6,"quantizer":{"type":"vq","entries":16,"dim":3}}})",
    R"({"type":"projected","dim":12,"quantizer":{"type":"cosine","entries":16,"dim":3,"update":"ema"}})",
};

std::vector<torch::Tensor> StateOf(const Quantizer& quantizer) {
  std::vector<torch::Tensor> state;
  for (const auto& tensor : quantizer.parameters()) state.push_back(tensor.detach().clone());
  for (const auto& tensor : quantizer.buffers()) state.push_back(tensor.detach().clone());
  return state;
}

bool Equal(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](auto& x, auto& y) { return torch::equal(x, y); });
}

class Contract : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    config_ = nlohmann::json::parse(GetParam());
    torch::manual_seed(3);
    quantizer_ = MakeOrFail(config_);
    ASSERT_TRUE(quantizer_);
    dim_ = quantizer_->Dim();
    levels_ = static_cast<int64_t>(quantizer_->Vocab().size());
    latents_ = (torch::randn({4, dim_, 5, 7}) * 2).requires_grad_();
  }

  nlohmann::json config_;
  std::shared_ptr<Quantizer> quantizer_;
  int64_t dim_ = 0, levels_ = 0;
  torch::Tensor latents_;
};

TEST_P(Contract, TrainingGivesShapesAndGradients) {
  const auto before = StateOf(*quantizer_);
  const auto out = quantizer_->forward(latents_);
  EXPECT_EQ(out.quantized.sizes(), latents_.sizes());
  EXPECT_EQ(out.codes.sizes(), torch::IntArrayRef({4, levels_, 5, 7}));
  EXPECT_EQ(out.codes.scalar_type(), torch::kInt64);
  EXPECT_EQ(out.loss.dim(), 0);
  EXPECT_TRUE(std::isfinite(out.loss.item<float>()));
  (out.quantized * torch::randn_like(out.quantized)).sum().backward({}, /*retain_graph=*/true);
  EXPECT_GT(latents_.grad().abs().sum().item<float>(), 0) << "no gradient reaches the latents";
  if (out.loss.requires_grad()) out.loss.backward();
  for (const auto& parameter : quantizer_->named_parameters()) {
    if (!parameter.value().requires_grad()) continue;
    ASSERT_TRUE(parameter.value().grad().defined()) << "no gradient reaches " << parameter.key();
    EXPECT_TRUE(torch::isfinite(parameter.value().grad()).all().item<bool>()) << parameter.key();
  }
  EXPECT_TRUE(Equal(before, StateOf(*quantizer_))) << "forward changed the quantizer";
}

TEST_P(Contract, EvaluationDecodesWhatItEncodes) {
  quantizer_->eval();
  const torch::NoGradGuard no_grad;
  const auto codes = quantizer_->Encode(latents_);
  EXPECT_EQ(codes.sizes(), torch::IntArrayRef({4, levels_, 5, 7}));
  for (int64_t level = 0; level < levels_; ++level) {
    EXPECT_GE(codes.select(1, level).min().item<int64_t>(), 0);
    EXPECT_LT(codes.select(1, level).max().item<int64_t>(), quantizer_->Vocab()[static_cast<size_t>(level)]);
  }
  const auto out = quantizer_->forward(latents_);
  EXPECT_TRUE(torch::equal(out.codes, codes));
  EXPECT_TRUE(torch::equal(out.quantized, quantizer_->Decode(codes)));
  EXPECT_EQ(out.loss.item<float>(), 0);
  EXPECT_TRUE(torch::equal(quantizer_->Encode(latents_.slice(0, 1, 2)), codes.slice(0, 1, 2)))
      << "ids depend on the batch";
  EXPECT_EQ(quantizer_->Encode(torch::zeros({2, dim_})).sizes(), torch::IntArrayRef({2, levels_}));
  EXPECT_EQ(quantizer_->Encode(torch::zeros({0, dim_, 3})).sizes(), torch::IntArrayRef({0, levels_, 3}));
}

TEST_P(Contract, ParametersAreAllThatAModelStores) {
  quantizer_->Update(quantizer_->Observe(latents_, quantizer_->forward(latents_).codes, {}), {});
  torch::manual_seed(99);
  const auto other = MakeOrFail(config_);
  const torch::NoGradGuard no_grad;
  auto parameters = other->named_parameters();
  for (const auto& parameter : quantizer_->named_parameters()) {
    auto* into = parameters.find(parameter.key());
    ASSERT_TRUE(into) << parameter.key();
    into->copy_(parameter.value());
  }
  quantizer_->eval();
  other->eval();
  const auto codes = quantizer_->Encode(latents_);
  EXPECT_TRUE(torch::equal(other->Encode(latents_), codes));
  EXPECT_TRUE(torch::equal(other->Decode(codes), quantizer_->Decode(codes)));
}

// Four processes that merge what they saw do what one with four times the batch does.
TEST_P(Contract, UpdatesDoNotDependOnTheNumberOfProcesses) {
  torch::manual_seed(3);
  const auto other = MakeOrFail(config_);
  for (int64_t i = 0; i < 3; ++i) {
    const auto latents = torch::randn({4, dim_, 5, 7});
    const TrainingStep step{.seed = 5, .step = i};
    const auto codes = quantizer_->Encode(latents);
    const auto seen = quantizer_->Observe(latents, codes, step);
    ASSERT_EQ(seen.size(), quantizer_->Observed());
    quantizer_->Update(seen, step);

    std::vector<std::vector<CodebookSums>> of_processes(seen.size());
    for (int64_t process = 0; process < 4; ++process) {
      TrainingStep own = step;
      own.first_token = process * 35;
      const auto part =
          other->Observe(latents.slice(0, process, process + 1), codes.slice(0, process, process + 1), own);
      for (size_t j = 0; j < part.size(); ++j) of_processes[j].push_back(part[j]);
    }
    std::vector<CodebookSums> merged;
    for (const auto& parts : of_processes) merged.push_back(Merge(parts));
    other->Update(merged, step);
    const auto a = StateOf(*quantizer_), b = StateOf(*other);
    for (size_t j = 0; j < a.size(); ++j)
      EXPECT_TRUE(torch::allclose(a[j], b[j], 1e-4, 1e-5)) << "step " << i;
  }
}

TEST_P(Contract, CanBeInitialized) {
  const auto status = quantizer_->Initialize(latents_, 1);
  EXPECT_TRUE(status.ok()) << status.error().message;
  for (const auto& tensor : StateOf(*quantizer_)) EXPECT_TRUE(torch::isfinite(tensor).all().item<bool>());
}

TEST_P(Contract, StatisticsComeWithIt) {
  quantizer_->eval();
  CodeCounter counter(quantizer_->Vocab());
  counter.Add(quantizer_->Encode(latents_));
  const auto statistics = counter.Statistics();
  ASSERT_EQ(statistics.size(), quantizer_->Vocab().size());
  for (const auto& level : statistics) {
    EXPECT_EQ(level.tokens, 140u);
    EXPECT_GE(level.used, 1u);
    EXPECT_GE(level.perplexity, 1);
    EXPECT_LE(level.perplexity, static_cast<double>(level.used) + 1e-6);
  }
  for (const auto& norms : CodebookNorms(*quantizer_)) EXPECT_GT(norms.greatest, 0);
}

TEST_P(Contract, RefusesWhatDoesNotFit) {
  const auto says = [](const auto& call, const char* part) {
    try {
      call();
    } catch (const c10::Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      return;
    }
    ADD_FAILURE() << "nothing was thrown where \"" << part << "\" was expected";
  };
  Quantizer& q = *quantizer_;
  says([&] { q.forward(torch::zeros({2, dim_ + 1, 3})); }, "they must be [B, ");
  says([&] { q.Encode(torch::zeros({dim_})); }, "they must be [B, ");
  says([&] { q.Encode(torch::Tensor()); }, "they must be [B, ");
  says([&] { q.Encode(torch::zeros({2, dim_, 3}, torch::kFloat64)); }, "they must be of float32");
  says([&] { q.Decode(torch::zeros({2, levels_ + 1, 3}, torch::kInt64)); }, "they must be [B, ");
  says([&] { q.Decode(torch::zeros({2, levels_, 3})); }, "they must be of int64");
  says([&] { q.Decode(torch::full({2, levels_, 3}, -1, torch::kInt64)); }, "they must be from 0 to ");
  says([&] { q.Decode(torch::full({2, levels_, 3}, 1 << 21, torch::kInt64)); }, "they must be from 0 to ");

  auto config = config_;
  config["colour"] = "blue";
  const auto made = MakeQuantizer(config);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kModel);
  EXPECT_NE(made.error().message.find("\"colour\""), std::string::npos) << made.error().message;
}

INSTANTIATE_TEST_SUITE_P(Quantizers, Contract, testing::ValuesIn(kConfigs), [](const auto& of) {
  return nlohmann::json::parse(of.param).at("type").template get<std::string>() + std::to_string(of.index);
});

TEST(Quantizers, EachIsTestedForTheContract) {
  std::set<std::string> tested;
  for (const char* config : kConfigs)
    tested.insert(nlohmann::json::parse(config).at("type").get<std::string>());
  for (const QuantizerRow& row : Quantizers())
    EXPECT_TRUE(tested.contains(std::string(row.name))) << row.name;
}

TEST(Quantizers, BadConfigsAreNamed) {
  const struct {
    const char *config, *message;
  } cases[] = {
      {R"([])", "quantizer type \"\" is not known; known are: fsq, "},
      {R"({"type":3})", "quantizer type \"\" is not known"},
      {R"({"type":"none"})", "quantizer type \"none\" is not known"},
      {R"({"type":"fsq"})", "fsq: \"levels\" must be a list of 1 to 16 level counts"},
      {R"({"type":"fsq","levels":[]})", "fsq: \"levels\" must be"},
      {R"({"type":"fsq","levels":"8"})", "fsq: \"levels\" must be"},
      {R"({"type":"fsq","levels":[2]})", "fsq: a level count is 2; it must be a whole number from 3 to 64"},
      {R"({"type":"fsq","levels":[8,-1]})", "a level count is -1"},
      {R"({"type":"fsq","levels":[64,64,64,64]})",
       "fsq: the product of the levels [64,64,64,64] is above 1048576"},
      {R"({"type":"fsq","levels":[8],"noise":2})", "fsq: \"noise\" is 2; it must be a number from 0 to 1"},
      {R"({"type":"vq","dim":4})", "vq: \"entries\" is missing; it must be a whole number from 2 to 1048576"},
      {R"({"type":"vq","entries":0,"dim":4})", "vq: \"entries\" is 0"},
      {R"({"type":"vq","entries":18446744073709551615,"dim":4})", "vq: \"entries\" is 18446744073709551615"},
      {R"({"type":"vq","entries":1048576,"dim":1024})", "vq: \"entries\" times \"dim\" is 1073741824"},
      {R"({"type":"vq","entries":4,"dim":4,"update":"magic"})",
       "\"update\" is \"magic\"; it must be one of \"gradient\", \"ema\""},
      {R"({"type":"vq","entries":4,"dim":4,"decay":0.9})", "vq: \"decay\" is not one of its fields"},
      {R"({"type":"vq","entries":4,"dim":4,"update":"ema","decay":"x"})",
       "vq: \"decay\" is \"x\"; it must be a number from 0 to 1"},
      {R"({"type":"lfq","bits":21})",
       "lfq: \"bits\" is 21 in 1 tokens; \"tokens\" must divide it into at most 20"},
      {R"({"type":"bsq","bits":36,"tokens":5})", "bsq: \"bits\" is 36 in 5 tokens"},
      {R"({"type":"vqgan_lc","entries":1048576,"dim":4,"features":4096})",
       "vqgan_lc: \"entries\" times \"features\""},
      {R"({"type":"vqbridge","entries":1000,"dim":4})",
       "vqbridge: \"entries\" is 1000; it must be a square, such as 1024"},
      {R"({"type":"vqbridge","entries":36,"dim":4,"patch":4})", "vqbridge: \"patch\" is 4; it must divide 6"},
      {R"({"type":"vqbridge","entries":16,"dim":4,"hidden":6})",
       "vqbridge: \"hidden\" is 6; it must be a multiple of \"heads\", 4"},
      {R"({"type":"residual","levels":3})", "residual: \"quantizer\" is missing"},
      {R"({"type":"residual","levels":65,"quantizer":{"type":"lfq","bits":2}})",
       "residual: \"levels\" is 65; it must be a whole number from 1 to 64"},
      {R"({"type":"residual","levels":64,"quantizer":{"type":"lfq","bits":2,"tokens":2}})",
       "its parts have 128 levels; allowed are 64"},
      {R"({"type":"residual","levels":64,"quantizer":{"type":"vq","entries":1048576,"dim":16}})",
       "parameters; allowed are 536870912"},
      {R"({"type":"product","groups":4,"dim":15,"quantizer":{"type":"lfq","bits":4}})",
       "product: \"dim\" is 15; 4 groups of 4 dimensions make 16"},
      {R"({"type":"projected","dim":4,"quantizer":{"type":"projected","dim":4,"quantizer":{"type":"projected","dim":4,"quantizer":{"type":"projected","dim":4,"quantizer":{"type":"projected","dim":4,"quantizer":{"type":"lfq","bits":2}}}}}})",
       "holds more than 4 quantizers in each other"},
      {R"({"type":"projected","dim":4,"quantizer":{"type":"vq","entries":4}})", "vq: \"dim\" is missing"},
  };
  for (const auto& c : cases) {
    const auto made = MakeQuantizer(nlohmann::json::parse(c.config));
    ASSERT_FALSE(made.ok()) << c.config;
    EXPECT_EQ(made.error().code, ErrorCode::kModel);
    EXPECT_NE(made.error().message.find(c.message), std::string::npos) << made.error().message;
  }
}

TEST(Quantizers, ValuesThatAreNotFiniteAreNamed) {
  const auto vq = MakeOrFail(R"({"type":"vq","entries":4,"dim":2})");
  auto latents = torch::zeros({1, 2, 5});
  latents[0][1][3] = std::nan("");
  EXPECT_THROW(vq->Encode(latents), c10::Error);
  EXPECT_THROW(vq->forward(latents), c10::Error);
}

}  // namespace
}  // namespace vqc
