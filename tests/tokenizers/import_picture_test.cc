// SPDX-License-Identifier: Apache-2.0
// Public checkpoints of pictures against their own implementations, by the goldens of tests/oracle.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <tuple>

#include "tests/base/temp_folder.h"
#include "tests/tokenizers/checkpoint.h"
#include "tests/tokenizers/picture_golden.h"
#include "tokenizers/architectures.h"
#include "tokenizers/core_tokenizers.h"
#include "tokenizers/import_model.h"

namespace vqc {
namespace {

using testing::PictureGolden;

// Our own layers give the golden's ids and picture.
void ExpectTheReference(const PictureGolden& golden) {
  const auto tokenizer = MakeCoreTokenizer(golden.card, golden.tensors);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ((*tokenizer)->Info().profile, golden.profile);
  for (const int threads : {1, 3}) {
    const auto other = MakeCoreTokenizer(golden.card, golden.tensors, threads);
    ASSERT_TRUE(other.ok());
    const Clip both[] = {golden.clip, golden.clip};
    const auto tokens = (*other)->Encode(both);
    ASSERT_TRUE(tokens.ok()) << tokens.error().message;
    EXPECT_EQ(tokens->front().ids, golden.ids);
    EXPECT_EQ(tokens->back().ids, golden.ids);
    const Tokenizer::Target target = golden.Target();
    const auto decoded = (*other)->Decode({tokens->data(), 1}, {&target, 1});
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    const double decibels = testing::Decibels(golden.decoded, decoded->front().data);
    EXPECT_GT(decibels, 80);
    ::testing::Test::RecordProperty("decibels", std::to_string(decibels));
    ::testing::Test::RecordProperty("ids", std::to_string(golden.ids.size()));
  }
}

TEST(ImportedPictures, TamingsVqganIsThatOfTheReference) { ExpectTheReference(PictureGolden::Of("vqgan")); }
TEST(ImportedPictures, DiffusersVqModelIsThatOfTheReference) {
  ExpectTheReference(PictureGolden::Of("vqmodel"));
}
// The same network with other names; its codewords have length 1.
TEST(ImportedPictures, LlamaGensSpellingHasUnitCodewords) {
  ExpectTheReference(PictureGolden::Of("llamagen"));
}
TEST(ImportedPictures, OpenMagvit2IsThatOfTheReference) { ExpectTheReference(PictureGolden::Of("magvit2")); }
TEST(ImportedPictures, IbqIsThatOfTheReference) { ExpectTheReference(PictureGolden::Of("ibq")); }
TEST(ImportedPictures, CosmosIsThatOfTheReference) { ExpectTheReference(PictureGolden::Of("cosmos")); }

// Writes the tensors of `checkpoint` as `change` leaves them into `folder`.
void WriteChanged(const testing::TempFolder& folder, const std::string& checkpoint,
                  const std::function<void(std::map<std::string, TensorView>&)>& change) {
  const auto file = SafeTensors::Open(checkpoint + "/model.safetensors");
  ASSERT_TRUE(file.ok()) << file.error().message;
  auto tensors = file->Tensors();
  change(tensors);
  const auto bytes = WriteSafeTensors(tensors, {});
  ASSERT_TRUE(bytes.ok());
  testing::Put(folder.Path("m.safetensors"), {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
}

std::string RefusalOf(const std::string& checkpoint,
                      const std::function<void(std::map<std::string, TensorView>&)>& change) {
  const testing::TempFolder folder;
  WriteChanged(folder, checkpoint, change);
  const auto imported = ImportModel(folder.path(), "m");
  return imported.ok() ? std::string() : imported.error().message;
}

// As SEED-Voken's programs save it: the weights that training left, here zeros, and their averages.
void AddAverages(std::map<std::string, TensorView>& tensors) {
  static const std::vector<uint8_t> kZeros(1 << 22);
  for (const auto& [name, view] : std::map(tensors)) {
    ASSERT_LE(view.bytes.size(), kZeros.size()) << "this is for the small goldens";
    std::string average = name;
    std::erase(average, '.');
    tensors["model_ema." + average] = view;
    tensors[name].bytes = std::span(kZeros).first(view.bytes.size());
  }
  const std::span<const uint8_t> four = std::span(kZeros).first(4);
  tensors["model_ema.decay"] = {DType::kF32, {}, four};
  tensors["model_ema.num_updates"] = {DType::kI32, {}, four};
  tensors["loss.discriminator.main.0.bias"] = {DType::kF32, {1}, four};
  tensors["model_ema.lossdiscriminatormain0bias"] = {DType::kF32, {1}, four};
}

TEST(ImportedPictures, AveragesOfTrainingAreTakenWhereTheyAre) {
  const std::string golden = testing::CheckpointFolder("magvit2");
  const testing::TempFolder folder;
  WriteChanged(folder, golden, &AddAverages);
  ExpectTheReference(PictureGolden::Of(folder.path(), golden));
  const std::string ibq = testing::CheckpointFolder("ibq");
  const testing::TempFolder other;
  WriteChanged(other, ibq, &AddAverages);  // which tell what it is, without a config
  ExpectTheReference(PictureGolden::Of(other.path(), ibq));
  const auto half = RefusalOf(golden, [](auto& tensors) {
    AddAverages(tensors);
    tensors.erase("model_ema.decodernorm_outbias");
  });
  EXPECT_NE(half.find("model_ema.decodernorm_outbias [64] is missing"), std::string::npos) << half;
}

TEST(ImportedPictures, WhatDoesNotFitOpenMagvit2IsNamed) {
  const std::string golden = testing::CheckpointFolder("magvit2");
  EXPECT_EQ(RefusalOf(golden, [](auto&) {}), "");
  const auto missing =
      RefusalOf(golden, [](auto& tensors) { tensors.erase("decoder.adaptive.1.beta.bias"); });
  EXPECT_NE(missing.find("decoder.adaptive.1.beta.bias [32] is missing"), std::string::npos) << missing;
  const auto extra =
      RefusalOf(golden, [](auto& tensors) { tensors["quant_conv.bias"] = tensors["encoder.conv_out.bias"]; });
  EXPECT_NE(extra.find("quant_conv.bias [10] is not of this network"), std::string::npos) << extra;
  const auto bits = RefusalOf(
      golden, [](auto& tensors) { tensors["encoder.conv_out.weight"] = tensors["encoder.conv_in.weight"]; });
  EXPECT_NE(bits.find("\"bits\" of the config is 32"), std::string::npos) << bits;
  const auto narrow = RefusalOf(
      golden, [](auto& tensors) { tensors["encoder.conv_in.weight"] = tensors["encoder.conv_out.weight"]; });
  EXPECT_NE(narrow.find("not multiples of the 32 groups"), std::string::npos) << narrow;
}

TEST(ImportedPictures, WhatDoesNotFitCosmosIsNamed) {
  const std::string golden = testing::CheckpointFolder("cosmos");
  EXPECT_EQ(RefusalOf(golden, [](auto&) {}), "");
  const auto missing =
      RefusalOf(golden, [](auto& tensors) { tensors.erase("decoder.up.2.upsample.conv.bias"); });
  EXPECT_NE(missing.find("decoder.up.2.upsample.conv.bias [32] is missing"), std::string::npos) << missing;
  const auto continuous = RefusalOf(golden, [](auto& tensors) { tensors.erase("quantizer._levels"); });
  EXPECT_NE(continuous.find("quant_conv.weight has 3 outputs"), std::string::npos) << continuous;
  const auto wavelet = RefusalOf(golden, [](auto& tensors) {
    tensors["encoder.patcher.wavelets"] = tensors["decoder.norm_out.weight"];
  });
  EXPECT_NE(wavelet.find("only the Haar wavelet"), std::string::npos) << wavelet;
  const auto levels = RefusalOf(golden, [](auto& tensors) {
    tensors["quantizer._levels"].bytes = tensors["quantizer._levels"].bytes.first(8);
    tensors["quantizer._levels"].shape = {2};
  });
  EXPECT_NE(levels.find("\"levels\" must be as many as \"dim\""), std::string::npos) << levels;
}

// In a folder of the Hub the config says nothing that the tensors don't, and has a comma too many.
TEST(ImportedPictures, CosmosIsTakenWithTheConfigThatIsBesideIt) {
  const std::string golden = testing::CheckpointFolder("cosmos");
  testing::TempFolder folder;
  testing::Put(folder.Path("model.safetensors"), testing::Slurp(golden + "/model.safetensors"));
  testing::Put(folder.Path("config.json"),
               "{\n    \"architectures\": [\n        \"CosmosTokenizer\",\n    ],\n}\n");
  ExpectTheReference(PictureGolden::Of(folder.path(), golden));
}

TEST(ImportedPictures, APictureOfOneCellHasNoDeviation) {
  const auto imported = ImportModel(testing::CheckpointFolder("magvit2"), "golden");
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  EXPECT_EQ(imported->card.factors, (std::vector<std::vector<uint32_t>>{std::vector<uint32_t>(10, 2)}));
  const auto tensors = SafeTensors::Parse(*WriteSafeTensors(ViewsOf(imported->tensors), {}), "golden");
  const auto tokenizer = *MakeCoreTokenizer(imported->card, *tensors);
  const Tokens one{{1, 1, 1, 1}, {1024}, {777}};
  const Tokenizer::Target target{.channels = 3, .height = 2, .width = 2};
  const auto decoded = tokenizer->Decode({&one, 1}, {&target, 1});
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  for (const float value : decoded->front().data) EXPECT_TRUE(std::isfinite(value));
}

TEST(ImportedPictures, SizesThatAreNoMultiplesComeBack) {
  const auto imported = ImportModel(testing::CheckpointFolder("vqmodel"), "golden");
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  const auto tensors = SafeTensors::Parse(*WriteSafeTensors(ViewsOf(imported->tensors), {}), "golden");
  const auto tokenizer = *MakeCoreTokenizer(imported->card, *tensors);
  for (const auto& [height, width, channels] :
       {std::tuple{1, 1, 3}, std::tuple{7, 5, 1}, std::tuple{2, 9, 3}}) {
    Clip clip;
    clip.channels = channels;
    clip.height = height;
    clip.width = width;
    clip.data.assign(clip.PlaneSize() * static_cast<size_t>(channels), 0.25f);
    const auto tokens = tokenizer->Encode({&clip, 1});
    ASSERT_TRUE(tokens.ok()) << tokens.error().message;
    const Tokenizer::Target target{.channels = channels, .height = height, .width = width};
    const auto decoded = tokenizer->Decode(*tokens, {&target, 1});
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(decoded->front().data.size(), clip.data.size());
  }
  // More cells than attention takes are refused before anything is computed.
  const Tokens many{{1, 1, 300, 300}, {64}, std::vector<uint32_t>(90000)};
  const Tokenizer::Target target{.channels = 3, .height = 600, .width = 600};
  const auto refused = tokenizer->Decode({&many, 1}, {&target, 1});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
}

TEST(ImportedPictures, WhatDoesNotFitIsNamed) {
  const auto refusal = [](const auto& change) {
    return RefusalOf(testing::CheckpointFolder("vqgan"), change);
  };
  EXPECT_EQ(refusal([](auto& tensors) { tensors["loss.logvar"] = tensors["quant_conv.bias"]; }), "");
  const auto missing = refusal([](auto& tensors) { tensors.erase("decoder.mid.attn_1.k.bias"); });
  EXPECT_NE(missing.find("decoder.mid.attn_1.k.bias [32] is missing"), std::string::npos) << missing;
  const auto extra = refusal([](auto& tensors) { tensors["decoder.up.7.x"] = tensors["quant_conv.bias"]; });
  EXPECT_NE(extra.find("decoder.up.7.x [4] is not of this network"), std::string::npos) << extra;
  const auto no_books = refusal([](auto& tensors) { tensors.erase("quantize.embedding.weight"); });
  EXPECT_NE(no_books.find("quantize.embedding.weight is missing"), std::string::npos) << no_books;
}

}  // namespace
}  // namespace vqc
