// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/outline.h"

#include "entropy/digits.h"

namespace vqc {
namespace {

constexpr int kMaxStride = 1 << 16, kMaxSamples = 1 << 24, kMaxSessionChannels = 255;

// The integer `key` of `config`: `missing` where it is not there, -1 where it is out of [low, high].
int IntegerOf(const nlohmann::json& config, const char* key, int low, int high, int missing) {
  if (!config.is_object() || !config.contains(key)) return missing;
  const nlohmann::json& value = config[key];
  if (!value.is_number_integer() || value < low || value > high) return -1;
  return value.get<int>();
}

}  // namespace

std::optional<TokenizerOutline> OutlineOf(const ModelCard& card) {
  TokenizerOutline outline;
  outline.stride = IntegerOf(card.config, "stride", 1, kMaxStride, -1);
  outline.receptive_field = IntegerOf(card.config, "receptive_field", 0, kMaxSamples, 0);
  outline.tile = IntegerOf(card.config, "tile", 0, kMaxSamples, 0);
  outline.halo = IntegerOf(card.config, "halo", 0, kMaxSamples, 0);
  outline.rate = IntegerOf(card.config, "rate", 1, 1 << 20, 0);
  if (outline.rate == 0 && card.config.is_object() && card.config.contains("network"))
    outline.rate = IntegerOf(card.config["network"], "rate", 1, 1 << 20, 0);
  outline.vocab = VocabOf(card);
  outline.channels = IntegerOf(card.config, "channels", 1, kMaxSessionChannels, 1);
  outline.segments.samples = IntegerOf(card.config, "segment", 1, kMaxSamples, 0);
  outline.segments.hop = IntegerOf(card.config, "hop", 1, kMaxSamples, 0);
  const auto [samples, hop] = outline.segments;
  if (outline.channels < 0 || samples < 0 || hop > samples || 2 * hop < samples) return std::nullopt;
  if (outline.stride < 0 || outline.receptive_field < 0 || outline.tile < 0 || outline.halo < 0 ||
      outline.rate < 0)
    return std::nullopt;
  if (outline.vocab.empty()) return std::nullopt;
  return outline;
}

std::vector<uint32_t> VocabOf(const ModelCard& card) {
  std::vector<uint32_t> vocab;
  if (card.config.is_object() && card.config.contains("vocab")) {
    const nlohmann::json& stated = card.config["vocab"];
    if (!stated.is_array() || stated.size() > kMaxTokenLevels) return {};
    for (const nlohmann::json& entries : stated) {
      if (!entries.is_number_integer() || entries < 2 || entries > kMaxVocab) return {};
      vocab.push_back(entries.get<uint32_t>());
    }
    return vocab;
  }
  for (const auto& digits : card.factors) {
    uint64_t product = 1;
    for (const uint32_t digit : digits) {
      product *= digit;
      if (product > kMaxVocab) return {};
    }
    if (product < 2) return {};
    vocab.push_back(static_cast<uint32_t>(product));
  }
  return vocab;
}

TokenShape ImageShape(size_t levels, int stride, uint32_t height, uint32_t width) {
  const auto cells = [stride](uint32_t size) {
    return static_cast<uint32_t>((uint64_t{size} + static_cast<uint32_t>(stride) - 1) /
                                 static_cast<uint32_t>(stride));
  };
  return {static_cast<uint32_t>(levels), 1, cells(height), cells(width)};
}

}  // namespace vqc
