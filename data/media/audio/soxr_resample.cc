// SPDX-License-Identifier: Apache-2.0
#include "data/media/audio/soxr_resample.h"

#include <soxr.h>

namespace vqc {
namespace {

struct SoxrDelete {
  void operator()(soxr_t handle) const { soxr_delete(handle); }
};

class SoxrResampler final : public ResampleCore {
 public:
  SoxrResampler(soxr_t handle, double ratio, size_t channels)
      : handle_(handle), ratio_(ratio), channels_(channels) {}

  Status Process(std::span<const float> in, std::vector<float>& out) override {
    size_t frames = in.size() / channels_;
    const float* from = in.data();
    for (;;) {
      size_t used = 0;
      VQC_ASSIGN(const size_t made, Call(from, frames, &used, out));
      from += used * channels_;
      frames -= used;
      if (frames == 0 && made < Room()) return {};
    }
  }

  Status Flush(std::vector<float>& out) override {
    for (;;) {
      VQC_ASSIGN(const size_t made, Call(nullptr, 0, nullptr, out));
      if (made == 0) return {};
    }
  }

 private:
  size_t Room() const { return static_cast<size_t>(1024 * ratio_) + 1024; }

  Result<size_t> Call(const float* in, size_t frames, size_t* used, std::vector<float>& out) {
    const size_t before = out.size();
    out.resize(before + Room() * channels_);
    size_t made = 0;
    const soxr_error_t error =
        soxr_process(handle_.get(), in, frames, used, out.data() + before, Room(), &made);
    out.resize(before + made * channels_);
    if (error) return Error{ErrorCode::kResource, std::string("resampling failed: ") + soxr_strerror(error)};
    return made;
  }

  std::unique_ptr<std::remove_pointer_t<soxr_t>, SoxrDelete> handle_;
  double ratio_;
  size_t channels_;
};

}  // namespace

Result<std::unique_ptr<ResampleCore>> MakeSoxrResampler(int from, int to, int channels) {
  soxr_error_t error = nullptr;
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
  const soxr_t handle =
      soxr_create(from, to, static_cast<unsigned>(channels), &error, &io, &quality, &runtime);
  if (error || !handle) {
    return Error{ErrorCode::kResource, "sound of " + std::to_string(from) + " Hz cannot be brought to " +
                                           std::to_string(to) +
                                           " Hz: " + (error ? soxr_strerror(error) : "no memory")};
  }
  return std::unique_ptr<ResampleCore>(
      std::make_unique<SoxrResampler>(handle, static_cast<double>(to) / from, static_cast<size_t>(channels)));
}

}  // namespace vqc
