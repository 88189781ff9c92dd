// SPDX-License-Identifier: Apache-2.0
#include "training/nccl.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/torch.h>

namespace vqc {
namespace {

// Of nccl.h, whose interface has been the same since version 2.0.
struct UniqueId {
  char bytes[128];
};
constexpr int kSuccess = 0, kSum = 0, kInt64 = 4, kFloat32 = 7, kFloat64 = 8;

struct Nccl {
  int (*get_unique_id)(UniqueId* id);
  int (*init_rank)(void** communicator, int count, UniqueId id, int rank);
  int (*destroy)(void* communicator);
  int (*all_reduce)(const void* from, void* to, size_t count, int type, int operation, void* communicator,
                    void* stream);
  int (*all_gather)(const void* from, void* to, size_t count, int type, void* communicator, void* stream);
  const char* (*error_string)(int result);
};

template <class Function>
bool Find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

const Nccl* Load() {
  static const Nccl* const loaded = []() -> const Nccl* {
    void* const library = dlopen("libnccl.so.2", RTLD_NOW);
    auto* nccl = new Nccl;
    const bool whole = library && Find(library, "ncclGetUniqueId", nccl->get_unique_id) &&
                       Find(library, "ncclCommInitRank", nccl->init_rank) &&
                       Find(library, "ncclCommDestroy", nccl->destroy) &&
                       Find(library, "ncclAllReduce", nccl->all_reduce) &&
                       Find(library, "ncclAllGather", nccl->all_gather) &&
                       Find(library, "ncclGetErrorString", nccl->error_string);
    return whole ? nccl : nullptr;
  }();
  return loaded;
}

Error Missing() {
  return {
      ErrorCode::kResource,
      "libnccl.so.2 was not found, by which processes on GPUs talk to each other; use a libtorch with CUDA, "
      "or --device cpu"};
}

void Check(int result, const char* what) {
  TORCH_CHECK(result == kSuccess, what, ": ", Load()->error_string(result));
}

int TypeOf(const torch::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case torch::kFloat32:
      return kFloat32;
    case torch::kFloat64:
      return kFloat64;
    case torch::kInt64:
      return kInt64;
    default:
      TORCH_CHECK(false, "tensors of ", tensor.scalar_type(), " do not go between processes");
  }
}

}  // namespace

Result<NcclId> NewNcclId() {
  const Nccl* const nccl = Load();
  if (!nccl) return Missing();
  UniqueId id;
  Check(nccl->get_unique_id(&id), "an id for NCCL");
  NcclId bytes;
  std::copy(std::begin(id.bytes), std::end(id.bytes), bytes.begin());
  return bytes;
}

Result<std::unique_ptr<NcclGroup>> NcclGroup::Join(const NcclId& id, int64_t rank, int64_t count,
                                                   torch::Device device) {
  const Nccl* const nccl = Load();
  if (!nccl) return Missing();
  const c10::DeviceGuard guard(device);
  UniqueId shared;
  std::copy(id.begin(), id.end(), shared.bytes);
  void* communicator = nullptr;
  const int joined = nccl->init_rank(&communicator, static_cast<int>(count), shared, static_cast<int>(rank));
  if (joined != kSuccess) {
    return Error{ErrorCode::kResource,
                 std::string("NCCL: ") + nccl->error_string(joined) +
                     "; each process needs a GPU of its own, NCCL_DEBUG=INFO says more"};
  }
  return std::unique_ptr<NcclGroup>(new NcclGroup(communicator, count, device));
}

NcclGroup::~NcclGroup() { Load()->destroy(communicator_); }

void* NcclGroup::Stream() const {
  const c10::impl::VirtualGuardImpl guards(device_.type());
  return guards.getStreamNativeHandle(guards.getStream(device_));
}

void NcclGroup::Sum(const std::vector<torch::Tensor>& tensors) {
  const c10::DeviceGuard guard(device_);
  for (const torch::Tensor& tensor : tensors) {
    const auto whole = tensor.detach().contiguous();
    void* const data = whole.mutable_data_ptr();
    Check(Load()->all_reduce(data, data, static_cast<size_t>(whole.numel()), TypeOf(whole), kSum,
                             communicator_, Stream()),
          "a sum over processes");
    if (!whole.is_alias_of(tensor)) torch::Tensor(tensor).detach().copy_(whole);
  }
}

torch::Tensor NcclGroup::Gather(const torch::Tensor& tensor) {
  const c10::DeviceGuard guard(device_);
  const auto own = tensor.detach().contiguous();
  auto shape = own.sizes().vec();
  shape.insert(shape.begin(), count_);
  auto all = torch::empty(shape, own.options());
  Check(Load()->all_gather(own.const_data_ptr(), all.mutable_data_ptr(), static_cast<size_t>(own.numel()),
                           TypeOf(own), communicator_, Stream()),
        "gathering from processes");
  return all;
}

}  // namespace vqc
