// SPDX-License-Identifier: Apache-2.0
// Checkpoints that are damaged, of other layouts or of no known family: what is said of them, and that other
// spellings of the same weights give the same model.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <functional>

#include "base/file.h"
#include "base/json.h"
#include "tests/base/temp_folder.h"
#include "tests/tokenizers/checkpoint.h"
#include "tokenizers/import_model.h"

namespace vqc {
namespace {

using testing::TempFolder;

constexpr char kBias[] = "encoder.layers.0.conv.bias";
constexpr char kMagnitude[] = "encoder.layers.0.conv.parametrizations.weight.original0";
constexpr char kDirection[] = "encoder.layers.0.conv.parametrizations.weight.original1";

// The small EnCodec, to be changed and written again.
class ImportErrors : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string golden = testing::CheckpointFolder("encodec");
    config_ = nlohmann::json::parse(testing::Slurp(golden + "/config.json"));
    const auto file = SafeTensors::Open(golden + "/model.safetensors");
    ASSERT_TRUE(file.ok());
    for (const auto& [name, view] : file->Tensors())
      tensors_[name] = {view.dtype, view.shape, {view.bytes.begin(), view.bytes.end()}};
  }

  void Write(const std::string& name, const OwnedTensors& tensors) const {
    const auto bytes = WriteSafeTensors(ViewsOf(tensors), {{"format", "pt"}});
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    testing::Put(folder_.Path(name), {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  }
  void Write() const {
    testing::Put(folder_.Path("config.json"), config_.dump());
    Write("model.safetensors", tensors_);
  }
  Result<ImportedModel> Import(const std::string& file = "") const {
    return ImportModel(file.empty() ? folder_.path() : folder_.Path(file), "m");
  }
  // The message of the import, which has to fail, holds all of these.
  void ExpectRefused(const std::vector<std::string>& parts, const std::string& file = "",
                     ErrorCode code = ErrorCode::kModel) const {
    const auto imported = Import(file);
    ASSERT_FALSE(imported.ok());
    EXPECT_EQ(imported.error().code, code);
    EXPECT_EQ(imported.error().message.find('\n'), std::string::npos);
    for (const std::string& part : parts)
      EXPECT_NE(imported.error().message.find(part), std::string::npos) << imported.error().message;
  }

  TempFolder folder_;
  nlohmann::json config_;
  OwnedTensors tensors_;
};

TEST_F(ImportErrors, TheUnchangedCheckpointIsTaken) {
  Write();
  const auto imported = Import();
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  EXPECT_EQ(imported->info.vocab, std::vector<uint32_t>(5, 64));
  EXPECT_EQ(imported->card.about["source"][0]["name"], "model.safetensors");
  EXPECT_EQ(imported->card.about["source"][0]["sha256"].get<std::string>().size(), 64u);
}

TEST_F(ImportErrors, AMissingTensorIsNamedWithWhatWasExpected) {
  tensors_.erase(kBias);
  Write();
  ExpectRefused({folder_.path(), "EnCodec", kBias, "[4]", "missing"});
}

TEST_F(ImportErrors, AnExtraTensorIsNamed) {
  tensors_["encoder.layers.99.conv.bias"] = tensors_[kBias];
  Write();
  ExpectRefused({"encoder.layers.99.conv.bias [4]", "not of this network"});
}

TEST_F(ImportErrors, AMisshapenTensorIsNamedWithBothShapes) {
  tensors_[kBias].shape = {2, 2};
  Write();
  ExpectRefused({kBias, "[2, 2]", "[4]"});
  tensors_[kBias].shape = {4};
  tensors_[kMagnitude].shape = {1, 4, 1};
  Write();
  ExpectRefused({kMagnitude, "[1, 4, 1]", "[4, 1, 1]"});
}

TEST_F(ImportErrors, NaNInfinityAndOtherTypesAreRefused) {
  auto& bias = tensors_[kBias];
  const float nan = NAN, infinity = INFINITY;
  std::memcpy(bias.bytes.data() + 8, &nan, 4);
  Write();
  ExpectRefused({kBias, "NaN at element 2"});
  std::memcpy(bias.bytes.data() + 8, &infinity, 4);
  Write();
  ExpectRefused({kBias, "infinity at element 2"});
  bias = {DType::kI32, {4}, std::vector<uint8_t>(16)};
  Write();
  ExpectRefused({kBias, "I32", "F16, BF16, F32 or F64"});
}

TEST_F(ImportErrors, ADirectionOfLengthZeroIsRefused) {
  std::fill(tensors_[kDirection].bytes.begin(), tensors_[kDirection].bytes.end(), uint8_t{0});
  Write();
  ExpectRefused({kDirection, "length 0"});
}

TEST_F(ImportErrors, TruncatedFilesAreRefused) {
  Write();
  const std::string path = folder_.Path("model.safetensors"), whole = testing::Slurp(path);
  for (const size_t size : {size_t{0}, size_t{7}, size_t{500}, whole.size() / 2, whole.size() - 1}) {
    testing::Put(path, whole.substr(0, size));
    ExpectRefused({path});
  }
}

TEST_F(ImportErrors, ConfigsThatAreNotSupportedAreRefused) {
  const struct {
    const char* field;
    nlohmann::json value;
    const char* mention;
  } cases[] = {
      {"norm_type", "time_group_norm", "only \"weight_norm\""},
      {"audio_channels", 2, "only 1"},
      {"normalize", true, "only false"},
      {"chunk_length_s", 1.0, "\"normalize\" is not true"},
      {"use_causal_conv", 0, "use_causal_conv"},
      {"upsampling_ratios", {4, 0}, "upsampling_ratios"},
      {"upsampling_ratios", {64, 64, 64, 64}, "65536"},
      {"upsampling_ratios", "8", "a list"},
      {"num_filters", 0, "from 1 to 1024"},
      {"num_filters", 4.5, "num_filters"},
      {"codebook_size", -1, "codebook_size"},
      {"target_bandwidths", {1e9}, "target_bandwidths"},
      {"target_bandwidths", {"x"}, "target_bandwidths"},
      {"pad_mode", "circular", "reflect, constant, replicate"},
      {"num_filters", 8, "the config needs"},
      {"compress", 1, "the config needs"},
  };
  const auto whole = config_;
  for (const auto& entry : cases) {
    config_ = whole;
    config_[entry.field] = entry.value;
    Write();
    ExpectRefused({entry.mention});
  }
}

TEST_F(ImportErrors, WindowsOfAttentionThatDoNotFitAreRefused) {
  const std::string golden = testing::CheckpointFolder("snac_attention");
  const auto whole = nlohmann::json::parse(testing::Slurp(golden + "/config.json"));
  testing::Put(folder_.Path("model.safetensors"), testing::Slurp(golden + "/model.safetensors"));
  const struct {
    const char* field;
    nlohmann::json value;
    const char* mention;
  } cases[] = {
      {"attn_window_size", 64, "112 ids"},        {"attn_window_size", 1 << 20, "from 0 to 4096"},
      {"attn_window_size", -1, "from 0 to"},      {"attn_window_size", nullptr, "encoder.block.3."},
      {"decoder_dim", 96, "not multiples of 64"}, {"depthwise", false, "depthwise"},
  };
  for (const auto& entry : cases) {
    config_ = whole;
    config_[entry.field] = entry.value;
    testing::Put(folder_.Path("config.json"), config_.dump());
    ExpectRefused({"SNAC", entry.mention});
  }
}

TEST_F(ImportErrors, WavTokenizersWhoseShapesDoNotFitAreRefused) {
  const std::string golden = testing::CheckpointFolder("wavtokenizer");
  config_ = nlohmann::json::parse(testing::Slurp(golden + "/config.json"));
  const auto file = SafeTensors::Open(golden + "/model.safetensors");
  ASSERT_TRUE(file.ok());
  tensors_.clear();
  for (const auto& [name, view] : file->Tensors())
    tensors_[name] = {view.dtype, view.shape, {view.bytes.begin(), view.bytes.end()}};
  const auto whole = tensors_;
  const auto refused = [&](const std::string& tensor, std::vector<int64_t> shape,
                           const std::vector<std::string>& parts) {
    tensors_ = whole;
    if (shape.empty()) {
      tensors_.erase(tensor);
    } else {
      tensors_[tensor].shape = shape;
      size_t count = 4;
      for (const int64_t side : shape) count *= static_cast<size_t>(side);
      tensors_[tensor].bytes.resize(count);
    }
    Write();
    ExpectRefused(parts);
  };
  const std::string encoder = "feature_extractor.encodec.encoder.model.",
                    codebook = "feature_extractor.encodec.quantizer.vq.layers.0._codebook.embed";
  Write();
  EXPECT_TRUE(Import().ok());
  refused(codebook, {}, {"WavTokenizer", codebook});
  refused(codebook, {64, 15}, {codebook, "[64, 15]", "[64, 16]"});
  refused("head.out.weight", {14, 32}, {"n_fft", "12"});
  refused("backbone.embed.weight", {33, 16, 7}, {"dim", "33", "multiple of 32"});
  refused("backbone.convnext.1.gamma", {}, {"backbone.convnext.1.dwconv", "not of this network"});
  refused("backbone.pos_net.2.q.bias", {}, {"backbone.pos_net.2.q.bias [32] is missing"});
  refused(encoder + "6.conv.conv.weight_v", {}, {"upsampling_ratios"});
  refused(encoder + "1.block.1.conv.conv.weight_v", {0, 4, 3}, {encoder, "layer 1"});
  tensors_ = whole;
  for (const auto& [field, value] : {std::pair{"bandwidth_id", 4}, std::pair{"block_rows", 0},
                                     std::pair{"halo_rows", -1}, std::pair{"sampling_rate", 0}}) {
    const auto kept = config_;
    config_[field] = value;
    Write();
    ExpectRefused({field});
    config_ = kept;
  }
}

TEST_F(ImportErrors, OtherFamiliesAreNamed) {
  config_["model_type"] = "llama";
  Write();
  ExpectRefused({"model_type llama", "known are EnCodec"});
  config_.erase("model_type");
  Write();
  ExpectRefused({"has no model_type"});
  std::filesystem::remove(folder_.Path("config.json"));
  ExpectRefused({"no config.json"});
  testing::Put(folder_.Path("config.json"), "{\"model_type\": \"encodec\", \"model_type\": \"dac\"}");
  ExpectRefused({"config.json", "twice"});
}

// As some configs are published.
TEST_F(ImportErrors, CommasBehindALastFieldAreOverlooked) {
  Write();
  const auto plain = Import();
  ASSERT_TRUE(plain.ok()) << plain.error().message;
  config_["note"] = ",} \\\",]";
  std::string text = config_.dump();
  text.insert(text.rfind('}'), " , \n");
  text.insert(text.find(']', text.find("target_bandwidths")), ",");
  testing::Put(folder_.Path("config.json"), text);
  const auto loose = Import();
  ASSERT_TRUE(loose.ok()) << loose.error().message << "\n" << text;
  EXPECT_EQ(loose->info.profile, plain->info.profile);
  for (const char* other :
       {"{,}", "{\"a\": [,]}", "{\"a\": 1,,}", "{\"a\": ,}", "{\"a\": 1},", "{\"a\": 1,", "{\"a\": \",}"}) {
    testing::Put(folder_.Path("config.json"), other);
    ExpectRefused({"config.json", "not JSON"});
  }
}

TEST_F(ImportErrors, PicklesAreRefusedWithARecipe) {
  for (const std::string name : {"m.pt", "m.pth", "m.th", "pytorch_model.bin", "last.ckpt", "weights.dac"}) {
    TempFolder folder;
    testing::Put(folder.Path(name), "\x80\x02}q");
    for (const std::string& path : {folder.path(), folder.Path(name)}) {
      const auto imported = ImportModel(path, "m");
      ASSERT_FALSE(imported.ok());
      for (const std::string& part : {name, std::string("pip install"), std::string("weights_only=True")})
        EXPECT_NE(imported.error().message.find(part), std::string::npos) << imported.error().message;
    }
  }
}

TEST_F(ImportErrors, TorchScriptIsRefusedWithARecipe) {
  TempFolder folder;
  for (const char* name : {"encoder.jit", "decoder.jit", "autoencoder.jit"})
    testing::Put(folder.Path(name), "PK\x03\x04");
  for (const std::string& path : {folder.path(), folder.Path("autoencoder.jit")}) {
    const auto imported = ImportModel(path, "m");
    ASSERT_FALSE(imported.ok());
    for (const char* part : {"TorchScript", "torch.jit.load", " autoencoder.jit model.safetensors"})
      EXPECT_NE(imported.error().message.find(part), std::string::npos) << imported.error().message;
  }
}

TEST_F(ImportErrors, PlacesWithoutWeightsAreNamed) {
  ExpectRefused({folder_.path(), "no .safetensors"});
  ExpectRefused({"there is no such"}, "nothing");
  Write();
  Write("other.safetensors", tensors_);
  EXPECT_TRUE(Import().ok());
  EXPECT_TRUE(Import("other.safetensors").ok());
  std::filesystem::rename(folder_.Path("model.safetensors"), folder_.Path("another.safetensors"));
  ExpectRefused({"several", "another.safetensors", "other.safetensors"});
}

// Split over two files with an index, as transformers writes large models.
TEST_F(ImportErrors, PartsAreReadByTheirIndex) {
  Write();
  const auto whole = Import();
  std::filesystem::remove(folder_.Path("model.safetensors"));
  OwnedTensors parts[2];
  nlohmann::json map;
  for (const auto& [name, tensor] : tensors_) {
    const size_t part = name < "e" ? 0 : 1;
    parts[part][name] = tensor;
    map[name] = "model-0000" + std::to_string(part + 1) + "-of-00002.safetensors";
  }
  const std::string index = folder_.Path("model.safetensors.index.json");
  testing::Put(index, nlohmann::json{{"metadata", {{"total_size", 1}}}, {"weight_map", map}}.dump());
  Write("model-00001-of-00002.safetensors", parts[0]);
  ExpectRefused({"model-00002-of-00002.safetensors"});
  Write("model-00002-of-00002.safetensors", parts[1]);
  const auto split = Import();
  ASSERT_TRUE(split.ok()) << split.error().message;
  EXPECT_EQ(split->info.profile, whole->info.profile);
  EXPECT_EQ(split->card.about["source"].size(), 2u);

  map[kBias] = "model-00001-of-00002.safetensors";
  map["nothing"] = "model-00001-of-00002.safetensors";
  testing::Put(index, nlohmann::json{{"weight_map", map}}.dump());
  ExpectRefused({"tensor nothing is not in model-00001"});
  map["nothing"] = "../../etc/model.safetensors";
  testing::Put(index, nlohmann::json{{"weight_map", map}}.dump());
  ExpectRefused({"nothing", "beside the index"});
  testing::Put(index, "{}");
  ExpectRefused({"weight_map"});
}

TEST_F(ImportErrors, AllSpellingsOfWeightNormAreTheSame) {
  Write();
  const auto whole = Import();
  ASSERT_TRUE(whole.ok());
  OwnedTensors older;
  for (const auto& [name, tensor] : tensors_) {
    std::string renamed = name;
    for (const auto& [from, to] : {std::pair{".parametrizations.weight.original0", ".weight_g"},
                                   std::pair{".parametrizations.weight.original1", ".weight_v"}}) {
      if (name.ends_with(from)) renamed = name.substr(0, name.size() - std::strlen(from)) + to;
    }
    older[renamed] = tensor;
  }
  tensors_ = older;
  Write();
  const auto renamed = Import();
  ASSERT_TRUE(renamed.ok()) << renamed.error().message;
  EXPECT_EQ(renamed->info.profile, whole->info.profile);
  tensors_ = whole->tensors;  // folded, as we write them
  Write();
  const auto folded = Import();
  ASSERT_TRUE(folded.ok()) << folded.error().message;
  EXPECT_EQ(folded->info.profile, whole->info.profile);
}

}  // namespace
}  // namespace vqc
