// SPDX-License-Identifier: Apache-2.0
#include "models/audio_engine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/kernels/kernels.h"

namespace vqc::audio {
namespace {

constexpr size_t kFramesAtOnce = 32;  // bounds memory; results do not depend on it

}  // namespace

Result<Stack> Stack::Load(const Weights& weights, const std::string& prefix, size_t count, size_t width,
                          const AudioNetworkConfig::Side& side, size_t kernel) {
  Stack stack;
  for (size_t i = 0; i < count; ++i) {
    VQC_ASSIGN(auto block,
               Block::Load(weights, prefix + "." + std::to_string(i), width, static_cast<size_t>(side.expand),
                           kernel, static_cast<size_t>(side.ahead)));
    stack.blocks.push_back(std::move(block));
  }
  return stack;
}

std::vector<float> Stack::Push(State& state, std::vector<float> rows, bool last) const {
  state.resize(blocks.size());
  for (size_t i = 0; i < blocks.size(); ++i) rows = blocks[i].Push(state[i], rows, last);
  return rows;
}

Result<Encoder> Encoder::Load(const AudioNetworkConfig& config, size_t dim, const Weights& weights) {
  const auto length = static_cast<size_t>(config.Window()), width = static_cast<size_t>(config.encoder.width),
             kernel = static_cast<size_t>(config.kernel);
  const size_t last = config.fold > 1 ? static_cast<size_t>(config.TokenWidth(config.encoder)) : width;
  VQC_ASSIGN(auto in, Linear::Load(weights, "encoder.in", static_cast<size_t>(config.Features()), width));
  VQC_ASSIGN(auto out, Linear::Load(weights, "encoder.out", last, dim));
  Encoder encoder(config, Analysis(length, false), Analysis(length, true), std::move(in), std::move(out));
  encoder.window_ = Hann(length, 1);
  if (config.fold > 1) {
    VQC_ASSIGN(auto fold,
               Linear::Load(weights, "encoder.fold", static_cast<size_t>(config.fold) * width, last));
    encoder.fold_.push_back(std::move(fold));
  }
  VQC_ASSIGN(encoder.frames_,
             Stack::Load(weights, "encoder.frames", static_cast<size_t>(config.encoder.blocks), width,
                         config.encoder, kernel));
  VQC_ASSIGN(encoder.tokens_,
             Stack::Load(weights, "encoder.tokens", static_cast<size_t>(config.encoder.token_blocks), last,
                         config.encoder, kernel));
  VQC_ASSIGN(encoder.norm_, NormWeights::Load(weights, "encoder", last));
  return encoder;
}

// Features [frames][bins + 2 phase_bins] of frames that begin every hop of `samples`.
std::vector<float> Encoder::Features(const float* samples, size_t frames) const {
  const size_t length = window_.size(), half = length / 2 + 1, hop = static_cast<size_t>(config_.hop),
               low = static_cast<size_t>(config_.phase_bins), width = half + 2 * low;
  std::vector<float> sums(frames * half), differences(frames * half);
  for (size_t t = 0; t < frames; ++t) {
    const float* x = samples + t * hop;
    float* sum = sums.data() + t * half;
    float* difference = differences.data() + t * half;
    sum[0] = x[0] * window_[0];
    sum[half - 1] = x[half - 1] * window_[half - 1];
    for (size_t n = 1; n + 1 < half; ++n) {
      const float a = x[n] * window_[n], b = x[length - n] * window_[length - n];
      sum[n] = a + b;
      difference[n] = a - b;
    }
  }
  const auto real = even_.Apply(sums.data(), frames), imaginary = odd_.Apply(differences.data(), frames);
  std::vector<float> level(frames * half);
  for (size_t i = 0; i < level.size(); ++i) {
    level[i] = real[i] * real[i] + imaginary[i] * imaginary[i] + kPowerFloor;
  }
  Log(level.data(), level.size());
  std::vector<float> features(frames * width), scale(low);
  for (size_t t = 0; t < frames; ++t) {
    const float* log = level.data() + t * half;
    float* row = features.data() + t * width;
    for (size_t k = 0; k < half; ++k) row[k] = log[k] * 0.5f;
    for (size_t k = 0; k < low; ++k) scale[k] = log[k] * kCompression;
    Exp(scale.data(), low);
    for (size_t k = 0; k < low; ++k) {
      row[half + k] = real[t * half + k] * scale[k];
      row[half + low + k] = imaginary[t * half + k] * scale[k];
    }
  }
  return features;
}

// Computes the frames below `most_frames` for which samples are there.
std::vector<float> Encoder::Advance(State& state, size_t most_frames, bool last) const {
  const auto hop = static_cast<size_t>(config_.hop), fold = static_cast<size_t>(config_.fold);
  std::vector<float> latents;
  size_t at = 0;
  for (bool more = true; more;) {
    const size_t hops = (state.samples.size() - at) / hop;
    const size_t ready = std::min(hops >= 3 ? hops - 2 : 0, most_frames - state.framed);
    const size_t count = std::min(ready, kFramesAtOnce);
    more = ready > count;
    const bool end = last && !more;
    if (count == 0 && !end) break;
    std::vector<float> rows;
    if (count > 0) rows = in_.Apply(Features(state.samples.data() + at, count).data(), count);
    at += count * hop;
    state.framed += count;
    rows = frames_.Push(state.frames, std::move(rows), end);
    if (fold > 1) {
      const size_t width = static_cast<size_t>(config_.encoder.width);
      state.rows.insert(state.rows.end(), rows.begin(), rows.end());
      const size_t tokens = state.rows.size() / (fold * width);
      rows = fold_.front().Apply(state.rows.data(), tokens);
      state.rows.erase(state.rows.begin(), state.rows.begin() + static_cast<long>(tokens * fold * width));
    }
    rows = norm_.Apply(tokens_.Push(state.tokens, std::move(rows), end));
    const auto made = out_.Apply(rows.data(), rows.size() / norm_.weight.size());
    latents.insert(latents.end(), made.begin(), made.end());
  }
  state.samples.erase(state.samples.begin(), state.samples.begin() + static_cast<long>(at));
  return latents;
}

std::vector<float> Encoder::Push(State& state, std::span<const float> samples) const {
  if (!state.started) state.samples.assign(static_cast<size_t>(config_.hop), 0.0f);
  state.started = true;
  state.pushed += samples.size();
  for (const float sample : samples) state.samples.push_back(std::min(std::max(sample, -1.0f), 1.0f));
  return Advance(state, SIZE_MAX, false);
}

std::vector<float> Encoder::Finish(State& state) const {
  const auto hop = static_cast<size_t>(config_.hop), stride = static_cast<size_t>(config_.Stride());
  std::vector<float> latents;
  if (state.pushed > 0) {
    const size_t tokens = (state.pushed + stride - 1) / stride;
    state.samples.resize(state.samples.size() + tokens * stride - state.pushed + hop, 0.0f);
    latents = Advance(state, tokens * static_cast<size_t>(config_.fold), true);
  }
  state = {};
  return latents;
}

Result<Decoder> Decoder::Load(const AudioNetworkConfig& config, size_t dim, const Weights& weights) {
  const auto length = static_cast<size_t>(config.Window()), width = static_cast<size_t>(config.decoder.width),
             kernel = static_cast<size_t>(config.kernel);
  const size_t first = config.fold > 1 ? static_cast<size_t>(config.TokenWidth(config.decoder)) : width;
  VQC_ASSIGN(auto in, Linear::Load(weights, "decoder.in", dim, first));
  VQC_ASSIGN(auto head, Linear::Load(weights, "decoder.head", width, 3 * static_cast<size_t>(config.Bins())));
  InverseFourier inverse(Hann(length, 1 / double{kOverlap}));
  Decoder decoder(config, std::move(inverse), std::move(in), std::move(head));
  if (config.fold > 1) {
    VQC_ASSIGN(auto unfold,
               Linear::Load(weights, "decoder.unfold", first, static_cast<size_t>(config.fold) * width));
    decoder.unfold_.push_back(std::move(unfold));
  }
  VQC_ASSIGN(decoder.tokens_,
             Stack::Load(weights, "decoder.tokens", static_cast<size_t>(config.decoder.token_blocks), first,
                         config.decoder, kernel));
  VQC_ASSIGN(decoder.frames_,
             Stack::Load(weights, "decoder.frames", static_cast<size_t>(config.decoder.blocks), width,
                         config.decoder, kernel));
  VQC_ASSIGN(decoder.norm_, NormWeights::Load(weights, "decoder", width));
  return decoder;
}

// Windowed frames [frames][window] from the head's rows of log magnitudes and of
// directions, real parts before imaginary ones, whose angles are the phases.
std::vector<float> Decoder::Frames(const std::vector<float>& spectra) const {
  const auto half = static_cast<size_t>(config_.Bins());
  const size_t count = spectra.size() / (3 * half);
  std::vector<float> magnitude(half), real(count * half), imaginary(count * half);
  for (size_t t = 0; t < count; ++t) {
    const float* row = spectra.data() + t * 3 * half;
    for (size_t k = 0; k < half; ++k) magnitude[k] = std::min(row[k], kMaxLogMagnitude);
    Exp(magnitude.data(), half);
    for (size_t k = 0; k < half; ++k) {
      const float x = row[half + k], y = row[2 * half + k];
      const float scale = magnitude[k] / std::sqrt(x * x + y * y + kDirectionFloor);
      real[t * half + k] = x * scale;
      imaginary[t * half + k] = y * scale;
    }
  }
  return inverse_.Apply(real, imaginary);
}

std::vector<float> Decoder::Push(State& state, const std::vector<float>& latents, bool last) const {
  const auto hop = static_cast<size_t>(config_.hop), width = static_cast<size_t>(config_.decoder.width);
  const size_t dim = in_.In(), tokens = latents.size() / dim,
               at_once = std::max<size_t>(1, kFramesAtOnce / static_cast<size_t>(config_.fold));
  std::vector<float> samples;
  for (size_t begin = 0; begin < tokens || (last && begin == 0);) {
    const size_t count = std::min(at_once, tokens - begin);
    const bool end = last && begin + count == tokens;
    auto rows = tokens_.Push(state.tokens, in_.Apply(latents.data() + begin * dim, count), end);
    if (!unfold_.empty()) rows = unfold_.front().Apply(rows.data(), rows.size() / in_.Out());
    rows = norm_.Apply(frames_.Push(state.frames, std::move(rows), end));
    const auto frames = Frames(head_.Apply(rows.data(), rows.size() / width));
    for (size_t t = 0; t < frames.size() / (3 * hop); ++t) {
      const float* frame = frames.data() + t * 3 * hop;
      for (size_t i = 0; i < state.pending.size(); ++i) samples.push_back(state.pending[i] + frame[i]);
      state.pending.assign(frame + hop, frame + 2 * hop);
      for (size_t i = 0; i < state.after.size(); ++i) state.pending[i] += state.after[i];
      state.after.assign(frame + 2 * hop, frame + 3 * hop);
    }
    begin += std::max<size_t>(count, 1);
  }
  if (last) {
    samples.insert(samples.end(), state.pending.begin(), state.pending.end());
    state = {};
  }
  for (float& sample : samples) sample = std::min(std::max(sample, -1.0f), 1.0f);
  return samples;
}

}  // namespace vqc::audio
