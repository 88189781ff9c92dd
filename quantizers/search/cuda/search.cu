// SPDX-License-Identifier: Apache-2.0
// Plans a search and launches its kernels: what lies where in the caller's memory, how much of the queries
// goes through at a time, and how the work is cut for the device at hand.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "quantizers/search/cuda/kernels.cuh"
#include "quantizers/search/cuda/part.h"
#include "quantizers/search/cuda/searcher.cuh"

namespace vqc::cuda {
namespace {

constexpr int64_t kMaxCodes = 1 << 20, kMaxDim = 1024;
constexpr int64_t kMaxRows = 1 << 21;   // at a time: 48 MiB of queues
constexpr int64_t kMaxLists = 1 << 18;  // rows x segments where there are several: 64 MiB of candidates
constexpr int kMaxSegments = 32, kMaxNeighbours = 16;

}  // namespace

Result<Device> DeviceOf(int index) {
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess)
    return CudaError("the driver", error);
  if (index < 0 || index >= count) {
    return Error{ErrorCode::kResource, "search on the GPU: there is no device " + std::to_string(index) +
                                           "; " + std::to_string(count) + " were found"};
  }
  Device device{index, 0, 0, 0};
  int shared = 0;
  for (const auto& [attribute, to] : {std::pair{cudaDevAttrMultiProcessorCount, &device.processors},
                                      std::pair{cudaDevAttrComputeCapabilityMajor, &device.major},
                                      std::pair{cudaDevAttrMaxSharedMemoryPerBlockOptin, &shared}}) {
    const cudaError_t error = cudaDeviceGetAttribute(to, attribute, index);
    if (error != cudaSuccess) return CudaError("the device", error);
  }
  device.shared_bytes = static_cast<size_t>(shared);
  return device;
}

namespace {

// Parts of the caller's memory, each aligned to 256 bytes. Without memory it counts only.
class Carver {
 public:
  explicit Carver(void* memory) : base_(static_cast<char*>(memory)) {}
  template <class T>
  T* Take(int64_t count) {
    char* const at = base_ ? base_ + used_ : nullptr;
    used_ += (static_cast<size_t>(count) * sizeof(T) + 255) / 256 * 256;
    return reinterpret_cast<T*>(at);
  }
  size_t used() const { return used_; }

