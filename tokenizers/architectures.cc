// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/architectures.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "tokenizers/audio/stream_tokenizer.h"
#include "tokenizers/image/vqgan_tokenizer.h"

namespace vqc {
namespace {

template <Result<StreamParts> (*make)(const nlohmann::json&, const audio::Weights&)>
Result<BuiltTokenizer> BuildStream(std::string_view type, const nlohmann::json& network,
                                   const audio::Weights& weights, int) {
  VQC_ASSIGN(StreamParts parts, make(network, weights));
  nlohmann::json config = ConfigOf(parts);
  return BuiltTokenizer{MakeStreamTokenizer(type, std::move(parts)), std::move(config)};
}

struct Row {
  std::string_view type;
  Result<BuiltTokenizer> (*build)(std::string_view type, const nlohmann::json& network,
                                  const audio::Weights& weights, int threads);
};

constexpr Row kRows[] = {
    {"encodec", &BuildStream<MakeEncodec>}, {"dac", &BuildStream<MakeDac>}, {"mimi", &BuildStream<MakeMimi>},
    {"snac", &BuildStream<MakeSnac>},       {"vqgan", &BuildVqgan},
};

const Row* Find(std::string_view type) {
  const auto* row =
      std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.type == type; });
  return row == std::end(kRows) ? nullptr : row;
}

}  // namespace

bool IsArchitecture(std::string_view type) { return Find(type) != nullptr; }

Result<BuiltTokenizer> BuildArchitecture(std::string_view type, const nlohmann::json& network,
                                         const audio::Weights& weights, int threads) {
  return Find(type)->build(type, network, weights, threads);
}

}  // namespace vqc
