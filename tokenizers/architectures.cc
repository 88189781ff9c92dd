// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/architectures.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "tokenizers/audio/stream_tokenizer.h"
#include "tokenizers/image/picture_tokenizer.h"

namespace vqc {
namespace {

template <class T>
std::function<Status()> Loading(std::shared_ptr<Lazy<T>> lazy) {
  return [lazy = std::move(lazy)]() -> Status {
    VQC_TRY(lazy->Get());
    return {};
  };
}

using MakeSound = Result<StreamParts> (*)(const nlohmann::json&, const audio::Weights&);

template <MakeSound make>
Result<BuiltTokenizer> BuildStream(std::string_view type, const nlohmann::json& network,
                                   const audio::Weights& weights, int threads) {
  VQC_ASSIGN(StreamParts parts, make(network, weights));
  nlohmann::json config = ConfigOf(parts);
  std::vector<std::vector<uint32_t>> factors;
  for (const uint32_t entries : parts.codes->Vocab()) factors.push_back({entries});
  auto load_decoder = Loading(parts.decoder);
  return BuiltTokenizer{MakeStreamTokenizer(type, std::move(parts), threads), std::move(config),
                        std::move(factors), std::move(load_decoder)};
}

using MakePicture = Result<PictureParts> (*)(const nlohmann::json&, const nn::Weights&, int);

template <MakePicture make>
Result<BuiltTokenizer> BuildPicture(std::string_view type, const nlohmann::json& network,
                                    const audio::Weights& weights, int threads) {
  VQC_ASSIGN(PictureParts parts, make(network, weights, threads));
  nlohmann::json config = ConfigOf(parts);
  auto factors = std::move(parts.factors);
  auto load_decoder = Loading(parts.decoder);
  return BuiltTokenizer{MakePictureTokenizer(type, std::move(parts), threads),
                        std::move(config),
                        {std::move(factors)},
                        std::move(load_decoder)};
}

struct Row {
  std::string_view type;
  Result<BuiltTokenizer> (*build)(std::string_view type, const nlohmann::json& network,
                                  const audio::Weights& weights, int threads);
  MakeSound sound = nullptr;      // of architectures of sound
  MakePicture picture = nullptr;  // of those of pictures
};

constexpr Row kRows[] = {
    {"encodec", &BuildStream<MakeEncodec>, &MakeEncodec},
    {"dac", &BuildStream<MakeDac>, &MakeDac},
    {"mimi", &BuildStream<MakeMimi>, &MakeMimi},
    {"snac", &BuildStream<MakeSnac>, &MakeSnac},
    {"wavtokenizer", &BuildStream<MakeWavTokenizer>, &MakeWavTokenizer},
    {"vqgan", &BuildPicture<MakeVqgan>, nullptr, &MakeVqgan},
    {"ibq", &BuildPicture<MakeIbq>, nullptr, &MakeIbq},
    {"magvit2", &BuildPicture<MakeMagvit2>, nullptr, &MakeMagvit2},
    {"cosmos", &BuildPicture<MakeCosmos>, nullptr, &MakeCosmos},
};

const Row* Find(std::string_view type) {
  const auto* row =
      std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.type == type; });
  return row == std::end(kRows) ? nullptr : row;
}

}  // namespace

bool IsArchitecture(std::string_view type) { return Find(type) != nullptr; }

bool IsSoundArchitecture(std::string_view type) {
  const Row* row = Find(type);
  return row && row->sound;
}

Result<BuiltTokenizer> BuildArchitecture(std::string_view type, const nlohmann::json& network,
                                         const audio::Weights& weights, int threads) {
  return Find(type)->build(type, network, weights, threads);
}

Result<StreamParts> BuildSoundParts(std::string_view type, const nlohmann::json& network,
                                    const audio::Weights& weights) {
  return Find(type)->sound(network, weights);
}

Result<PictureParts> BuildPictureParts(std::string_view type, const nlohmann::json& network,
                                       const audio::Weights& weights, int threads) {
  return Find(type)->picture(network, weights, threads);
}

}  // namespace vqc
