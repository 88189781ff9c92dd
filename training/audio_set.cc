// SPDX-License-Identifier: Apache-2.0
#include "training/audio_set.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "base/folder.h"
#include "base/mapped_file.h"
#include "base/npy.h"

namespace vqc {
namespace {

constexpr double kSlowest = 0.8, kFastest = 1.25;
constexpr int64_t kPoints = 9;   // of an equalizer curve
constexpr int64_t kTail = 9600;  // samples of a room's echoes
constexpr int64_t kDraws = 32;   // random numbers of a clip, at most

Result<torch::Tensor> ReadSamples(const std::string& path) {
  VQC_ASSIGN(const MappedFile file, MappedFile::Open(path));
  const auto bytes = file.bytes();
  const auto header = ParseNpyHeader(bytes);
  if (!header.ok()) return Error{ErrorCode::kInput, path + ": " + header.error().message};
  const bool whole = header->descr == "<i2";
  if (header->shape.size() != 1 || (!whole && header->descr != "<f4")) {
    return Error{ErrorCode::kInput, path + ": holds " + header->descr + " of shape " +
                                        ShapeText(header->shape) + "; speech is one row of <i2 or <f4"};
  }
  const uint64_t count = header->shape[0], size = whole ? 2 : 4;
  if (count > (bytes.size() - header->data_at) / size) {
    return Error{ErrorCode::kInput, path + ": is shorter than its header says"};
  }
  auto samples = torch::empty({static_cast<int64_t>(count)}, whole ? torch::kInt16 : torch::kFloat32);
  if (count > 0) std::memcpy(samples.data_ptr(), bytes.data() + header->data_at, count * size);
  return whole ? samples : (samples.nan_to_num().clamp(-1, 1) * 32767).round().to(torch::kInt16);
}

// Without waiting for what the device still does.
torch::Tensor Sent(const torch::Tensor& numbers, torch::Device device) {
  return device.is_cuda() ? numbers.pin_memory().to(device, /*non_blocking=*/true) : numbers.to(device);
}

torch::Tensor Gain(const torch::Tensor& decibels) { return torch::pow(10, decibels / 20); }

// Uniform random numbers of a batch, drawn at once so that the device gets them in one piece.
class Draws {
 public:
  Draws(int64_t count, int64_t most, torch::Device device, std::mt19937_64& random) {
    std::uniform_real_distribution<float> uniform(0, 1);
    auto values = torch::empty({most, count, 1});
    for (int64_t i = 0; i < values.numel(); ++i) values.data_ptr<float>()[i] = uniform(random);
    values_ = Sent(values, device);
  }
  torch::Tensor Uniform(double low, double high) {
    return values_[next_++] * (high - low) + low;
  }                                                                   // [count, 1]
  torch::Tensor Uniforms(int64_t columns, double low, double high) {  // [count, columns]
    next_ += columns;
    return values_.slice(0, next_ - columns, next_).squeeze(2).t() * (high - low) + low;
  }
  // 1 with this probability, else 0.
  torch::Tensor Chance(double probability) { return (values_[next_++] < probability).to(torch::kFloat32); }

