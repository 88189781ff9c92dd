// SPDX-License-Identifier: Apache-2.0
// What the CUDA part (libvqcodec_cuda.so) does for the integer network of "neural": the logits of whole maps
// of known tokens, equal to those of NeuralNetwork bit for bit.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"

namespace vqc {

// A network that was checked (entropy/neural_network.h), in the memory of the host. Products are packed as
// entropy/neural_kernels.h says, the outputs of a digit padded to 16.
struct NeuralArrays {
  uint32_t digits = 0;
  const uint32_t* radices = nullptr;  // [digit]
  uint32_t radius = 0, width = 0, layers = 0, head = 0, window_bits = 0;
  const int8_t* window = nullptr;        // [neighbour][row][width]
  const int16_t* window_bias = nullptr;  // [width]
  const int8_t* hidden = nullptr;        // [layer][width / 4][width][4]
  const int32_t* hidden_bias = nullptr;  // [layer][width]
  const int8_t* heads = nullptr;         // [digit][width / 4][head][4]
  const int32_t* head_bias = nullptr;    // [digit][head]
  const int8_t* own = nullptr;           // [digit][row of earlier digits][head]
  const int8_t* outputs = nullptr;       // [digit][head / 4][16][4]
  const int32_t* output_bias = nullptr;  // [digit][16]
};

class CudaNeural {
 public:
  virtual ~CudaNeural() = default;
  // Of maps [map][row][column][digit], where a token sees those before it in raster order and its own digits
  // in their order: [map][row][column][digit][16], in 1/2048 nats. REQUIRES: digits below their radices
  virtual Status Logits(const uint8_t* digits, int64_t maps, int64_t rows, int64_t columns,
                        int32_t* logits) = 0;
};

struct NeuralCudaPart {
  // The arrays are copied to the device. Error kResource says what is missing.
  Result<std::unique_ptr<CudaNeural>> (*make)(const NeuralArrays& network, int device);
};

// Loads the part once. Error kResource says where it was looked for.
Result<const NeuralCudaPart*> LoadNeuralCudaPart();

// The symbol that libvqcodec_cuda.so exports.
extern "C" const NeuralCudaPart* vqc_neural_cuda_part();

}  // namespace vqc
