// SPDX-License-Identifier: Apache-2.0
// The audio tokenizer on small seeded networks: the same as the networks that are trained, and the same
// however the sound is cut.
#include "tokenizers/audio/audio_tokenizer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "models/audio_network.h"
#include "models/weights.h"
#include "quantizers/quantizer.h"

namespace vqc {
namespace {

using nlohmann::json;

const json kCausal = {{"network",
                       {{"hop", 32},
                        {"phase_bins", 12},
                        {"encoder", {{"width", 24}, {"blocks", 2}}},
                        {"decoder", {{"width", 40}, {"blocks", 2}}}}},
                      {"quantizer",
                       {{"type", "residual"},
                        {"levels", 3},
                        {"quantizer", {{"type", "vq"}, {"entries", 16}, {"dim", 8}, {"update", "ema"}}}}}};
const json kFolded = {
    {"network",
     {{"hop", 20},
      {"fold", 4},
      {"phase_bins", 0},
      {"encoder", {{"width", 16}, {"blocks", 1}, {"token_width", 24}, {"token_blocks", 1}, {"ahead", 3}}},
      {"decoder", {{"width", 16}, {"blocks", 2}, {"token_width", 24}, {"token_blocks", 1}, {"ahead", 2}}}}},
    {"quantizer", {{"type", "fsq"}, {"levels", {3, 3, 3, 3}}}}};

// The networks as they are trained, and the tokenizer with their weights.
struct Model {
  AudioNetworkConfig config;
  std::shared_ptr<Quantizer> quantizer;
  AudioEncoder encoder{nullptr};
  AudioDecoder decoder{nullptr};
  std::shared_ptr<const Tokenizer> tokenizer;