 private:
  torch::Tensor values_;  // [most, count, 1]
  int64_t next_ = 0;
};

// Gains [count, bins] over frequencies up to half the rate: a smooth curve within +-8 dB, for a third of the
// clips also a low-pass between a seventh and seven tenths of the band.
torch::Tensor Equalizer(int64_t bins, Draws& draws, torch::Device device) {
  auto decibels =
      torch::upsample_linear1d(draws.Uniforms(kPoints, -8, 8).unsqueeze(1).contiguous(), {bins}, true)
          .squeeze(1);
  decibels = decibels * draws.Chance(0.7);
  const auto place = torch::linspace(0, 1, bins, torch::TensorOptions().device(device)).unsqueeze(0);
  const auto slope = ((place - draws.Uniform(0.14, 0.7)) / 0.05).clamp(0, 1) * -50;
  return Gain(decibels + slope * draws.Chance(0.33));
}

// Decaying noise [count, tail] behind the direct sound, 3 to 15 dB below it; none for three quarters.
torch::Tensor Room(int64_t count, int64_t tail, Draws& draws, torch::Device device) {
  const auto time = torch::arange(tail, torch::TensorOptions().device(device)).unsqueeze(0);
  auto noise = torch::randn({count, tail}, torch::TensorOptions().device(device)) *
               torch::exp(-time / draws.Uniform(240, 2400));
  noise = noise / noise.norm(2, 1, true) * Gain(draws.Uniform(-15, -3));
  return noise * draws.Chance(0.25);
}

}  // namespace

Result<AudioSet> AudioSet::Load(const std::string& folder, int64_t least, torch::Device device) {
  VQC_ASSIGN(auto files, FilesBelow(folder));
  std::erase_if(files, [](const std::string& file) { return !file.ends_with(".npy"); });
  AudioSet set;
  std::vector<torch::Tensor> parts;
  int64_t all = 0;
  for (const std::string& file : files) {
    VQC_ASSIGN(const torch::Tensor samples, ReadSamples(file));
    if (samples.size(0) < least) continue;
    set.starts_.push_back(all);
    set.lengths_.push_back(samples.size(0));
    set.weights_.push_back(std::sqrt(static_cast<double>(samples.size(0))));
    all += samples.size(0);
    parts.push_back(samples);
  }
  if (parts.empty()) {
    return Error{ErrorCode::kInput, folder + ": of " + std::to_string(files.size()) +
                                        " .npy files none holds " + std::to_string(least) +
                                        " samples or more; bench/pack_speech.py makes them of sound files"};
  }
  set.samples_ = torch::cat(parts).to(device);
  return set;
}

// Clips that begin at sample `start` [B] int64 and advance by `speed` [B] for each sample (Catmull-Rom).
torch::Tensor AudioSet::Gather(const torch::Tensor& start, const torch::Tensor& speed, int64_t length) const {
  const auto device = samples_.device();
  const auto offset = torch::arange(length, torch::TensorOptions().dtype(torch::kFloat32).device(device)) *
                      Sent(speed, device).unsqueeze(1);
  const auto whole = offset.floor();
  const auto x = offset - whole;
  const auto at = Sent(start, device).unsqueeze(1) + whole.to(torch::kInt64);
  const int64_t last = samples_.size(0) - 1;
  const auto value = [&](int64_t shift) {
    return samples_.index({(at + shift).clamp(0, last)}).to(torch::kFloat32) / 32768;
  };
  const auto a = value(-1), b = value(0), c = value(1), d = value(2);
  const auto curve = b + x * 0.5 * ((c - a) + x * ((2 * a - 5 * b + 4 * c - d) + x * (3 * (b - c) + d - a)));
  return curve;
}

torch::Tensor AudioSet::Voices(int64_t count, int64_t length, std::mt19937_64& random) const {
  std::discrete_distribution<size_t> pick(weights_.begin(), weights_.end());
  std::uniform_real_distribution<double> uniform(0, 1);
  auto start = torch::empty({count}, torch::kInt64);
  auto speed = torch::ones({count});
  for (int64_t i = 0; i < count; ++i) {
    const size_t file = pick(random);
    double rate = uniform(random) < 0.5 ? 1 : kSlowest * std::pow(kFastest / kSlowest, uniform(random));
    if (std::ceil(rate * static_cast<double>(length)) > static_cast<double>(lengths_[file])) rate = 1;
    const int64_t free = lengths_[file] - static_cast<int64_t>(std::ceil(rate * static_cast<double>(length)));
    start.data_ptr<int64_t>()[i] =
        starts_[file] +
        static_cast<int64_t>(uniform(random) * static_cast<double>(std::max<int64_t>(free, 0)));
    speed.data_ptr<float>()[i] = static_cast<float>(rate);
  }
  return Gather(start, speed, length);
}

torch::Tensor AudioSet::Clips(int64_t count, int64_t length, std::mt19937_64& random) const {
  const torch::NoGradGuard no_grad;
  const auto device = samples_.device();
  auto clips = Voices(count, length, random);
  Draws draws(count, kDraws, device, random);
  clips = clips + Voices(count, length, random) * (Gain(draws.Uniform(-25, -8)) * draws.Chance(0.08));
  const int64_t padded = length + kTail;
  const auto filter = Equalizer(padded / 2 + 1, draws, device) *
                      (1 + torch::fft_rfft(Room(count, kTail, draws, device), padded));
  clips = torch::fft_irfft(torch::fft_rfft(clips, padded) * filter, padded).slice(1, 0, length);
  const auto peak = clips.abs().amax(1, true).clamp_min(0.02);
  clips = clips / peak * Gain(draws.Uniform(-22, -0.5)) * (draws.Chance(0.5) * 2 - 1);
  return clips + torch::randn_like(clips) * (Gain(draws.Uniform(-75, -45)) * draws.Chance(0.25));
}

torch::Tensor AudioSet::Span(int64_t begin, int64_t length) const {
  const int64_t end = std::min(begin + length, samples_.size(0));
  return samples_.slice(0, std::min(begin, end), end).to(torch::kFloat32) / 32768;
}

torch::Tensor AudioSet::Plain(int64_t count, int64_t length) const {
  const torch::NoGradGuard no_grad;
  auto start = torch::empty({count}, torch::kInt64);
  for (int64_t i = 0; i < count; ++i) {
    const double place = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    start.data_ptr<int64_t>()[i] =
        static_cast<int64_t>(place * static_cast<double>(std::max<int64_t>(samples_.size(0) - length, 0)));
  }
  return Gather(start, torch::ones({count}), length);
}

}  // namespace vqc
