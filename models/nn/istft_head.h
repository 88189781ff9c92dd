// SPDX-License-Identifier: Apache-2.0
// The head of Vocos (Siuzdak 2023, arXiv 2306.00814): rows to log magnitudes and phases of a short-time
// spectrum, and its inverse.
#pragma once

#include <string>

#include "models/nn/stream_layer.h"

namespace vqc::nn {

// [rows][width] -> [rows * hop][1]. Frames of `length` samples, Hann windows, lie `hop` samples apart, the
// first one (length - hop) / 2 before the beginning; their sum is divided by that of the squared windows.
// Tensors NAME.weight [length + 2][width], NAME.bias. REQUIRES: length even, length - hop too, hop <= length
Result<LayerPtr> LoadIstftHead(const Weights& weights, const std::string& name, size_t width, size_t length,
                               size_t hop);

}  // namespace vqc::nn
