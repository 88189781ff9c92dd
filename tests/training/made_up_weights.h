// SPDX-License-Identifier: Apache-2.0
// Weights that the scripts of tests/oracle make by the same arithmetic: each is a hash of its place in its
// tensor and of the tensor's number in the file.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/safetensors.h"
#include "tests/eval/oracle_pictures.h"

namespace vqc::testing {

class MadeUpWeights {
 public:
  // From -scale to scale.
  void Fill(const std::string& name, std::vector<int64_t> shape, double scale) {
    Fill(name, std::move(shape), scale, 1000);
  }
  // From 0 to 2.
  void FillPositive(const std::string& name, std::vector<int64_t> shape) {
    Fill(name, std::move(shape), 1, 0);
  }
  // Of a size that keeps that of the activations.
  void Convolution(const std::string& name, int64_t out, int64_t in, int64_t kernel) {
    Fill(name + ".weight", {out, in, kernel, kernel},
         std::sqrt(6.0 / static_cast<double>(in * kernel * kernel)));
    Fill(name + ".bias", {out}, 0.1);
  }
  Status Write(const std::string& path, const std::map<std::string, std::string>& metadata = {}) const {
    std::map<std::string, TensorView> views;
    for (const auto& [name, tensor] : tensors_) views[name] = {DType::kF32, tensor.shape, tensor.bytes};
    VQC_ASSIGN(const auto bytes, WriteSafeTensors(views, metadata));
    return WriteFileAtomically(path, bytes, {.force = true});
  }

 private:
  void Fill(const std::string& name, std::vector<int64_t> shape, double scale, int middle) {
    ++seed_;
    int64_t count = 1;
    for (const int64_t size : shape) count *= size;
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i) {
      const int value = OracleNoise(static_cast<int>(i), 0, 0, seed_, 2001) - middle;
      values.push_back(static_cast<float>(value / 1000.0 * scale));
    }
    Tensor& tensor = tensors_[name];
    tensor.shape = std::move(shape);
    tensor.bytes.resize(values.size() * sizeof(float));
    std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  }

  struct Tensor {
    std::vector<int64_t> shape;
    std::vector<uint8_t> bytes;
  };
  std::map<std::string, Tensor> tensors_;
  uint32_t seed_ = 0;
};

// Patches of 8 x 8 of one colour each, and what a decoder could make of them.
inline OraclePicture Patches(int height, int width, int channels = 3) {
  return MakePicture(height, width, channels,
                     [](int y, int x, int c) { return OracleNoise(y / 8, x / 8, c, 1, 256); });
}
inline OraclePicture DecodedPatches(const OraclePicture& original, bool negative) {
  return MakePicture(original.height, original.width, original.channels, [&](int y, int x, int c) {
    const int value = original.At(y, x, c);
    return negative ? 255 - value : std::min(value / 64 * 64 + 32, 255);
  });
}

}  // namespace vqc::testing