 private:
  char* base_;
  size_t used_ = 0;
};

Packed Unpack(const CudaCodebook& codebook, size_t* bytes = nullptr) {
  Packed packed{codebook.metric,
                static_cast<int>(codebook.codewords.rows),
                static_cast<int>(codebook.dim),
                {codebook.codewords.data, codebook.codewords.rows, codebook.codewords.stride},
                nullptr,
                nullptr,
                nullptr,
                nullptr,
                {}};
  Carver carver(codebook.memory);
  packed.header = carver.Take<CodebookHeader>(1);
  packed.center = carver.Take<float>(PaddedDim(packed.dim));
  packed.scales = carver.Take<float>(packed.codes);
  packed.data =
      carver.Take<uint4>(static_cast<int64_t>(packed.tiles()) * kTileCodes * PaddedDim(packed.dim) / 8);
  packed.copies.size = CopyTableSize(packed.codes);
  packed.copies.slots = carver.Take<unsigned long long>(packed.copies.size);
  packed.copies.places = carver.Take<int>(packed.codes);
  if (packed.metric != Metric::kSquaredL2) packed.center = nullptr;
  if (packed.metric != Metric::kCosine) packed.scales = nullptr;
  if (bytes) *bytes = carver.used();
  return packed;
}

struct Plan {
  bool hopper = false;
  FilterPlan filter{};
  int segments = 1, tiles_per_segment = 1;
  int64_t chunk = 0;  // rows at a time
};

// Time of a piece of work is taken as (tiles + kStart) x what a tile takes a block of so many rows.
Plan MakePlan(const Packed& codes, int64_t rows, const Device& device) {
  constexpr double kStart = 6;
  struct Size {
    int rows;
    double tile;
  };
  constexpr Size kSizes[] = {{256, 4.0}, {128, 2.3}, {64, 1.7}, {32, 1.5}};
  Plan best;
  double least = 0;
  static const char* const forced = std::getenv("VQCODEC_CUDA_FILTER");  // "80": not Hopper's
  best.hopper = device.major == 9 && !(forced && std::string(forced) == "80");
  const auto plan_filter = best.hopper ? PlanFilter90 : PlanFilter80;
  for (const Size& size : kSizes) {
    FilterPlan filter;
    if (!plan_filter(codes.dim, size.rows, device, filter)) continue;
    const int64_t wave = int64_t{device.processors} * size.rows;
    for (int segments = 1; segments <= std::min(kMaxSegments, codes.tiles()); segments *= 2) {
      if (segments > 1 && rows * segments > kMaxLists) break;
      const int64_t chunk = std::min(rows, std::max(wave, kMaxRows / wave * wave));
      const int per_segment = (codes.tiles() + segments - 1) / segments;
      const int64_t pieces = (chunk + size.rows - 1) / size.rows * segments;
      const int64_t rounds = (pieces + device.processors - 1) / device.processors;
      const int64_t chunks = (rows + chunk - 1) / chunk;
      const double time = static_cast<double>(chunks * rounds) * (per_segment + kStart) * size.tile;
      if (least == 0 || time < least) {
        least = time;
        best.filter = filter;
        best.tiles_per_segment = per_segment;
        best.segments = (codes.tiles() + per_segment - 1) / per_segment;
        best.chunk = chunk;
      }
    }
  }
  return best;
}

FilterArgs Arrange(const Packed& codes, const Plan& plan, const Device& device, void* memory,
                   size_t* bytes = nullptr) {
  Carver carver(memory);
  FilterArgs args{};
  args.codes = codes;
  args.segments = plan.segments;
  args.tiles_per_segment = plan.tiles_per_segment;
  args.exact.count = carver.Take<int>(1);
  args.exact.rows = carver.Take<int>(plan.chunk);
  args.exact.best = carver.Take<Best>(plan.chunk);
  args.exact.locks = carver.Take<int>(plan.chunk);
  if (plan.segments > 1) {
    const int64_t lists = plan.chunk * plan.segments;
    args.candidates = carver.Take<Candidate>(lists * kListEntries);
    args.counts = carver.Take<int>(lists);
    args.limits = carver.Take<int>(lists);
  }
  if (!plan.filter.shared_lists) {
    args.scratch = carver.Take<Candidate>(int64_t{device.processors} * plan.filter.rows * kListEntries);
  }
  if (bytes) *bytes = carver.used();
  return args;
}

Status Supports(int index) {
  VQC_ASSIGN(const Device device, DeviceOf(index));
  if (device.major < 8) {
    return Error{ErrorCode::kResource, "search on the GPU: device " + std::to_string(index) +
                                           " has compute capability " + std::to_string(device.major) +
                                           ".x; 8.0 or later is needed"};
  }
  return {};
}

size_t CodebookBytes(int64_t codewords, int64_t dim) {
  CudaCodebook codebook;
  codebook.codewords.rows = codewords;
  codebook.dim = dim;
  size_t bytes = 0;
  Unpack(codebook, &bytes);
  return bytes;
}

Result<CudaCodebook> PackCodebook(const CudaRows& codewords, int64_t dim, Metric metric, void* memory,
                                  int device, void* stream) {
  VQC_TRY(CheckSize(codewords.rows, dim));
  const DeviceScope scope(device);
  const CudaCodebook codebook{codewords, dim, metric, memory, device};
  VQC_ASSIGN(const Device properties, DeviceOf(device));
  const cudaError_t error = Pack(Unpack(codebook), properties, static_cast<cudaStream_t>(stream));
  if (error != cudaSuccess) return CudaError("packing the codebook", error);
  return codebook;
}

size_t SearchBytes(const CudaCodebook& codebook, int64_t queries) {
  const auto device = DeviceOf(codebook.device);
  if (queries < 1 || !device.ok()) return 0;
  const Packed codes = Unpack(codebook);
  size_t bytes = 0;
  Arrange(codes, MakePlan(codes, queries, *device), *device, nullptr, &bytes);
  return bytes;
}

Status SearchChunk(FilterArgs& args, const Plan& plan, const Device& device, cudaStream_t stream) {
  cudaError_t error = cudaMemsetAsync(args.exact.count, 0, sizeof(int), stream);
  if (error != cudaSuccess) return CudaError("clearing a counter", error);
  error = plan.hopper ? RunFilter90(args, plan.filter, device, stream)
                      : RunFilter80(args, plan.filter, device, stream);
  if (error != cudaSuccess) return CudaError("the filter", error);
  if (args.segments > 1) error = Finish(args, device, stream);
  if (error == cudaSuccess) error = Exact(args, device, stream);
  if (error != cudaSuccess) return CudaError("rescoring", error);
  return {};
}

Status SearchCodebook(const CudaCodebook& codebook, const CudaRows& queries, int64_t* ids, CudaBadRows* bad,
                      void* workspace, void* stream) {
  if (queries.rows < 1) return {};
  const DeviceScope scope(codebook.device);
  VQC_ASSIGN(const Device device, DeviceOf(codebook.device));
  const Packed codes = Unpack(codebook);
  const Plan plan = MakePlan(codes, queries.rows, device);
  if (plan.chunk == 0)
    return Error{ErrorCode::kResource, "search on the GPU: the device has too little shared memory"};
  FilterArgs args = Arrange(codes, plan, device, workspace);
  args.bad_rows = bad;
  for (int64_t first = 0; first < queries.rows; first += plan.chunk) {
    args.x = {queries.data + first * queries.stride, std::min(plan.chunk, queries.rows - first),
              queries.stride};
    args.vector = args.x.Vector(codes.dim);
    args.ids = ids + first;
    args.first_row = first;
    VQC_TRY(SearchChunk(args, plan, device, static_cast<cudaStream_t>(stream)));
  }
  return {};
}

Status NearestCodewords(const CudaCodebook& codebook, const CudaRows& queries, int neighbours, int64_t* ids,
                        double* values, CudaBadRows* bad, void* stream) {
  VQC_TRY(CheckNeighbours(neighbours, codebook.codewords.rows));
  if (queries.rows < 1) return {};
  const DeviceScope scope(codebook.device);
  VQC_ASSIGN(const Device device, DeviceOf(codebook.device));
  const NearestArgs args{
      {queries.data, queries.rows, queries.stride}, Unpack(codebook), neighbours, ids, values, bad};
  const cudaError_t error = Nearest(args, device, static_cast<cudaStream_t>(stream));
  if (error != cudaSuccess) return CudaError("comparing codewords", error);
  return {};
}

constexpr CudaPart kPart = {Supports,       CodebookBytes, PackCodebook,     SearchBytes,
                            SearchCodebook, MakeSearcher,  NearestCodewords, MakeClusterPass};

}  // namespace

Status CheckSize(int64_t codewords, int64_t dim) {
  if (codewords >= 1 && codewords <= kMaxCodes && dim >= 1 && dim <= kMaxDim) return {};
  return Error{ErrorCode::kUsage, "search on the GPU: a codebook of " + std::to_string(codewords) + " x " +
                                      std::to_string(dim) + "; there can be 1 to " +
                                      std::to_string(kMaxCodes) + " codewords of 1 to " +
                                      std::to_string(kMaxDim) + " values"};
}

Status CheckNeighbours(int neighbours, int64_t codewords) {
  const int64_t most = std::min<int64_t>(kMaxNeighbours, codewords);
  if (neighbours >= 1 && neighbours <= most) return {};
  return Error{ErrorCode::kUsage, "search on the GPU: " + std::to_string(neighbours) +
                                      " neighbours are asked for; from 1 to " + std::to_string(most) +
                                      " are allowed in a codebook of " + std::to_string(codewords)};
}

}  // namespace vqc::cuda

extern "C" __attribute__((visibility("default"))) const vqc::CudaPart* vqc::vqc_cuda_part() {
  return &vqc::cuda::kPart;
}
