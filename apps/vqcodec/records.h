// SPDX-License-Identifier: Apache-2.0
// The keys that the records of several commands share, and their spelling for people.
#pragma once

#include <string>

#include "apps/vqcodec/batch.h"
#include "base/tokens.h"
#include "codec/container/stream.h"
#include "models/card.h"

namespace vqc {

// modality, model, model_hash
Json ModelRecord(const ModelCard& card);
// width, height, channels, bit_depth
Json PictureRecord(uint32_t width, uint32_t height, uint32_t channels, uint32_t bit_depth);
// tokens, levels, grid, codebook_sizes
Json TokensRecord(const TokenShape& shape, const std::vector<uint32_t>& vocab);
// bits_payload, bits_total, bpp
Json SizeRecord(uint64_t payload_bytes, uint64_t file_bytes, uint64_t pixels);

// rate, channels, frames, duration (seconds)
Json SoundRecord(double rate, uint32_t channels, uint64_t frames);
// bits_payload, bits_total, kbps
Json SoundSizeRecord(uint64_t payload_bytes, uint64_t file_bytes, double seconds);

std::string_view NameOf(Modality modality);
std::string HexKey(const ModelKey& key);
// 2441 bytes, 12.3 kB, 4.5 MB
std::string SizeText(uint64_t bytes);
std::string Fixed(double value, int digits);
// What messages call an input.
std::string InputName(const std::string& path);

}  // namespace vqc
