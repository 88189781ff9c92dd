// SPDX-License-Identifier: Apache-2.0
// Streams that were made with a prior that the model had before.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "codec/codec.h"
#include "tests/base/temp_folder.h"
#include "tests/support/fake_model.h"
#include "tests/support/random_clip.h"

namespace vqc {
namespace {

using Tables = std::vector<uint8_t>;

Tables Trained(std::string_view prior, uint32_t seed) {
  Tokens map{{1, 1, 8, 8}, {512}, {}};
  for (uint32_t i = 0; i < 64; ++i) map.ids.push_back(i * seed % 512);
  const auto trainer = MakePriorTrainer(prior, {{8, 8, 8}});
  EXPECT_TRUE((*trainer)->Add(map).ok());
  return *(*trainer)->Finish();
}

TensorView View(const Tables& bytes) { return {DType::kU8, {static_cast<int64_t>(bytes.size())}, bytes}; }

// A model of the fake tokenizer whose prior has tables, and those that it had before.
struct History {
  std::string prior;
  Tables tables;
};
ModelEntry Write(const std::string& folder, const std::vector<History>& newest_first) {
  auto model = MakeFakeModel("fake");
  const auto fake = SafeTensors::Parse(model->weights, "fake");
  std::map<std::string, TensorView> tensors = fake->Tensors();
  ModelCard& card = model->card;
  for (auto it = newest_first.rbegin(); it != newest_first.rend(); ++it) {
    if (tensors.contains("prior.tables")) {
      tensors[EarlierTablesName(card.prior_id)] = tensors["prior.tables"];
      card.earlier_priors.insert(card.earlier_priors.begin(), {card.prior, card.prior_id});
    }
    tensors["prior.tables"] = View(it->tables);
    card.prior = it->prior;
    const auto parsed = SafeTensors::Parse(*WriteSafeTensors(tensors, {}), "fake");
    EXPECT_EQ(ModelIdOf(card, *parsed), card.model_id) << "priors do not enter the model's id";
    card.prior_id = PriorIdOf(card, *parsed);
  }
  std::filesystem::create_directories(folder);
  EXPECT_TRUE(
      WriteFileAtomically(folder + "/model.safetensors", *WriteSafeTensors(tensors, {}), {.force = true})
          .ok());
  EXPECT_TRUE(
      WriteFileAtomically(folder + "/card.json", std::string_view(WriteCard(card)), {.force = true}).ok());
  const auto entry = FindModel(folder);
  EXPECT_TRUE(entry.ok()) << entry.error().message;
  return *entry;
}

Bundle Load(const ModelEntry& entry) {
  auto bundle = LoadPriorOnly(entry);
  EXPECT_TRUE(bundle.ok()) << bundle.error().message;
  const auto model = MakeFakeModel("fake");
  const auto tensors = SafeTensors::Parse(model->weights, "fake");
  bundle->tokenizer = *LoadFakeTokenizer(*tensors);
  return std::move(*bundle);
}

TEST(EarlierPriors, StreamsOfEveryPriorThatTheModelHadDecode) {
  const testing::TempFolder temp;
  const std::vector<History> history = {{"neural", Trained("neural", 5)},
                                        {"mixing", Trained("mixing", 7)},
                                        {"mixing", Trained("mixing", 11)},
                                        {"static", Trained("static", 13)}};
  const Bundle now = Load(Write(temp.Path("now"), history));
  EXPECT_EQ(now.card.earlier_priors.size(), 3u);
  const Clip clip = RandomImage(3, 40, 32);
  std::vector<ModelKey> keys;
  for (size_t i = 0; i < history.size(); ++i) {
    const std::vector<History> then(history.begin() + static_cast<ptrdiff_t>(i), history.end());
    const Bundle before = Load(Write(temp.Path("then" + std::to_string(i)), then));
    const auto encoded = EncodeImage(clip, before);
    ASSERT_TRUE(encoded.ok()) << encoded.error().message;
    const Stream stream = *ReadStream(encoded->bytes, {});
    EXPECT_EQ(std::find(keys.begin(), keys.end(), stream.header.model_key), keys.end());
    keys.push_back(stream.header.model_key);
    EXPECT_TRUE(now.card.Knows(stream.header.model_key));
    const auto tokens = ReadTokens(stream, stream.chunks[0], now, {});
    ASSERT_TRUE(tokens.ok()) << i << ": " << tokens.error().message;
    EXPECT_EQ(*tokens, encoded->tokens);
    const Stream newer = *ReadStream(EncodeImage(clip, now)->bytes, {});
    EXPECT_EQ(ReadTokens(newer, newer.chunks[0], before, {}).ok(), i == 0) << "what came later is not known";
  }
}

TEST(EarlierPriors, ADamagedOneIsRefused) {
  const testing::TempFolder temp;
  ModelEntry entry =
      Write(temp.Path("m"), {{"static", Trained("static", 5)}, {"static", Trained("static", 7)}});
  entry.card.earlier_priors[0].prior_id[3] ^= 1;
  const auto bundle = LoadPriorOnly(entry);
  ASSERT_FALSE(bundle.ok());
  EXPECT_EQ(bundle.error().code, ErrorCode::kModel);
}

// Files of earlier commits: of image-f16, whose prior "mixing" is beside the weights, and of speech-rvq,
// whose prior "mixing" is in the file of earlier ones.
TEST(EarlierPriors, FilesOfEarlierCommitsDecode) {
  for (const std::string model : {"image-f16", "speech-rvq"}) {
    const auto bytes = ReadFile(VQC_SOURCE_DIR "/tests/golden/v1/models/" + model + "-mixing.vqc", 1 << 20);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    const Stream stream = *ReadStream(*bytes, {});
    const auto entry = FindModel(VQC_SOURCE_DIR "/models/pretrained/" + model);
    ASSERT_TRUE(entry.ok()) << entry.error().message;
    ASSERT_TRUE(entry->card.Knows(stream.header.model_key)) << model;
    const auto bundle = LoadPriorOnly(*entry);
    ASSERT_TRUE(bundle.ok()) << bundle.error().message;
    for (const Chunk& chunk : stream.chunks) {
      const auto tokens = ReadTokens(stream, chunk, *bundle, {});
      ASSERT_TRUE(tokens.ok()) << model << ": " << tokens.error().message;  // it holds their checksum
    }
  }
}

}  // namespace
}  // namespace vqc
