// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78): "123456789" gives 0xE3069283.
// It detects every error of one, two or three bits in less than 256 MiB, and every burst of up to 32 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vqc {

// Of the bytes that gave `previous`, followed by `bytes`: Crc32c(b, Crc32c(a)) == Crc32c(a then b).
uint32_t Crc32c(std::span<const uint8_t> bytes, uint32_t previous = 0);

// The implementations that Crc32c chooses from, once, by the processor it runs on. The portable one is the
// specification. Crc32cSse42 is null where the program was built for a processor without it; calling it on
// one that lacks SSE 4.2 is a fault.
using Crc32cFunction = uint32_t (*)(std::span<const uint8_t> bytes, uint32_t previous);
uint32_t Crc32cPortable(std::span<const uint8_t> bytes, uint32_t previous);
extern const Crc32cFunction Crc32cSse42;
bool CpuHasSse42();

}  // namespace vqc