  explicit Model(const json& given) {
    torch::manual_seed(7);
    config = *ParseAudioNetwork(given["network"]);
    quantizer = *MakeQuantizer(given["quantizer"]);
    encoder = AudioEncoder(config, quantizer->Dim());
    decoder = AudioDecoder(config, quantizer->Dim());
    quantizer->eval();
    TensorBag bag;
    const torch::NoGradGuard no_grad;
    const auto add = [&](torch::nn::Module& module, const std::string& prefix) {
      for (auto& item : module.named_parameters()) bag.Add(prefix + item.key(), item.value(), DType::kF32);
    };
    add(*encoder, "encoder.");
    add(*decoder, "decoder.");
    add(*quantizer, "quantizer.");
    ModelCard card;
    card.config = given;
    auto bytes = WriteSafeTensors(bag.Views(), {});
    auto tensors = SafeTensors::Parse(std::move(*bytes), "test");
    auto made = MakeAudioTokenizer(card, *tensors, "cpu", 1);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
    if (made.ok()) tokenizer = *made;
  }
};

std::vector<float> Speech(int count) {
  std::vector<float> samples(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    samples[static_cast<size_t>(i)] =
        0.4f * std::sin(0.05f * i + std::sin(0.001f * i) * 8) + 0.1f * std::sin(0.9f * i);
  }
  return samples;
}

Clip ClipOf(std::vector<float> samples) {
  Clip clip;
  clip.modality = Modality::kAudio;
  clip.frames = static_cast<int>(samples.size());
  clip.rate = 24000;
  clip.data = std::move(samples);
  return clip;
}

Tokens Append(Tokens all, const Result<Tokens>& more) {
  EXPECT_TRUE(more.ok());
  all.shape.t += more->shape.t;
  all.ids.insert(all.ids.end(), more->ids.begin(), more->ids.end());
  return all;
}

Tokens EncodeInPieces(const Tokenizer& tokenizer, const std::vector<float>& samples, size_t piece) {
  auto session = *tokenizer.NewEncodeSession();
  Tokens all = *session->Push({});
  for (size_t at = 0; at < samples.size(); at += piece) {
    all = Append(all, session->Push(std::span(samples).subspan(at, std::min(piece, samples.size() - at))));
  }
  return Append(all, session->Flush());
}

Tokens Slice(const Tokens& tokens, size_t begin, size_t end) {
  const size_t levels = tokens.shape.levels;
  Tokens part{{tokens.shape.levels, static_cast<uint32_t>(end - begin), 1, 1}, tokens.vocab, {}};
  part.ids.assign(tokens.ids.begin() + static_cast<long>(begin * levels),
                  tokens.ids.begin() + static_cast<long>(end * levels));
  return part;
}

std::vector<float> DecodeInPieces(const Tokenizer& tokenizer, const Tokens& tokens, size_t piece) {
  auto session = *tokenizer.NewDecodeSession();
  std::vector<float> all;
  const auto add = [&](const Result<std::vector<float>>& more) {
    ASSERT_TRUE(more.ok());
    all.insert(all.end(), more->begin(), more->end());
  };
  for (size_t at = 0; at < tokens.shape.t; at += piece) {
    add(session->Push(Slice(tokens, at, std::min<size_t>(at + piece, tokens.shape.t))));
  }
  add(session->Flush());
  return all;
}

class AudioTokenizerTest : public testing::TestWithParam<const json*> {
 protected:
  Model model_{*GetParam()};
  const Tokenizer& tokenizer_ = *model_.tokenizer;
};

TEST_P(AudioTokenizerTest, IsTheNetworkThatIsTrained) {
  const torch::NoGradGuard no_grad;
  const int stride = model_.config.Stride();
  const auto samples = Speech(50 * stride);
  const auto input = torch::tensor(samples).unsqueeze(0);
  const auto latents = model_.encoder->forward(input);
  const auto codes = model_.quantizer->Encode(latents);
  const Clip clip = ClipOf(samples);
  const auto tokens = tokenizer_.Encode({&clip, 1});
  ASSERT_TRUE(tokens.ok()) << tokens.error().message;
  size_t same = 0;
  const auto flat = codes[0].t().contiguous();
  for (size_t i = 0; i < tokens->front().ids.size(); ++i) {
    same += flat.data_ptr<int64_t>()[i] == static_cast<int64_t>(tokens->front().ids[i]);
  }
  EXPECT_GE(same, tokens->front().ids.size() * 98 / 100);  // but for latents near a border

  auto given = codes.clone();
  for (int64_t t = 0; t < codes.size(2); ++t) {
    for (int64_t k = 0; k < codes.size(1); ++k)
      given[0][k][t] = static_cast<int64_t>(tokens->front().ids[static_cast<size_t>(t * codes.size(1) + k)]);
  }
  const auto decoded = model_.decoder->forward(model_.quantizer->Decode(given));
  const Tokenizer::Target target{clip.frames, 1, 1, 1};
  const auto ours = tokenizer_.Decode(*tokens, {&target, 1});
  ASSERT_TRUE(ours.ok()) << ours.error().message;
  float peak = 0, error = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const float wanted = std::clamp(decoded.data_ptr<float>()[i], -1.0f, 1.0f);
    peak = std::max(peak, std::abs(wanted));
    error = std::max(error, std::abs(wanted - ours->front().data[i]));
  }
  EXPECT_GT(peak, 0.01f);
  EXPECT_LT(error, 2e-4f);
}

TEST_P(AudioTokenizerTest, PiecesGiveWhatTheWholeGives) {
  const auto samples = Speech(2903);
  const Clip clip = ClipOf(samples);
  const auto whole = tokenizer_.Encode({&clip, 1});
  ASSERT_TRUE(whole.ok());
  const Tokenizer::Target target{clip.frames, 1, 1, 1};
  const auto sound = tokenizer_.Decode(*whole, {&target, 1});
  ASSERT_TRUE(sound.ok());
  for (const size_t piece : {1, 7, 31, 127, 1009, 2903}) {
    EXPECT_EQ(EncodeInPieces(tokenizer_, samples, piece), whole->front()) << piece;
    auto decoded = DecodeInPieces(tokenizer_, whole->front(), piece);
    EXPECT_EQ(decoded.size(), whole->front().shape.t * static_cast<size_t>(tokenizer_.Info().stride));
    decoded.resize(samples.size());
    EXPECT_EQ(decoded, sound->front().data) << piece;
  }
}

TEST_P(AudioTokenizerTest, ThreadsAndBatchesGiveTheSame) {
  std::vector<Clip> clips;
  for (int i = 0; i < 6; ++i) clips.push_back(ClipOf(Speech(900 + 111 * i)));
  const auto batch = tokenizer_.Encode(clips);
  ASSERT_TRUE(batch.ok());
  std::vector<Tokens> singles(clips.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < clips.size(); ++i) {
    threads.emplace_back([&, i] { singles[i] = tokenizer_.Encode({&clips[i], 1})->front(); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(singles, *batch);
}

TEST_P(AudioTokenizerTest, AnyLengthComesBack) {
  auto session = *tokenizer_.NewEncodeSession();
  EXPECT_EQ(session->Flush()->shape.t, 0u);  // no sample
  EXPECT_TRUE((*tokenizer_.NewDecodeSession())->Flush()->empty());
  const int stride = tokenizer_.Info().stride;
  for (const int length : {1, 2, stride - 1, stride, stride + 1, 5 * stride + 3}) {
    const Clip clip = ClipOf(Speech(length));
    const auto tokens = tokenizer_.Encode({&clip, 1});
    ASSERT_TRUE(tokens.ok()) << tokens.error().message;
    EXPECT_EQ(tokens->front().shape.t, static_cast<uint32_t>((length + stride - 1) / stride));
    const Tokenizer::Target target{length, 1, 1, 1};
    EXPECT_EQ(tokenizer_.Decode(*tokens, {&target, 1})->front().frames, length);
  }
}

TEST_P(AudioTokenizerTest, ExtremeSoundStaysFinite) {
  std::vector<std::vector<float>> sounds(4, std::vector<float>(1500));
  std::fill(sounds[0].begin(), sounds[0].end(), 1.0f);
  for (size_t i = 0; i < 1500; ++i) sounds[2][i] = i / 40 % 2 ? 1.0f : -1.0f;
  for (size_t i = 0; i < 1500; ++i) sounds[3][i] = i % 2 ? 1e30f : -1e30f;
  for (const auto& sound : sounds) {
    const Tokens tokens = EncodeInPieces(tokenizer_, sound, 100);
    for (const float sample : DecodeInPieces(tokenizer_, tokens, 3)) ASSERT_LE(std::abs(sample), 1.0f);
  }
  const float bad[] = {0, NAN};
  EXPECT_EQ((*tokenizer_.NewEncodeSession())->Push(bad).error().code, ErrorCode::kInput);
}

TEST_P(AudioTokenizerTest, LatencyIsWhatInfoSays) {
  const int stride = tokenizer_.Info().stride;
  const auto samples = Speech(60 * stride);
  auto encoder = *tokenizer_.NewEncodeSession();
  auto decoder = *tokenizer_.NewDecodeSession();
  int64_t given = 0, behind = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    behind = std::max(behind, static_cast<int64_t>(i) + 1 - given);  // of the sample that is waited for
    const auto tokens = encoder->Push(std::span(samples).subspan(i, 1));
    given += static_cast<int64_t>(decoder->Push(*tokens)->size());
  }
  EXPECT_EQ(behind, tokenizer_.Info().latency);
}

TEST_P(AudioTokenizerTest, LostTokensKeepLengthAndLevel) {
  const Clip clip = ClipOf(Speech(6000));
  const Tokens tokens = tokenizer_.Encode({&clip, 1})->front();
  const auto whole = DecodeInPieces(tokenizer_, tokens, 5);
  const float peak = std::abs(*std::max_element(whole.begin(), whole.end(),
                                                [](float a, float b) { return std::abs(a) < std::abs(b); }));
  auto session = *tokenizer_.NewDecodeSession();
  std::vector<float> heard;
  const auto add = [&](const Result<std::vector<float>>& more) {
    heard.insert(heard.end(), more->begin(), more->end());
  };
  const size_t third = tokens.shape.t / 3;
  add(session->Conceal(2));  // before anything came
  add(session->Push(Slice(tokens, 2, third)));
  add(session->Conceal(static_cast<uint32_t>(third)));
  add(session->Push(Slice(tokens, 2 * third, tokens.shape.t)));
  add(session->Flush());
  EXPECT_EQ(heard.size(), whole.size());
  for (const float sample : heard) ASSERT_LE(std::abs(sample), peak * 1.41f);
}

// What is made up before anything was heard would make the network louder than the sound is.
TEST_P(AudioTokenizerTest, ALostBeginningIsSilenceAndMisleadsNothing) {
  const Clip clip = ClipOf(Speech(6000));
  const Tokens tokens = tokenizer_.Encode({&clip, 1})->front();
  const Tokens rest = Slice(tokens, 7, tokens.shape.t);
  const auto expected = DecodeInPieces(tokenizer_, rest, 5);
  auto session = *tokenizer_.NewDecodeSession();
  auto heard = *session->Conceal(7);
  EXPECT_EQ(heard, std::vector<float>(7 * static_cast<size_t>(tokenizer_.Info().stride), 0.0f));
  heard = *session->Push(rest);
  const auto end = *session->Flush();
  heard.insert(heard.end(), end.begin(), end.end());
  ASSERT_EQ(heard.size(), expected.size());
  const auto rise = static_cast<size_t>(tokenizer_.Info().rate) / 10;
  ASSERT_LT(rise, heard.size());
  for (size_t i = 0; i < heard.size(); ++i) {
    if (i < rise) {
      const auto gain = static_cast<float>(i + 1) / static_cast<float>(rise);
      EXPECT_NEAR(heard[i], gain * expected[i], 1e-4f) << i << ": it comes in slowly";
    } else {
      ASSERT_EQ(heard[i], expected[i]) << i;
    }
  }
}

TEST_P(AudioTokenizerTest, IdsOutsideOfTheVocabularyAreRefused) {
  auto session = *tokenizer_.NewDecodeSession();
  Tokens tokens{{1, 1, 1, 1}, {tokenizer_.Info().vocab[0]}, {tokenizer_.Info().vocab[0]}};
  EXPECT_EQ(session->Push(tokens).error().code, ErrorCode::kCorruptData);
  tokens.ids = {0, 0};
  EXPECT_EQ(session->Push(tokens).error().code, ErrorCode::kCorruptData);
}

INSTANTIATE_TEST_SUITE_P(Networks, AudioTokenizerTest, testing::Values(&kCausal, &kFolded),
                         [](const auto& test) { return test.index == 0 ? "causal" : "folded"; });

TEST(AudioTokenizer, FewerLevelsDecode) {
  const Model model(kCausal);
  const Clip clip = ClipOf(Speech(2000));
  const Tokens all = model.tokenizer->Encode({&clip, 1})->front();
  Tokens first{{1, all.shape.t, 1, 1}, {all.vocab[0]}, {}};
  for (size_t i = 0; i < all.ids.size(); i += 3) first.ids.push_back(all.ids[i]);
  EXPECT_NE(DecodeInPieces(*model.tokenizer, first, 9), DecodeInPieces(*model.tokenizer, all, 9));
}

}  // namespace
}  // namespace vqc
