// SPDX-License-Identifier: Apache-2.0
// k-means on a GPU, slab after slab of rows: while one is worked on, the next is copied and the results of
// the one before are looked at on the host.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <system_error>
#include <thread>
#include <vector>

#include "quantizers/search/cuda/cluster_kernels.cuh"
#include "quantizers/search/cuda/memory.cuh"
#include "quantizers/search/cuda/searcher.cuh"

namespace vqc::cuda {
namespace {

constexpr int64_t kSlabBytes = 64 << 20;
constexpr double kShareForRows = 0.6;  // of the free memory of the device
constexpr int kDepth = 2;              // slabs under way
constexpr int kCopyThreads = 8;

Status Check(cudaError_t error, const char* what) {
  if (error != cudaSuccess) return CudaError(what, error);
  return {};
}

void CopyRows(const Rows& from, float* to) {
  const auto part = [&](int64_t begin, int64_t end) {
    if (from.stride == from.cols) {
      std::memcpy(to + begin * from.cols, from.Row(begin),
                  static_cast<size_t>((end - begin) * from.cols) * sizeof(float));
      return;
    }
    for (int64_t i = begin; i < end; ++i)
      std::memcpy(to + i * from.cols, from.Row(i), static_cast<size_t>(from.cols) * sizeof(float));
  };
  const int64_t threads =
      from.rows < 4096 ? 1 : std::clamp<int64_t>(std::thread::hardware_concurrency() / 2, 1, kCopyThreads);
  std::vector<std::thread> helpers;
  int64_t done = 0;
  try {
    for (int64_t i = 1; i < threads; ++i) {
      const int64_t end = from.rows * i / threads;
      helpers.emplace_back(part, done, end);
      done = end;
    }
  } catch (const std::system_error&) {  // no more threads to be had
  }
  part(done, from.rows);
  for (std::thread& helper : helpers) helper.join();
}

class Stream {
 public:
  Stream() = default;
  ~Stream() {
    if (stream_) cudaStreamDestroy(stream_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaError_t Make() { return cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking); }
  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event() = default;
  ~Event() {
    if (event_) cudaEventDestroy(event_);
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  cudaError_t Make() { return cudaEventCreateWithFlags(&event_, cudaEventDisableTiming); }
  operator cudaEvent_t() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

// A slab under way.
struct Slot {
  PinnedBuffer rows;  // on their way to the device
  Buffer staged;      // where they go unless the device holds all rows
  PinnedBuffer ids, distances, bad;
  Event copied, done;
  int64_t begin = 0, count = 0;
  bool busy = false;
};

class CudaClusterPass final : public ClusterPass {
 public:
  CudaClusterPass(const Rows& rows, int64_t clusters, int device)
      : all_(rows), clusters_(clusters), device_(device) {}

  ~CudaClusterPass() override {
    const DeviceScope scope(device_);
    Drain();
  }

  Status Prepare() {
    VQC_TRY(vqc_cuda_part()->supports(device_));
    VQC_TRY(CheckSize(clusters_, all_.cols));
    VQC_ASSIGN(properties_, DeviceOf(device_));
    const DeviceScope scope(device_);
    cudaPointerAttributes attributes;
    VQC_TRY(Check(cudaPointerGetAttributes(&attributes, all_.data), "the rows"));
    in_place_ = attributes.type == cudaMemoryTypeDevice;
    if (in_place_ && attributes.device != device_) {
      return Error{ErrorCode::kUsage, "search on the GPU: the rows are in the memory of device " +
                                          std::to_string(attributes.device) + ", not " +
                                          std::to_string(device_)};
    }
    VQC_TRY(Check(compute_.Make(), "a stream"));
    VQC_TRY(Check(copies_.Make(), "a stream"));
    for (Slot& slot : slots_) {
      VQC_TRY(Check(slot.copied.Make(), "an event"));
      VQC_TRY(Check(slot.done.Make(), "an event"));
      VQC_TRY(slot.bad.Grow(sizeof(CudaBadRows)));
    }
    const int64_t dim = all_.cols, wave = int64_t{properties_.processors} * 256;
    slab_ = std::max<int64_t>(1, kSlabBytes / (dim * static_cast<int64_t>(sizeof(float))));
    if (slab_ > wave) slab_ = slab_ / wave * wave;
    const auto cells = static_cast<size_t>(clusters_ * dim);
    VQC_TRY(centres_.Grow(cells * sizeof(float)));
    VQC_TRY(packed_.Grow(vqc_cuda_part()->codebook_bytes(clusters_, dim)));
    VQC_TRY(sums_.Grow(cells * sizeof(double)));
    VQC_TRY(counts_.Grow(static_cast<size_t>(clusters_) * sizeof(double)));
    VQC_TRY(bad_.Grow(sizeof(CudaBadRows)));
    size_t free = 0, total = 0;
    VQC_TRY(Check(cudaMemGetInfo(&free, &total), "its memory"));
    const size_t bytes = static_cast<size_t>(all_.rows * dim) * sizeof(float);
    holds_all_ = !in_place_ && static_cast<double>(bytes) <= kShareForRows * static_cast<double>(free) &&
                 resident_.Grow(bytes).ok();
    return Check(cudaDeviceSynchronize(), "waiting");  // for whoever wrote rows on the device
  }

  Status Begin(const float* centres, int64_t count) override {
    if (count < 1 || count > clusters_) {
      return Error{ErrorCode::kInternal, "k-means on the GPU: " + std::to_string(count) + " centres of " +
                                             std::to_string(clusters_)};
    }
    const DeviceScope scope(device_);
    count_ = count;
    const auto cells = static_cast<size_t>(count * all_.cols);
    VQC_TRY(Check(cudaMemcpyAsync(centres_.as<void>(), centres, cells * sizeof(float), cudaMemcpyHostToDevice,
                                  compute_),
                  "copying centres"));
    VQC_TRY(Check(cudaMemsetAsync(sums_.as<void>(), 0, cells * sizeof(double), compute_), "clearing sums"));
    VQC_TRY(
        Check(cudaMemsetAsync(counts_.as<void>(), 0, static_cast<size_t>(count) * sizeof(double), compute_),
              "clearing counts"));
    VQC_TRY(Check(cudaMemsetAsync(bad_.as<void>(), 0xff, sizeof(CudaBadRows), compute_), "clearing flags"));
    VQC_ASSIGN(codebook_, vqc_cuda_part()->pack({centres_.as<float>(), count, all_.cols}, all_.cols,
                                                Metric::kSquaredL2, packed_.as<void>(), device_, compute_));
    return {};
  }

  Status Add(const Rows& rows, int64_t first, bool sum, const Seen& seen) override {
    const DeviceScope scope(device_);
    const Status status = AddSlabs(rows, first, sum, seen);
    if (!status.ok()) Drain();
    return status;
  }

  Result<Sums> Finish() override {
    const DeviceScope scope(device_);
    host_sums_.resize(static_cast<size_t>(count_ * all_.cols));
    host_counts_.resize(static_cast<size_t>(count_));
    VQC_TRY(Check(cudaMemcpyAsync(host_sums_.data(), sums_.as<void>(), host_sums_.size() * sizeof(double),
                                  cudaMemcpyDeviceToHost, compute_),
                  "copying sums"));
    VQC_TRY(Check(cudaMemcpyAsync(host_counts_.data(), counts_.as<void>(),
                                  host_counts_.size() * sizeof(double), cudaMemcpyDeviceToHost, compute_),
                  "copying counts"));
    VQC_TRY(Check(cudaStreamSynchronize(compute_), "sums"));
    return Sums{host_sums_.data(), host_counts_.data()};
  }

  Result<std::vector<float>> Gather(const std::vector<int64_t>& which) override {
    const DeviceScope scope(device_);
    const auto count = static_cast<int64_t>(which.size()), dim = all_.cols;
    std::vector<float> gathered(which.size() * static_cast<size_t>(dim));
    if (gathered.empty()) return gathered;
    if (in_place_) {
      Buffer numbers, values;
      VQC_TRY(numbers.Grow(which.size() * sizeof(int64_t)));
      VQC_TRY(values.Grow(gathered.size() * sizeof(float)));
      VQC_TRY(Check(cudaMemcpyAsync(numbers.as<void>(), which.data(), which.size() * sizeof(int64_t),
                                    cudaMemcpyHostToDevice, compute_),
                    "copying numbers of rows"));
      VQC_TRY(Check(GatherRows({all_.data, all_.rows, all_.stride}, static_cast<int>(dim),
                               numbers.as<int64_t>(), count, values.as<float>(), compute_),
                    "gathering rows"));
      VQC_TRY(Check(cudaMemcpyAsync(gathered.data(), values.as<void>(), gathered.size() * sizeof(float),
                                    cudaMemcpyDeviceToHost, compute_),
                    "copying rows"));
      VQC_TRY(Check(cudaStreamSynchronize(compute_), "gathering rows"));
    } else {
      for (int64_t i = 0; i < count; ++i) {
        std::copy_n(all_.Row(which[static_cast<size_t>(i)]), dim, gathered.begin() + i * dim);
      }
    }
    for (size_t i = 0; i < gathered.size(); ++i) {
      if (!std::isfinite(gathered[i])) return NotFinite(which[i / static_cast<size_t>(dim)]);
    }
    return gathered;
  }

 private:
  static Error NotFinite(int64_t row) {
    return {ErrorCode::kUsage,
            "k-means: row " + std::to_string(row) + " holds NaN or infinity; values must be finite"};
  }

  // Waits until nothing is under way.
  void Drain() {
    if (copies_) cudaStreamSynchronize(copies_);
    if (compute_) cudaStreamSynchronize(compute_);
    for (Slot& slot : slots_) slot.busy = false;
  }

  Status AddSlabs(const Rows& rows, int64_t first, bool sum, const Seen& seen) {
    int next = 0;
    for (int64_t begin = 0; begin < rows.rows; begin += slab_) {
      Slot& slot = slots_[next];
      VQC_TRY(Collect(slot, first, seen));
      slot.begin = begin, slot.count = std::min(slab_, rows.rows - begin);
      VQC_TRY(Work(slot, rows.Slice(begin, slot.count), sum));
      next = (next + 1) % kDepth;
    }
    for (int i = 0; i < kDepth; ++i) VQC_TRY(Collect(slots_[(next + i) % kDepth], first, seen));
    return {};
  }

  // Where the device can read these rows; copies them if it has to.
  Result<DeviceRows> Place(Slot& slot, const Rows& rows) {
    const std::less<const float*> before;
    const bool of_all = !before(rows.data, all_.data) &&
                        before(rows.data, all_.data + (all_.rows - 1) * all_.stride + all_.cols);
    const int64_t dim = all_.cols;
    if (of_all && in_place_) return DeviceRows{rows.data, rows.rows, rows.stride};
    const int64_t at = of_all ? (rows.data - all_.data) / all_.stride : 0;
    if (of_all && holds_all_ && at + rows.rows <= held_) {
      return DeviceRows{resident_.as<float>() + at * dim, rows.rows, dim};
    }
    const size_t bytes = static_cast<size_t>(rows.rows * dim) * sizeof(float);
    float* to = nullptr;
    if (of_all && holds_all_ && at == held_) {
      to = resident_.as<float>() + at * dim;
      held_ += rows.rows;
    } else {
      VQC_TRY(slot.staged.Grow(bytes));
      to = slot.staged.as<float>();
    }
    VQC_TRY(slot.rows.Grow(bytes));
    CopyRows(rows, slot.rows.as<float>());
    VQC_TRY(Check(cudaMemcpyAsync(to, slot.rows.as<void>(), bytes, cudaMemcpyHostToDevice, copies_),
                  "copying rows"));
    VQC_TRY(Check(cudaEventRecord(slot.copied, copies_), "copying rows"));
    VQC_TRY(Check(cudaStreamWaitEvent(compute_, slot.copied, 0), "copying rows"));
    return DeviceRows{to, rows.rows, dim};
  }

  Status Work(Slot& slot, const Rows& rows, bool sum) {
    const CudaPart& part = *vqc_cuda_part();
    const auto count = static_cast<size_t>(rows.rows);
    const int dim = static_cast<int>(all_.cols), whole = static_cast<int>(rows.rows);
    VQC_TRY(ids_.Grow(count * sizeof(int64_t)));
    VQC_TRY(order_.Grow(4 * count * sizeof(uint32_t)));
    VQC_TRY(distances_.Grow(count * sizeof(double)));
    VQC_TRY(workspace_.Grow(part.search_bytes(codebook_, rows.rows)));
    const size_t sort_bytes = SortBytes(whole);
    VQC_TRY(sort_.Grow(sort_bytes));
    VQC_TRY(slot.ids.Grow(count * sizeof(int32_t)));
    VQC_TRY(slot.distances.Grow(count * sizeof(double)));
    auto* const numbers = order_.as<uint32_t>();
    const ClusterOrder order{numbers, numbers + count, numbers + 2 * count, numbers + 3 * count};
    VQC_ASSIGN(const DeviceRows x, Place(slot, rows));
    slot.busy = true;
    VQC_TRY(part.search(codebook_, {x.data, x.rows, x.stride}, ids_.as<int64_t>(), bad_.as<CudaBadRows>(),
                        workspace_.as<void>(), compute_));
    VQC_TRY(
        Check(SortByCluster(ids_.as<int64_t>(), whole, count_, order, sort_.as<void>(), sort_bytes, compute_),
              "sorting rows"));
    if (sum) {
      VQC_TRY(Check(AddToClusters(x, dim, order, count_, sums_.as<double>(), counts_.as<double>(),
                                  properties_, compute_),
                    "summing rows"));
    }
    VQC_TRY(
        Check(ClusterDistances(x, dim, order.ids, centres_.as<float>(), distances_.as<double>(), compute_),
              "distances"));
    VQC_TRY(Bring(slot.ids, order.ids, count * sizeof(int32_t)));
    VQC_TRY(Bring(slot.distances, distances_.as<void>(), count * sizeof(double)));
    VQC_TRY(Bring(slot.bad, bad_.as<void>(), sizeof(CudaBadRows)));
    return Check(cudaEventRecord(slot.done, compute_), "an event");
  }

  Status Bring(const PinnedBuffer& to, const void* from, size_t bytes) {
    return Check(cudaMemcpyAsync(to.as<void>(), from, bytes, cudaMemcpyDeviceToHost, compute_),
                 "copying results");
  }

  Status Collect(Slot& slot, int64_t first, const Seen& seen) {
    if (!slot.busy) return {};
    VQC_TRY(Check(cudaEventSynchronize(slot.done), "k-means"));
    slot.busy = false;
    const auto* const bad = slot.bad.as<CudaBadRows>();
    if (bad->query != kCudaNoRow) return NotFinite(first + slot.begin + static_cast<int64_t>(bad->query));
    if (bad->codeword != kCudaNoRow) {
      return Error{ErrorCode::kUsage, "k-means: centre " + std::to_string(bad->codeword) +
                                          " holds NaN or infinity; values must be finite"};
    }
    seen({slot.begin, slot.count, slot.ids.as<int32_t>(), slot.distances.as<double>()});
    return {};
  }

  Rows all_;
  int64_t clusters_;
  int device_;
  Device properties_{};
  bool in_place_ = false;   // all_ is on the device
  bool holds_all_ = false;  // the device has room for a copy
  int64_t held_ = 0;        // rows of it that are there
  int64_t slab_ = 0, count_ = 0;
  Stream compute_, copies_;
  Buffer resident_, centres_, packed_, sums_, counts_, bad_, ids_, order_, distances_, workspace_, sort_;
  CudaCodebook codebook_;
  Slot slots_[kDepth];
  std::vector<double> host_sums_, host_counts_;
};

}  // namespace

Result<std::unique_ptr<ClusterPass>> MakeClusterPass(const Rows& rows, int64_t clusters, int device) {
  auto pass = std::make_unique<CudaClusterPass>(rows, clusters, device);
  VQC_TRY(pass->Prepare());
  return std::unique_ptr<ClusterPass>(std::move(pass));
}

}  // namespace vqc::cuda
