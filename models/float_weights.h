// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/safetensors.h"
#include "base/tensor_file.h"

namespace vqc {

std::string ShapeText(const std::vector<int64_t>& shape);  // "[32, 1, 7]"

// Values from F16, BF16, F32 or F64 bytes, the latter rounded. Error kModel names the tensor: another type, a
// value that is not finite.
Result<std::vector<float>> ToFloats(const TensorView& tensor, const std::string& name);

// The same of the tensor `name`, which must have this shape. Error kModel names it, what was found and what
// was expected.
Result<std::vector<float>> ReadWeights(const SafeTensors& tensors, const std::string& name,
                                       const std::vector<int64_t>& shape);
Result<std::vector<float>> ReadWeights(const TensorFile& file, const std::string& name,
                                       const std::vector<int64_t>& shape);

}  // namespace vqc
