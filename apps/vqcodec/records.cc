// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/records.h"

#include <cstdio>

#include "base/printable.h"
#include "base/sha256.h"

namespace vqc {

Json ModelRecord(const ModelCard& card) {
  return {{"modality", NameOf(card.modality)}, {"model", card.name}, {"model_hash", HexKey(card.Key())}};
}

Json PictureRecord(uint32_t width, uint32_t height, uint32_t channels, uint32_t bit_depth) {
  return {{"width", width}, {"height", height}, {"channels", channels}, {"bit_depth", bit_depth}};
}

Json TokensRecord(const TokenShape& shape, const std::vector<uint32_t>& vocab) {
  return {{"tokens", shape.Count()},
          {"levels", shape.levels},
          {"grid", {shape.t, shape.h, shape.w}},
          {"codebook_sizes", vocab}};
}

Json SizeRecord(uint64_t payload_bytes, uint64_t file_bytes, uint64_t pixels) {
  return {{"bits_payload", 8 * payload_bytes},
          {"bits_total", 8 * file_bytes},
          {"bpp", 8.0 * static_cast<double>(file_bytes) / static_cast<double>(pixels)}};
}

Json SoundRecord(double rate, uint32_t channels, uint64_t frames) {
  return {{"rate", rate},
          {"channels", channels},
          {"frames", frames},
          {"duration", rate > 0 ? static_cast<double>(frames) / rate : 0.0}};
}

Json SoundSizeRecord(uint64_t payload_bytes, uint64_t file_bytes, double seconds) {
  return {{"bits_payload", 8 * payload_bytes},
          {"bits_total", 8 * file_bytes},
          {"kbps", seconds > 0 ? 8e-3 * static_cast<double>(file_bytes) / seconds : 0.0}};
}

std::string_view NameOf(Modality modality) {
  switch (modality) {
    case Modality::kImage:
      return "image";
    case Modality::kAudio:
      return "audio";
    case Modality::kAction:
      return "action";
  }
  return "unknown";
}

std::string HexKey(const ModelKey& key) { return HexOf(key); }

std::string SizeText(uint64_t bytes) {
  if (bytes < 10000) return std::to_string(bytes) + " bytes";
  if (bytes < 1000000) return Fixed(static_cast<double>(bytes) / 1e3, 1) + " kB";
  return Fixed(static_cast<double>(bytes) / 1e6, 1) + " MB";
}

std::string Fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string InputName(const std::string& path) { return path == "-" ? "standard input" : Printable(path); }

}  // namespace vqc
