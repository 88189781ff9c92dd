// SPDX-License-Identifier: Apache-2.0
// The filter for Ampere, Ada and whatever has no wgmma: every warp multiplies its 16 queries with tiles that
// the whole block copies ahead.
#include <algorithm>

#include "quantizers/search/cuda/filter.cuh"

namespace vqc::cuda {
namespace {

constexpr int kStageGroups = 8;  // a stage holds up to 64 numbers of each codeword of a tile
constexpr int kStageBytes = kStageGroups * kTileCodes * 16;

__device__ uint32_t AddressOf(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// Four matrices of 8 rows of 16 bytes; lane l gives the address of row l % 8 of matrix l / 8.
__device__ void LoadMatrices(uint32_t (&to)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
}

__device__ void Multiply(float* v, const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(v[0]), "+f"(v[1]), "+f"(v[2]), "+f"(v[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

template <int kLeft>
__device__ void WaitCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory");
}

// The block's copy of piece `chunk` of all that it has to go through; nothing beyond the end.
__device__ void CopyChunk(const char* packed, int chunk, int chunks_of_tile, int tiles, int tile_bytes,
                          char* stage) {
  const int tile = chunk / chunks_of_tile, begin = chunk % chunks_of_tile * kStageBytes;
  if (tile < tiles) {
    const char* const from = packed + static_cast<size_t>(tile) * tile_bytes + begin;
    const int bytes = min(kStageBytes, tile_bytes - begin);
    for (int i = static_cast<int>(threadIdx.x) * 16; i < bytes; i += static_cast<int>(blockDim.x) * 16) {
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(AddressOf(stage + i)), "l"(from + i)
                   : "memory");
    }
  }
  asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int kRows, int kStages>
__global__ void __launch_bounds__(kRows * 2) Filter(const FilterArgs args, bool shared_lists) {
  extern __shared__ __align__(128) char memory[];
  const int groups = PaddedDim(args.codes.dim) / 8, tile_bytes = groups * kTileCodes * 16;
  const int chunks_of_tile = (groups + kStageGroups - 1) / kStageGroups;
  char* const ring = memory + groups * kRows * 16;
  auto* const margins = reinterpret_cast<float*>(ring + kStages * kStageBytes);
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  Candidate* const lists = (shared_lists ? reinterpret_cast<Candidate*>(margins + kRows)
                                         : args.scratch + size_t{blockIdx.x} * kRows * kListEntries) +
                           warp * 16 * kListEntries;
  const uint32_t queries = AddressOf(memory) + (lane / 16 * kRows + warp * 16 + lane % 16) * 16;
  const uint32_t codes = AddressOf(ring) + (lane / 8 % 2 * kTileCodes + lane / 16 * 8 + lane % 8) * 16;

  const int64_t blocks = (args.x.rows + kRows - 1) / kRows, pieces = blocks * args.segments;
  for (int64_t piece = blockIdx.x; piece < pieces; piece += gridDim.x) {
    const int segment = static_cast<int>(piece / blocks);
    const int64_t first_row = piece % blocks * kRows + warp * 16;
    const int first = segment * args.tiles_per_segment;
    const int tiles = min(args.tiles_per_segment, args.codes.tiles() - first);
    const char* const packed =
        reinterpret_cast<const char*>(args.codes.data) + static_cast<size_t>(first) * tile_bytes;
    for (int i = 0; i < kStages - 1; ++i) {
      CopyChunk(packed, i, chunks_of_tile, tiles, tile_bytes, ring + i * kStageBytes);
    }
    ConvertQueries(args, first_row, segment == 0,
                   {reinterpret_cast<uint4*>(memory) + warp * 16, kRows, margins + warp * 16});
    RowStates state;
    OpenRows(margins + warp * 16, state);

    int chunk = 0;
    for (int tile = 0; tile < tiles; ++tile) {
      float v[64] = {};
      for (int begin = 0; begin < groups; begin += kStageGroups, ++chunk) {
        WaitCopies<kStages - 2>();
        __syncthreads();
        CopyChunk(packed, chunk + kStages - 1, chunks_of_tile, tiles, tile_bytes,
                  ring + (chunk + kStages - 1) % kStages * kStageBytes);
        const uint32_t stage = codes + chunk % kStages * kStageBytes;
        const int end = min(groups - begin, kStageGroups);
        for (int group = 0; group < end; group += 2) {
          uint32_t a[4];
          LoadMatrices(a, queries + (begin + group) * kRows * 16);
#pragma unroll
          for (int i = 0; i < 16; i += 2) {
            uint32_t b[4];
            LoadMatrices(b, stage + (group * kTileCodes + i * 8) * 16);
            Multiply(v + i * 4, a, b[0], b[1]);
            Multiply(v + i * 4 + 4, a, b[2], b[3]);
          }
        }
      }
      CollectCandidates(v, (first + tile) * kTileCodes, lists, state);
    }
    WaitCopies<0>();
    CloseRows(args, first_row, segment, lists, state);
    __syncthreads();
  }
}

size_t SharedBytes(int dim, int rows, int stages, bool shared_lists) {
  return static_cast<size_t>(PaddedDim(dim)) * rows * 2 + static_cast<size_t>(stages) * kStageBytes +
         rows * 4 + (shared_lists ? static_cast<size_t>(rows) * kListEntries * sizeof(Candidate) : 0);
}

template <int kRows, int kStages>
cudaError_t Launch(const FilterArgs& args, const FilterPlan& plan, const Device& device,
                   cudaStream_t stream) {
  const size_t bytes = SharedBytes(args.codes.dim, kRows, kStages, plan.shared_lists);
  const cudaError_t set = cudaFuncSetAttribute(
      Filter<kRows, kStages>, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
  if (set != cudaSuccess) return set;
  const int64_t pieces = (args.x.rows + kRows - 1) / kRows * args.segments;
  const auto grid = static_cast<unsigned>(std::min<int64_t>(pieces, device.processors));
  Filter<kRows, kStages><<<grid, kRows * 2, bytes, stream>>>(args, plan.shared_lists);
  return cudaGetLastError();
}

}  // namespace

bool PlanFilter80(int dim, int rows, const Device& device, FilterPlan& plan) {
  if (rows > 128) return false;
  for (const auto& [stages, shared_lists] : {std::pair{3, true}, std::pair{3, false}, std::pair{2, false}}) {
    if (SharedBytes(dim, rows, stages, shared_lists) <= device.shared_bytes) {
      plan = {rows, stages, shared_lists};
      return true;
    }
  }
  return false;
}

cudaError_t RunFilter80(const FilterArgs& args, const FilterPlan& plan, const Device& device,
                        cudaStream_t stream) {
  switch (plan.rows * 10 + plan.stages) {
    case 1283:
      return Launch<128, 3>(args, plan, device, stream);
    case 1282:
      return Launch<128, 2>(args, plan, device, stream);
    case 643:
      return Launch<64, 3>(args, plan, device, stream);
    case 642:
      return Launch<64, 2>(args, plan, device, stream);
    case 323:
      return Launch<32, 3>(args, plan, device, stream);
    default:
      return Launch<32, 2>(args, plan, device, stream);
  }
}

}  // namespace vqc::cuda
