// SPDX-License-Identifier: Apache-2.0
// What bench/batch_speed.py calls: a model on batches of sounds or pictures in memory.
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "codec/bundle.h"
#include "models/store.h"

namespace {

struct Run {
  vqc::Bundle bundle;
  std::vector<vqc::Clip> clips{}, decoded{};
  std::vector<vqc::Tokens> tokens{};
};

thread_local std::string problem;

template <class T>
bool Failed(const vqc::Result<T>& result) {
  if (!result.ok()) problem = result.error().message;
  return !result.ok();
}

}  // namespace

extern "C" {

const char* batch_speed_problem() { return problem.c_str(); }

// Null where the model in `folder` cannot be loaded.
void* batch_speed_load(const char* folder, const char* device, int bfloat16, int reference) {
  const auto entry = vqc::FindModel(folder);
  if (Failed(entry)) return nullptr;
  vqc::BundleOptions options{.device = device, .limits = {}};
  options.limits.max_model_bytes = uint64_t{1} << 32;
  options.precision = bfloat16 ? vqc::Precision::kBFloat16 : vqc::Precision::kFloat32;
  options.reference = reference != 0;
  auto bundle = vqc::LoadBundle(*entry, options);
  return Failed(bundle) ? nullptr : new Run{*std::move(bundle)};
}
void batch_speed_free(void* run) { delete static_cast<Run*>(run); }

// [count][frames] mono samples at the model's rate.
void batch_speed_clips(void* handle, const float* samples, int count, int frames) {
  Run& run = *static_cast<Run*>(handle);
  run.clips.clear();
  for (int i = 0; i < count; ++i) {
    vqc::Clip& clip = run.clips.emplace_back();
    clip.modality = vqc::Modality::kAudio;
    clip.frames = frames;
    clip.rate = run.bundle.tokenizer->Info().rate;
    const float* first = samples + static_cast<ptrdiff_t>(i) * frames;
    clip.data.assign(first, first + frames);
  }
}

// [count][3][height][width] in [-1, 1].
void batch_speed_pictures(void* handle, const float* pixels, int count, int height, int width) {
  Run& run = *static_cast<Run*>(handle);
  run.clips.clear();
  for (int i = 0; i < count; ++i) {
    vqc::Clip& clip = run.clips.emplace_back();
    clip.channels = 3;
    clip.height = height;
    clip.width = width;
    const size_t values = 3 * clip.PlaneSize();
    const float* first = pixels + static_cast<size_t>(i) * values;
    clip.data.assign(first, first + values);
  }
}

// The clips to tokens; 0, or what batch_speed_problem says.
int batch_speed_encode(void* handle) {
  Run& run = *static_cast<Run*>(handle);
  auto tokens = run.bundle.tokenizer->Encode(run.clips);
  if (Failed(tokens)) return 1;
  run.tokens = *std::move(tokens);
  return 0;
}
// These tokens to sound or pictures.
int batch_speed_decode(void* handle) {
  Run& run = *static_cast<Run*>(handle);
  const vqc::Clip& clip = run.clips.front();
  const std::vector<vqc::Tokenizer::Target> targets(run.tokens.size(),
                                                    {clip.frames, clip.channels, clip.height, clip.width});
  auto clips = run.bundle.tokenizer->Decode(run.tokens, targets);
  if (Failed(clips)) return 1;
  run.decoded = *std::move(clips);
  return 0;
}

int batch_speed_times(void* handle) {
  return static_cast<int>(static_cast<Run*>(handle)->tokens[0].shape.Positions());
}
int batch_speed_levels(void* handle) {
  return static_cast<int>(static_cast<Run*>(handle)->tokens[0].shape.levels);
}
// [count][times or positions][levels], and what clips are.
void batch_speed_ids(void* handle, uint32_t* ids) {
  for (const auto& tokens : static_cast<Run*>(handle)->tokens) {
    std::memcpy(ids, tokens.ids.data(), tokens.ids.size() * sizeof *ids);
    ids += tokens.ids.size();
  }
}
void batch_speed_samples(void* handle, float* samples) {
  for (const auto& clip : static_cast<Run*>(handle)->decoded) {
    std::memcpy(samples, clip.data.data(), clip.data.size() * sizeof *samples);
    samples += clip.data.size();
  }
}

}  // extern "C"
