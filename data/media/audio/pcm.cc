// SPDX-License-Identifier: Apache-2.0
#include "data/media/audio/pcm.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace vqc {
namespace {

uint64_t Load(const uint8_t* bytes, size_t size, bool big_endian) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= uint64_t{bytes[big_endian ? size - 1 - i : i]} << (8 * i);
  return value;
}

void Store(uint64_t value, size_t size, uint8_t* bytes) {
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(value >> (8 * i));
}

// Two's complement of `bits` bits.
int32_t Signed(uint64_t value, int bits) {
  const auto high = static_cast<uint32_t>(value << (32 - bits));
  return static_cast<int32_t>(high) >> (32 - bits);
}

}  // namespace

size_t BytesOf(SampleFormat format) {
  constexpr size_t kBytes[] = {1, 2, 3, 4, 4, 8};
  return kBytes[static_cast<int>(format)];
}

int BitsOf(SampleFormat format) { return 8 * static_cast<int>(BytesOf(format)); }

bool IsFloat(SampleFormat format) { return format == SampleFormat::kF32 || format == SampleFormat::kF64; }

void ToFloats(SampleFormat format, bool big_endian, std::span<const uint8_t> bytes,
              std::span<float> samples) {
  const size_t size = BytesOf(format);
  const uint8_t* in = bytes.data();
  const int bits = BitsOf(format);
  for (float& sample : samples) {
    const uint64_t value = Load(in, size, big_endian);
    in += size;
    if (format == SampleFormat::kF32) {
      sample = std::bit_cast<float>(static_cast<uint32_t>(value));
    } else if (format == SampleFormat::kF64) {
      sample = static_cast<float>(std::clamp(std::bit_cast<double>(value), -2.0, 2.0));
    } else if (format == SampleFormat::kU8) {
      sample = static_cast<float>(static_cast<int>(value) - 128) / 128.0f;
    } else {
      sample = static_cast<float>(std::ldexp(static_cast<double>(Signed(value, bits)), 1 - bits));
    }
  }
}

void FromFloats(SampleFormat format, std::span<const float> samples, std::span<uint8_t> bytes) {
  const size_t size = BytesOf(format);
  const double scale = std::ldexp(1.0, BitsOf(format) - 1);
  uint8_t* out = bytes.data();
  for (const float sample : samples) {
    uint64_t value = 0;
    if (format == SampleFormat::kF32) {
      value = std::bit_cast<uint32_t>(sample);
    } else if (format == SampleFormat::kF64) {
      value = std::bit_cast<uint64_t>(static_cast<double>(sample));
    } else {
      const double whole = std::nearbyint(std::clamp(sample * scale, -scale, scale - 1));
      value = static_cast<uint64_t>(static_cast<int64_t>(whole) + (format == SampleFormat::kU8 ? 128 : 0));
    }
    Store(value, size, out);
    out += size;
  }
}

}  // namespace vqc
