// SPDX-License-Identifier: Apache-2.0
// Constants that training and inference of the audio networks share.
#pragma once

namespace vqc::audio {

inline constexpr float kPowerFloor = 1e-4f;    // added to the power of a bin before the logarithm
inline constexpr float kCompression = -0.35f;  // of real and imaginary parts: power to this exponent
inline constexpr float kNormEpsilon = 1e-5f;   // of layer norms
inline constexpr float kMaxLogMagnitude = 6;   // of a decoded bin
inline constexpr float kDirectionFloor = 1e-6f;  // added to the squared length of a bin's direction
inline constexpr float kOverlap = 1.125f;      // sum of squared Hann windows at hops of a third

}  // namespace vqc::audio
