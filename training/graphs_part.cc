// SPDX-License-Identifier: Apache-2.0
#include "training/graphs_part.h"

#include <ATen/cuda/CUDAGraph.h>

namespace vqc {
namespace {

using at::cuda::CUDAGraph;

void* Begin() {
  auto* graph = new CUDAGraph;
  graph->capture_begin({0, 0}, cudaStreamCaptureModeRelaxed);
  return graph;
}
void End(void* graph) { static_cast<CUDAGraph*>(graph)->capture_end(); }
void Replay(void* graph) { static_cast<CUDAGraph*>(graph)->replay(); }
void Destroy(void* graph) { delete static_cast<CUDAGraph*>(graph); }

constexpr GraphsPart kPart = {&Begin, &End, &Replay, &Destroy};

}  // namespace

extern "C" __attribute__((visibility("default"))) const GraphsPart* vqc_graphs_part() { return &kPart; }

}  // namespace vqc
