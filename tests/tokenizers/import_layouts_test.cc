// SPDX-License-Identifier: Apache-2.0
// Checkpoints in the layouts of their authors' own programs, by the goldens of tests/oracle/own_layouts.py,
// which hold the weights of those in the layout of transformers.
#include <gtest/gtest.h>

#include <functional>

#include "models/write_bundle.h"
#include "tests/base/temp_folder.h"
#include "tests/tokenizers/checkpoint.h"
#include "tokenizers/import_model.h"

namespace vqc {
namespace {

class OwnLayouts : public ::testing::TestWithParam<const char*> {};

TEST_P(OwnLayouts, AreTheSameModel) {
  const std::string family = GetParam();
  const auto hub = ImportModel(testing::CheckpointFolder(family), "m"),
             own = ImportModel(testing::CheckpointFolder(family + "_own"), "m");
  ASSERT_TRUE(hub.ok()) << hub.error().message;
  ASSERT_TRUE(own.ok()) << own.error().message;
  EXPECT_EQ(own->card.config, hub->card.config);
  EXPECT_EQ(own->info.profile, hub->info.profile);
  ASSERT_EQ(own->tensors.size(), hub->tensors.size());
  for (const auto& [name, tensor] : hub->tensors) {
    const auto found = own->tensors.find(name);
    ASSERT_NE(found, own->tensors.end()) << name;
    EXPECT_EQ(found->second.shape, tensor.shape) << name;
    EXPECT_EQ(found->second.bytes, tensor.bytes) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, OwnLayouts,
                         ::testing::Values("encodec", "encodec_32khz", "encodec_48khz", "mimi"),
                         [](const auto& test) { return std::string(test.param); });

// A folder of moshi: the weights of its language model, and those of Mimi.
TEST(OwnLayouts, OfALanguageModelTheTokenizerIsTaken) {
  const std::string golden = testing::CheckpointFolder("mimi_own");
  const auto mimi = ImportModel(golden, "m");
  ASSERT_TRUE(mimi.ok()) << mimi.error().message;
  const std::string weights = testing::Slurp(golden + "/model.safetensors");
  const auto config = nlohmann::json::parse(testing::Slurp(golden + "/config.json"));
  const std::vector<uint8_t> values(16);
  const auto others = *WriteSafeTensors({{"text_emb.weight", {DType::kF32, {2, 2}, values}}}, {});
  const auto import = [&](const std::string& name, const nlohmann::json& says) {
    const testing::TempFolder folder;
    testing::Put(folder.Path("model.safetensors"),
                 {reinterpret_cast<const char*>(others.data()), others.size()});
    testing::Put(folder.Path(name), weights);
    testing::Put(folder.Path("config.json"), says.dump());
    return ImportModel(folder.path(), "m");
  };
  auto named = config;
  named["mimi_name"] = "mimi-pytorch.safetensors";
  for (const auto& imported : {import("tokenizer-e351c8d8-checkpoint125.safetensors", config),
                               import("mimi-pytorch.safetensors", named)}) {
    ASSERT_TRUE(imported.ok()) << imported.error().message;
    EXPECT_EQ(imported->info.profile, mimi->info.profile);
    EXPECT_EQ(imported->card.config, mimi->card.config);
  }
  const auto other = import("another.safetensors", named);
  ASSERT_FALSE(other.ok());
  EXPECT_NE(other.error().message.find("not a checkpoint of a known family"), std::string::npos)
      << other.error().message;
}

// What is said of a golden whose tensors were changed; nothing if it is taken.
std::string RefusalOf(const std::string& family, const std::function<void(OwnedTensors&)>& change,
                      bool with_config = true) {
  const std::string golden = testing::CheckpointFolder(family);
  const auto file = SafeTensors::Open(golden + "/model.safetensors");
  EXPECT_TRUE(file.ok());
  OwnedTensors tensors;
  for (const auto& [name, view] : file->Tensors())
    tensors[name] = {view.dtype, view.shape, {view.bytes.begin(), view.bytes.end()}};
  change(tensors);
  const testing::TempFolder folder;
  const auto bytes = *WriteSafeTensors(ViewsOf(tensors), {});
  testing::Put(folder.Path("model.safetensors"), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (with_config) testing::Put(folder.Path("config.json"), testing::Slurp(golden + "/config.json"));
  const auto imported = ImportModel(folder.path(), "m");
  return imported.ok() ? "" : imported.error().message;
}

void ExpectNames(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) EXPECT_NE(message.find(part), std::string::npos) << message;
}

constexpr auto kUnchanged = [](OwnedTensors&) {};

TEST(OwnLayoutErrors, WhatNoShapeTellsHasToBeSaid) {
  for (const char* family : {"encodec_own", "encodec_32khz_own", "encodec_48khz_own", "dac_own"}) {
    EXPECT_EQ(RefusalOf(family, kUnchanged), "");
    ExpectNames(RefusalOf(family, kUnchanged, false), {"\"sampling_rate\"", "config.json"});
  }
  ExpectNames(RefusalOf("mimi_own", kUnchanged, false), {"Mimi", "\"num_attention_heads\"", "config.json"});
}

TEST(OwnLayoutErrors, TensorsThatDoNotFitAreNamed) {
  const auto erased = [](const std::string& name) {
    return [name](OwnedTensors& tensors) { ASSERT_EQ(tensors.erase(name), 1u) << name; };
  };
  const std::string layer = "decoder_transformer.transformer.layers.1.",
                    fused = layer + "self_attn.in_proj_weight";
  ExpectNames(RefusalOf("mimi_own", erased(fused)), {"Mimi", fused, "[48, 16]", "missing"});
  ExpectNames(RefusalOf("mimi_own", erased("upsample.convtr.convtr.convtr.weight")),
              {"upsample.convtr.convtr.convtr.weight", "[16, 1, 4]"});
  ExpectNames(RefusalOf("mimi_own",
                        [&](auto& tensors) {
                          tensors[fused].shape = {16, 48};
                        }),
              {fused, "[16, 48]", "[48, 16]"});
  ExpectNames(RefusalOf("mimi_own", [&](auto& tensors) { tensors[layer + "x"] = tensors[fused]; }),
              {layer + "x", "not of this network"});
  ExpectNames(RefusalOf("encodec_own", erased("decoder.model.3.convtr.convtr.bias")),
              {"EnCodec", "decoder.model.3.conv", "missing"});
  ExpectNames(RefusalOf("encodec_own", erased("encoder.model.4.conv.conv.weight_v")), {"upsampling_ratios"});
  ExpectNames(RefusalOf("encodec_48khz_own", erased("decoder.model.7.convtr.norm.weight")),
              {"decoder.model.7.convtr.norm.weight", "missing"});
  ExpectNames(RefusalOf("dac_own", erased("decoder.model.2.block.4.block.2.alpha")),
              {"DAC", "decoder.model.2.block.4.block.2.alpha", "missing"});
  ExpectNames(RefusalOf("dac_own", erased("encoder.block.2.block.4.weight_v")), {"downsampling_ratios"});
}

// As the program itself would write it.
TEST(OwnLayoutNames, MimisProjectionsMayHaveNumbers) {
  const std::string refusal = RefusalOf("mimi_own", [](OwnedTensors& tensors) {
    for (const char* side : {"encoder", "decoder"}) {
      for (const char* layer : {"0", "1"}) {
        const std::string stem =
            std::string(side) + "_transformer.transformer.layers." + layer + ".self_attn.";
        for (const auto& [from, to] : {std::pair{"in_proj_weight", "in_projs.0.weight"},
                                       std::pair{"out_proj.weight", "out_projs.0.weight"}}) {
          auto moved = tensors.extract(stem + from);
          ASSERT_FALSE(moved.empty());
          moved.key() = stem + to;
          tensors.insert(std::move(moved));
        }
      }
    }
  });
  EXPECT_EQ(refusal, "");
}

}  // namespace
}  // namespace vqc
