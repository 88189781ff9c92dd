// SPDX-License-Identifier: Apache-2.0
// Public checkpoints of pictures against their own implementations, by the goldens of tests/oracle.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <tuple>

#include "tests/base/temp_folder.h"
#include "tests/tokenizers/checkpoint.h"
#include "tokenizers/architectures.h"
#include "tokenizers/core_tokenizers.h"
#include "tokenizers/import_model.h"

namespace vqc {
namespace {

std::vector<float> Floats(const SafeTensors& file, const std::string& name) {
  return *ToFloats(*file.Get(name), name);
}

// The checkpoint gives the example's ids and pictures, those with `suffix`.
void ExpectTheReference(const std::string& checkpoint, const std::string& example,
                        const std::string& suffix) {
  const auto file = SafeTensors::Open(example + "/example.safetensors");
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto imported = ImportModel(checkpoint, "golden");
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  const auto tensors = SafeTensors::Parse(*WriteSafeTensors(ViewsOf(imported->tensors), {}), "golden");
  ASSERT_TRUE(tensors.ok());
  const auto tokenizer = MakeCoreTokenizer(imported->card, *tensors);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ((*tokenizer)->Info().profile, imported->info.profile);

  Clip clip;
  clip.channels = 3;
  clip.height = static_cast<int>((*file->Get("pixels")).shape[1]);
  clip.width = static_cast<int>((*file->Get("pixels")).shape[2]);
  clip.data = Floats(*file, "pixels");
  std::vector<uint32_t> ids((*file->Get("ids" + suffix)).bytes.size() / sizeof(uint32_t));
  std::memcpy(ids.data(), (*file->Get("ids" + suffix)).bytes.data(), ids.size() * sizeof(uint32_t));
  for (const int threads : {1, 3}) {
    const auto other = MakeCoreTokenizer(imported->card, *tensors, threads);
    ASSERT_TRUE(other.ok());
    const Clip both[] = {clip, clip};
    const auto tokens = (*other)->Encode(both);
    ASSERT_TRUE(tokens.ok()) << tokens.error().message;
    EXPECT_EQ(tokens->front().ids, ids);
    EXPECT_EQ(tokens->back().ids, ids);
    const Tokenizer::Target target{.channels = 3, .height = clip.height, .width = clip.width};
    const auto decoded = (*other)->Decode({tokens->data(), 1}, {&target, 1});
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    const double decibels = testing::Decibels(Floats(*file, "decoded" + suffix), decoded->front().data);
    EXPECT_GT(decibels, 80);
    ::testing::Test::RecordProperty("decibels", std::to_string(decibels));
    ::testing::Test::RecordProperty("ids", std::to_string(ids.size()));
  }
}

TEST(ImportedPictures, TamingsVqganIsThatOfTheReference) {
  const std::string folder = testing::CheckpointFolder("vqgan");
  ExpectTheReference(folder, folder, "");
}

TEST(ImportedPictures, DiffusersVqModelIsThatOfTheReference) {
  const std::string folder = testing::CheckpointFolder("vqmodel");
  ExpectTheReference(folder, folder, "");
}

// LlamaGen's name for a tensor of a network of `sizes` sizes; the decoder counts them from the smallest.
std::string LlamaGensName(const std::string& name, size_t sizes) {
  constexpr std::pair<std::string_view, std::string_view> kMiddle[] = {
      {".mid.block_1.", ".mid.0."}, {".mid.attn_1.", ".mid.1."}, {".mid.block_2.", ".mid.2."}};
  for (const auto& [from, to] : kMiddle) {
    if (const size_t at = name.find(from); at != std::string::npos)
      return name.substr(0, at) + std::string(to) + name.substr(at + from.size());
  }
  for (size_t i = 0; i < sizes; ++i) {
    const std::string down = "encoder.down." + std::to_string(i) + ".",
                      up = "decoder.up." + std::to_string(i) + ".";
    if (!name.starts_with(down) && !name.starts_with(up)) continue;
    const bool encoder = name.starts_with(down);
    std::string rest = name.substr(encoder ? down.size() : up.size());
    if (rest.starts_with("block.")) rest = "res." + rest.substr(6);
    return (encoder ? "encoder" : "decoder") + std::string(".conv_blocks.") +
           std::to_string(encoder ? i : sizes - 1 - i) + "." + rest;
  }
  return name;
}

// The same network with other names; its codewords have length 1.
TEST(ImportedPictures, LlamaGensSpellingHasUnitCodewords) {
  const std::string golden = testing::CheckpointFolder("vqgan");
  const auto file = SafeTensors::Open(golden + "/model.safetensors");
  ASSERT_TRUE(file.ok());
  size_t sizes = 0;
  while (file->Tensors().contains("encoder.down." + std::to_string(sizes) + ".block.0.conv1.weight")) ++sizes;
  std::map<std::string, TensorView> renamed;
  for (const auto& [name, view] : file->Tensors()) renamed[LlamaGensName(name, sizes)] = view;
  const std::vector<uint8_t> used(64 * 4);
  renamed["quantize.codebook_used"] = {DType::kF32, {64}, used};
  testing::TempFolder folder;
  const auto bytes = WriteSafeTensors(renamed, {});
  ASSERT_TRUE(bytes.ok());
  testing::Put(folder.Path("vq.safetensors"), {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  ExpectTheReference(folder.path(), golden, "_unit");
}

TEST(ImportedPictures, OpenMagvit2IsThatOfTheReference) {
  const std::string folder = testing::CheckpointFolder("magvit2");
  ExpectTheReference(folder, folder, "");
}

TEST(ImportedPictures, IbqIsThatOfTheReference) {
  const std::string folder = testing::CheckpointFolder("ibq");
  ExpectTheReference(folder, folder, "");
}

TEST(ImportedPictures, CosmosIsThatOfTheReference) {
  const std::string folder = testing::CheckpointFolder("cosmos");
  ExpectTheReference(folder, folder, "");
}

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
  ExpectTheReference(folder.path(), golden, "");
  const std::string ibq = testing::CheckpointFolder("ibq");
  const testing::TempFolder other;
  WriteChanged(other, ibq, &AddAverages);  // which tell what it is, without a config
  ExpectTheReference(other.path(), ibq, "");
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
  ExpectTheReference(folder.path(), golden, "");
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
