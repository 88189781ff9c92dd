// SPDX-License-Identifier: Apache-2.0
// Sound at another rate, by libsoxr (quality HQ: 20 bits, linear phase). What comes out depends on the
// samples alone, not on how they are cut into calls: the library always gets blocks of the same size.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"

namespace vqc {

// What the part implements.
class ResampleCore {
 public:
  virtual ~ResampleCore() = default;
  // Interleaved samples in; what is ready is appended to `out`.
  virtual Status Process(std::span<const float> in, std::vector<float>& out) = 0;
  virtual Status Flush(std::vector<float>& out) = 0;
};

class Resampler {
 public:
  // Rates in frames a second. Equal rates need no part. kResource where the part is missing.
  static Result<Resampler> Create(int from, int to, int channels);

  // Appends to `out` what is ready of the interleaved samples given so far.
  Status Push(std::span<const float> interleaved, std::vector<float>& out);
  // Appends the rest: ceil(frames * to / from) frames in all, the first at the time of the first.
  Status Flush(std::vector<float>& out);

 private:
  static constexpr size_t kBlock = 1024;  // frames

  Resampler(int from, int to, int channels, std::unique_ptr<ResampleCore> core);

  uint64_t from_, to_;
  size_t channels_;
  std::unique_ptr<ResampleCore> core_;  // null for equal rates
  std::vector<float> waiting_;          // less than a block
  uint64_t frames_in_ = 0, frames_out_ = 0;
};

// ceil(frames * to / from). REQUIRES: frames below 2^44, positive rates below 2^20
uint64_t ResampledFrames(uint64_t frames, int from, int to);

}  // namespace vqc
