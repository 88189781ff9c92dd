// SPDX-License-Identifier: Apache-2.0
#include "training/sound_tokens.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstdio>

#include "base/parallel.h"
#include "training/audio_set.h"

namespace vqc {
namespace {

constexpr double kClipSeconds = 10;

}  // namespace

Result<std::vector<Tokens>> SoundTokens(const Tokenizer& tokenizer, const std::string& folder) {
  const TokenizerInfo& info = tokenizer.Info();
  const auto length = static_cast<int64_t>(kClipSeconds * info.rate) / info.stride * info.stride;
  VQC_ASSIGN(const AudioSet set, AudioSet::Load(folder, info.stride, torch::kCPU));
  const auto count = static_cast<int64_t>(set.seconds(info.rate) / kClipSeconds) + 1;
  std::vector<Tokens> maps(static_cast<size_t>(count));
  VQC_TRY(ParallelFor(maps.size(), CoreCount(), [&](size_t i) -> Status {
    const torch::Tensor samples = set.Span(static_cast<int64_t>(i) * length, length);
    Clip clip;
    clip.modality = Modality::kAudio;
    clip.rate = info.rate;
    clip.frames = static_cast<int>(samples.size(0));
    clip.data.assign(samples.data_ptr<float>(), samples.data_ptr<float>() + samples.size(0));
    if (clip.frames < info.stride) return {};
    VQC_ASSIGN(auto tokens, tokenizer.Encode(std::span(&clip, 1)));
    maps[i] = std::move(tokens.front());
    return {};
  }));
  std::erase_if(maps, [](const Tokens& tokens) { return tokens.ids.empty(); });
  std::fprintf(stderr, "tokens of %zu clips of %.0f s\n", maps.size(), kClipSeconds);
  return maps;
}

}  // namespace vqc
