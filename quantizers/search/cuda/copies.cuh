// SPDX-License-Identifier: Apache-2.0
// Codewords that are equal in all bits: only the first can be an answer, so the filter need not see the
// others. A hash table finds them, with open addressing and linear probing.
#pragma once

#include <cstdint>

namespace vqc::cuda {

struct CopyTable {
  unsigned long long* slots;  // [size]: the upper half of the hash, then the least id of the equal codewords
  int* places;                // [K]: the slot of each codeword
  unsigned size;              // a power of two, at least 2 K
};

inline constexpr unsigned long long kFreeSlot = ~0ull;

__host__ __device__ constexpr unsigned CopyTableSize(int codes) {
  unsigned size = 1;
  while (size < 2u * static_cast<unsigned>(codes)) size *= 2;
  return size;
}

// Adds eight numbers to the hash of a row.
__device__ inline void HashGroup(const float (&v)[8], unsigned long long& hash) {
#pragma unroll
  for (const float number : v) hash = (hash ^ __float_as_uint(number)) * 0x9e3779b97f4a7c15ull;
}

// The hash of a row from those of its four lanes (rows.cuh), which began at different numbers.
__device__ inline unsigned long long JoinHashes(unsigned long long hash) {
  hash += __shfl_xor_sync(0xffffffffu, hash, 8);
  hash += __shfl_xor_sync(0xffffffffu, hash, 16);
  hash = (hash ^ hash >> 32) * 0xbf58476d1ce4e5b9ull;
  return hash ^ hash >> 29;
}

__device__ inline bool SameBits(const float* a, const float* b, int dim) {
  for (int d = 0; d < dim; ++d) {
    if (__float_as_uint(__ldg(a + d)) != __float_as_uint(__ldg(b + d))) return false;
  }
  return true;
}

// Equal codewords take the same way through the slots, and a slot that is taken stays with its codewords. So
// they end in one slot, in whatever order they come.
__device__ inline void EnterCodeword(const CopyTable& table, unsigned long long hash, const float* codewords,
                                     int64_t stride, int dim, int id) {
  const unsigned long long entry = (hash & ~0xffffffffull) | static_cast<unsigned>(id);
  unsigned at = static_cast<unsigned>(hash) & (table.size - 1);
  for (;; at = (at + 1) & (table.size - 1)) {
    const unsigned long long held = atomicCAS(table.slots + at, kFreeSlot, entry);
    if (held == kFreeSlot) break;
    if ((held ^ entry) >> 32) continue;
    const int64_t other = static_cast<int64_t>(held & 0xffffffffull);
    if (SameBits(codewords + other * stride, codewords + id * stride, dim)) {
      atomicMin(table.slots + at, entry);
      break;
    }
  }
  table.places[id] = static_cast<int>(at);
}

// Whether a codeword before this one is equal to it. After all have been entered.
__device__ inline bool IsCopy(const CopyTable& table, int64_t id) {
  return static_cast<unsigned>(table.slots[table.places[id]]) != static_cast<unsigned>(id);
}

}  // namespace vqc::cuda
