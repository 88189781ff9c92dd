// SPDX-License-Identifier: Apache-2.0
#include "models/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <malloc.h>
#include <torch/cuda.h>
#include <torch/torch.h>

#include <filesystem>
#include <map>

namespace vqc {
namespace {

// Loads libtorch_cuda.so, which registers itself. Its own dependencies are found by its own search path.
std::string LoadCuda() {
  Dl_info cpu{};
  if (!dladdr(reinterpret_cast<const void*>(&at::get_num_threads), &cpu))
    return "libtorch_cpu.so was not found";
  const auto path = std::filesystem::path(cpu.dli_fname).parent_path() / "libtorch_cuda.so";
  return dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) ? "" : dlerror();
}

// Activations are allocated and freed in a fixed pattern: keep their pages instead of mapping them anew each
// time.
void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
}

}  // namespace

Result<c10::Device> ResolveDevice(const std::string& device) {
  static const bool kept = (KeepFreedMemory(), true);
  (void)kept;
  if (device == "cpu") return c10::Device(c10::kCPU);
  const bool any = device == "auto", first = device == "cuda";
  const bool numbered = device.rfind("cuda:", 0) == 0 && device.size() > 5 && device.size() < 9 &&
                        device.find_first_not_of("0123456789", 5) == std::string::npos;
  if (!any && !first && !numbered) {
    return Error{ErrorCode::kUsage, "device \"" + device + "\" is not known; use cpu, cuda, cuda:N or auto"};
  }
  static const std::string problem = LoadCuda();
  const int count = problem.empty() ? static_cast<int>(torch::cuda::device_count()) : 0;
  const int index = numbered ? std::stoi(device.substr(5)) : 0;
  if (index >= count) {
    if (any) return c10::Device(c10::kCPU);
    return Error{
        ErrorCode::kResource,
        "device " + device + ": " +
            (problem.empty() ? std::to_string(count) + " GPUs were found"
                             : "this libtorch has no working CUDA (" + problem + ")") +
            "; use --device cpu, or point VQCODEC_TORCH_DIR to a libtorch with CUDA and build again"};
  }
  auto& context = at::globalContext();
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
}

void SetChannelsLast(torch::nn::Module& module) {
  for (auto& parameter : module.parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

torch::Tensor ChannelsLast(const torch::Tensor& activations) {
  return activations.contiguous(at::MemoryFormat::ChannelsLast);
}

InferenceScope::InferenceScope() { at::set_num_threads(1); }

StreamScope::StreamScope(c10::Device device) {
  if (device.is_cpu()) return;
  thread_local std::map<c10::DeviceIndex, c10::Stream> streams;
  auto stream = streams.find(device.index());
  if (stream == streams.end()) {
    const c10::impl::VirtualGuardImpl guards(device.type());
    stream = streams.emplace(device.index(), guards.getStreamFromGlobalPool(device, false)).first;
  }
  guard_.reset_stream(stream->second);
}

}  // namespace vqc
