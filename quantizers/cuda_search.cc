// SPDX-License-Identifier: Apache-2.0
#include "quantizers/cuda_search.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "quantizers/codebook_cache.h"
#include "quantizers/search/cuda/part.h"

namespace vqc {
namespace {

// The least rows that were not finite: on the device, and a copy that the host looks at when it comes by.
struct BadRows {
  torch::Tensor device, host;  // [2] int64: query, codeword; -1 for none

  explicit BadRows(c10::Device where)
      : device(torch::full({2}, -1, torch::dtype(torch::kInt64).device(where))),
        host(torch::full({2}, -1, torch::dtype(torch::kInt64).pinned_memory(true))) {}

  // Throws once for what the host knows of.
  void Check() {
    const auto query = host.data_ptr<int64_t>()[0], codeword = host.data_ptr<int64_t>()[1];
    if (query == -1 && codeword == -1) return;
    host.fill_(-1);
    device.fill_(-1);
    TORCH_CHECK(codeword == -1, "vq: codeword ", codeword,
                " holds NaN or infinity; every value must be finite");
    TORCH_CHECK(false, "vq: latent ", query, " holds NaN or infinity; every value must be finite");
  }
};

BadRows& BadRowsOf(c10::Device device) {
  static std::mutex mutex;
  static auto& all = *new std::map<c10::DeviceIndex, BadRows>;  // never destroyed: CUDA may be gone first
  const std::lock_guard lock(mutex);
  return all.try_emplace(device.index(), device).first->second;
}

const CudaPart* PartFor(c10::Device device) {
  static const auto part = LoadCudaPart();
  return part.ok() && (*part)->supports(device.index()).ok() ? *part : nullptr;
}

torch::Tensor Bytes(size_t count, c10::Device device) {
  return torch::empty({static_cast<int64_t>(std::max<size_t>(count, 1))},
                      torch::dtype(torch::kUInt8).device(device));
}

// A codebook and the memory that it refers to.
struct PackedOnCuda {
  CudaCodebook codebook;
  torch::Tensor memory, codewords;
};

std::shared_ptr<const PackedOnCuda> Packed(const CudaPart& part, const torch::Tensor& codewords, bool keep,
                                           Metric metric, void* stream) {
  static auto& cache = *new CodebookCache<PackedOnCuda>;  // never destroyed: CUDA may be gone first
  if (keep) {
    if (auto found = cache.Find(codewords, metric, stream)) return found;
  }
  const c10::Device device = codewords.device();
  const auto memory = Bytes(part.codebook_bytes(codewords.size(0), codewords.size(1)), device);
  const auto made = part.pack({codewords.data_ptr<float>(), codewords.size(0), codewords.stride(0)},
                              codewords.size(1), metric, memory.data_ptr(), device.index(), stream);
  TORCH_CHECK(made.ok(), made.error().message);
  auto packed = std::make_shared<const PackedOnCuda>(PackedOnCuda{*made, memory, codewords});
  if (keep) cache.Keep(codewords, metric, packed, stream);
  return packed;
}

// [N, D] whose rows are contiguous, though there may be room between them.
torch::Tensor WithRows(const torch::Tensor& matrix) {
  return matrix.stride(1) == 1 && matrix.stride(0) >= matrix.size(1) ? matrix : matrix.contiguous();
}

}  // namespace

int SearchingGpu(torch::Device device) { return device.is_cuda() && PartFor(device) ? device.index() : -1; }

std::optional<torch::Tensor> ClosestCodewordsOnCuda(const torch::Tensor& points,
                                                    const torch::Tensor& codebook, int64_t k, Metric metric) {
  const c10::Device device = codebook.device();
  if (!device.is_cuda() || points.device() != device || points.scalar_type() != torch::kFloat32 ||
      codebook.scalar_type() != torch::kFloat32 || points.dim() != 2 || codebook.dim() != 2) {
    return std::nullopt;
  }
  const CudaPart* const part = PartFor(device);
  if (!part) return std::nullopt;
  const c10::DeviceGuard guard(device);
  BadRows& bad = BadRowsOf(device);
  bad.Check();
  const bool keep = MayComeAgain(codebook);  // before there is another handle to it
  const auto queries = WithRows(points.detach()), codewords = WithRows(codebook.detach());
  auto ids = torch::empty({queries.size(0), k}, torch::dtype(torch::kInt64).device(device));
  if (queries.size(0) == 0) return ids;
  const c10::impl::VirtualGuardImpl guards(device.type());
  const c10::Stream current = guards.getStream(device);
  void* const stream = guards.getStreamNativeHandle(current);
  const auto packed = Packed(*part, codewords, keep, metric, stream);
  const CudaRows rows{queries.data_ptr<float>(), queries.size(0), queries.stride(0)};
  auto* const bad_rows = static_cast<CudaBadRows*>(bad.device.data_ptr());
  const auto search = [&]() -> Status {
    if (k > 1) {
      return part->nearest(packed->codebook, rows, static_cast<int>(k), ids.data_ptr<int64_t>(), nullptr,
                           bad_rows, stream);
    }
    const auto workspace = Bytes(part->search_bytes(packed->codebook, rows.rows), device);
    return part->search(packed->codebook, rows, ids.data_ptr<int64_t>(), bad_rows, workspace.data_ptr(),
                        stream);
  };
  const Status found = search();
  TORCH_CHECK(found.ok(), found.error().message);
  bad.host.copy_(bad.device, /*non_blocking=*/true);
  if (!torch::GradMode::is_enabled()) {
    guards.synchronizeStream(current);
    bad.Check();
  }
  return ids;
}

}  // namespace vqc
