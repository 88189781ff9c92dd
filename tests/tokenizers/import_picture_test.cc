// SPDX-License-Identifier: Apache-2.0
// Public checkpoints of pictures against their own implementations, by the goldens of tests/oracle/vqgan.py.
#include <gtest/gtest.h>

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

constexpr int kHeight = 24, kWidth = 18;

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
  clip.height = kHeight;
  clip.width = kWidth;
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
    const Tokenizer::Target target{.channels = 3, .height = kHeight, .width = kWidth};
    const auto decoded = (*other)->Decode({tokens->data(), 1}, {&target, 1});
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_GT(testing::Decibels(Floats(*file, "decoded" + suffix), decoded->front().data), 80);
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

// LlamaGen's names for the same network of two sizes; its codewords have length 1.
TEST(ImportedPictures, LlamaGensSpellingHasUnitCodewords) {
  const std::string golden = testing::CheckpointFolder("vqgan");
  const auto file = SafeTensors::Open(golden + "/model.safetensors");
  ASSERT_TRUE(file.ok());
  std::map<std::string, TensorView> renamed;
  for (const auto& [name, view] : file->Tensors()) {
    std::string text = name;
    for (const auto& [from, to] : {std::pair{"encoder.down.0.block.", "encoder.conv_blocks.0.res."},
                                   std::pair{"encoder.down.1.block.", "encoder.conv_blocks.1.res."},
                                   std::pair{"encoder.down.0.", "encoder.conv_blocks.0."},
                                   std::pair{"encoder.down.1.", "encoder.conv_blocks.1."},
                                   std::pair{"decoder.up.1.block.", "decoder.conv_blocks.0.res."},
                                   std::pair{"decoder.up.0.block.", "decoder.conv_blocks.1.res."},
                                   std::pair{"decoder.up.1.", "decoder.conv_blocks.0."},
                                   std::pair{"decoder.up.0.", "decoder.conv_blocks.1."},
                                   std::pair{"encoder.mid.block_1.", "encoder.mid.0."},
                                   std::pair{"encoder.mid.attn_1.", "encoder.mid.1."},
                                   std::pair{"encoder.mid.block_2.", "encoder.mid.2."},
                                   std::pair{"decoder.mid.block_1.", "decoder.mid.0."},
                                   std::pair{"decoder.mid.attn_1.", "decoder.mid.1."},
                                   std::pair{"decoder.mid.block_2.", "decoder.mid.2."}}) {
      if (text.starts_with(from)) text = to + text.substr(std::strlen(from));
    }
    renamed[text] = view;
  }
  const std::vector<uint8_t> used(64 * 4);
  renamed["quantize.codebook_used"] = {DType::kF32, {64}, used};
  testing::TempFolder folder;
  const auto bytes = WriteSafeTensors(renamed, {});
  ASSERT_TRUE(bytes.ok());
  testing::Put(folder.Path("vq.safetensors"), {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  ExpectTheReference(folder.path(), golden, "_unit");
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
  const auto file = SafeTensors::Open(testing::CheckpointFolder("vqgan") + "/model.safetensors");
  ASSERT_TRUE(file.ok());
  const auto refusal = [&](const std::function<void(std::map<std::string, TensorView>&)>& change) {
    auto tensors = file->Tensors();
    change(tensors);
    testing::TempFolder folder;
    const auto bytes = WriteSafeTensors(tensors, {});
    testing::Put(folder.Path("vq.safetensors"),
                 {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    const auto imported = ImportModel(folder.path(), "m");
    return imported.ok() ? std::string() : imported.error().message;
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
