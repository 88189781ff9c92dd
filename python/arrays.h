// SPDX-License-Identifier: Apache-2.0
// Arrays of any library that speaks DLPack or the buffer protocol, to clips and back.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clip.h"
#include "data/media/audio/audio.h"

namespace vqc::python {

using Array = nanobind::ndarray<nanobind::ro, nanobind::device::cpu>;

// uint8 or uint16 [row, column] or [row, column, channel]; float32 [row, column] or [channel, row, column] in
// [-1, 1]. Throws Failure (kUsage) for any other.
Clip PictureOf(const Array& array);

// float32 in [-1, 1] or int16, [sample] or [channel, sample]. Throws Failure (kUsage).
std::unique_ptr<AudioReader> SoundOf(const Array& array, int rate);

// float32 or float64 [step, dimension]. Throws Failure (kUsage).
Clip ActionsOf(const Array& array, int source);

// A numpy array that owns `values`: they are not copied.
nanobind::object Own(std::vector<int32_t> values, const std::vector<size_t>& shape);
nanobind::object Own(std::vector<float> values, const std::vector<size_t>& shape);

// A picture as uint8 (uint16 of 16 bits) [row, column, channel], a gray one [row, column]; or, `floats`, as
// float32 [channel, row, column]. Sound as float32 [channel, sample], actions as float32 [step, dimension].
nanobind::object ArrayOf(Clip clip, bool floats);

}  // namespace vqc::python
