// SPDX-License-Identifier: Apache-2.0
// The entries of the part that records CUDA graphs (libvqcodec_graphs.so), which needs the libtorch with CUDA
// to be loaded. Exceptions pass through.
#pragma once

namespace vqc {

struct GraphsPart {
  // Begins to record what is launched on the current stream, which must not be the default one, in place of
  // running it; memory that is allocated meanwhile is the graph's until `destroy`.
  void* (*begin)();
  void (*end)(void* graph);
  void (*replay)(void* graph);  // on the current stream
  void (*destroy)(void* graph);
};

// The symbol that libvqcodec_graphs.so exports.
extern "C" const GraphsPart* vqc_graphs_part();

}  // namespace vqc
