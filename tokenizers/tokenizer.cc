// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/tokenizer.h"

#include <cmath>
#include <exception>
#include <limits>
#include <new>
#include <utility>

#include "tokenizers/lanes.h"

namespace vqc {
namespace {

std::string SizeText(const TokenShape& s) {
  return std::to_string(s.levels) + " x " + std::to_string(s.t) + " x " + std::to_string(s.h) + " x " +
         std::to_string(s.w);
}

bool TakesChannels(const TokenizerInfo& info, int channels) {
  if (info.modality == Modality::kAction) return channels >= 1;
  return channels == 1 || channels == (info.modality == Modality::kAudio ? info.channels : 3);
}

Status CheckClip(const Clip& clip, const TokenizerInfo& info) {
  if (clip.modality != info.modality) {
    return Error{ErrorCode::kUsage, "the clip is not of the modality of the model; choose another model"};
  }
  if (clip.frames < 1 || clip.height < 1 || clip.width < 1) {
    return Error{ErrorCode::kInput, "the clip has no samples; it needs at least one"};
  }
  if (clip.modality == Modality::kAction && (clip.height != 1 || clip.width != 1)) {
    return Error{ErrorCode::kInternal, "actions have height and width 1"};
  }
  if (!TakesChannels(info, clip.channels)) {
    return Error{ErrorCode::kInternal,
                 "a tokenizer takes 1 or " +
                     std::to_string(info.modality == Modality::kAudio ? info.channels : 3) +
                     " channels, not " + std::to_string(clip.channels) + "; split alpha off first"};
  }
  const size_t size =
      static_cast<size_t>(clip.frames) * static_cast<size_t>(clip.channels) * clip.PlaneSize();
  if (clip.data.size() != size) {
    return Error{ErrorCode::kInternal, "a clip holds " + std::to_string(clip.data.size()) +
                                           " samples, its sizes say " + std::to_string(size)};
  }
  int finite = 1;  // without a way out of the loop, so that it takes several samples at once
  for (const float value : clip.data) finite &= std::abs(value) <= std::numeric_limits<float>::max();
  if (finite == 1) return {};
  return Error{ErrorCode::kInput, "a sample is not a number; replace it before encoding"};
}

// The grid and the ids of `tokens` against what this tokenizer can make of a clip of that size.
Status CheckTokens(const Tokens& tokens, TokenShape shape, const TokenizerInfo& info, ErrorCode code) {
  std::vector<uint32_t> vocab = info.vocab;
  if (info.nested && tokens.shape.levels >= 1 && tokens.shape.levels < shape.levels) {
    shape.levels = tokens.shape.levels;
    vocab.resize(shape.levels);
  }
  if (tokens.shape != shape) {
    return Error{code, "the tokens are " + SizeText(tokens.shape) +
                           " (levels, time, rows, columns), the clip needs " + SizeText(shape)};
  }
  if (tokens.vocab != vocab) return Error{code, "the tokens have another vocabulary than the model"};
  if (tokens.vocab.size() != shape.levels || tokens.ids.size() != shape.Count()) {
    return Error{code, "there are " + std::to_string(tokens.ids.size()) + " ids, not " +
                           std::to_string(shape.Count())};
  }
  for (size_t i = 0; i < tokens.ids.size(); ++i) {
    const size_t level = i % shape.levels;
    if (tokens.ids[i] >= tokens.vocab[level]) {
      return Error{code, "token " + std::to_string(i) + " is " + std::to_string(tokens.ids[i]) +
                             ", the vocabulary has " + std::to_string(tokens.vocab[level]) + " entries"};
    }
  }
  return {};
}

// Networks throw; what they throw becomes an Error here. Allocators of libtorch say so in words only.
template <class Function>
auto Guarded(Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kResource, "there is not enough memory; use fewer --jobs or a smaller picture"};
  } catch (const std::exception& thrown) {
    std::string text = thrown.what();
    text = text.substr(0, text.find('\n'));
    const bool memory = text.find("memory") != std::string::npos || text.find("alloc") != std::string::npos;
    return Error{memory ? ErrorCode::kResource : ErrorCode::kInternal, "the network stopped: " + text};
  }
}

}  // namespace

Result<Encoding> Tokenizer::DoEncode(const Clip& clip) const {
  VQC_ASSIGN(const Lanes lanes, Lanes::Of(clip.channels, Info().channels));
  VQC_ASSIGN(const auto session, NewEncodeSession());
  VQC_ASSIGN(Tokens tokens, session->Push(lanes.Take(clip.data, 0)));
  VQC_ASSIGN(const Tokens rest, session->Flush());
  tokens.shape.t += rest.shape.t;
  tokens.ids.insert(tokens.ids.end(), rest.ids.begin(), rest.ids.end());
  tokens.segments.insert(tokens.segments.end(), rest.segments.begin(), rest.segments.end());
  return Encoding{std::move(tokens), {}};
}

Result<Clip> Tokenizer::DoDecode(const Tokens& tokens, const Target& target) const {
  VQC_ASSIGN(const Lanes lanes, Lanes::Of(target.channels, Info().channels));
  VQC_ASSIGN(const auto session, NewDecodeSession());
  VQC_ASSIGN(std::vector<float> samples, session->Push(tokens));
  VQC_ASSIGN(const std::vector<float> rest, session->Flush());
  samples.insert(samples.end(), rest.begin(), rest.end());
  samples.resize(static_cast<size_t>(target.frames) * lanes.width);
  Clip clip;
  clip.channels = target.channels;
  clip.data.resize(static_cast<size_t>(target.frames) * lanes.channels);
  lanes.Put(samples, 0, clip.data);
  clip.modality = Info().modality;
  clip.frames = target.frames;
  clip.rate = Info().rate;
  clip.bit_depth = 16;
  return clip;
}

Result<Encoding> Tokenizer::EncodeWithPositions(const Clip& clip) const {
  VQC_TRY(CheckClip(clip, Info()));
  VQC_ASSIGN(Encoding encoding, Guarded([&] { return DoEncode(clip); }));
  VQC_TRY(CheckTokens(encoding.tokens, ShapeOf(clip.frames, clip.height, clip.width), Info(),
                      ErrorCode::kInternal));
  return encoding;
}

Result<std::vector<Tokens>> Tokenizer::Encode(std::span<const Clip> batch) const {
  for (const Clip& clip : batch) VQC_TRY(CheckClip(clip, Info()));
  VQC_ASSIGN(auto encodings, Guarded([&] { return DoEncodeBatch(batch); }));
  std::vector<Tokens> all;
  for (size_t i = 0; i < batch.size(); ++i) {
    const TokenShape shape = ShapeOf(batch[i].frames, batch[i].height, batch[i].width);
    VQC_TRY(CheckTokens(encodings[i].tokens, shape, Info(), ErrorCode::kInternal));
    all.push_back(std::move(encodings[i].tokens));
  }
  return all;
}

Result<std::vector<Clip>> Tokenizer::Decode(std::span<const Tokens> batch,
                                            std::span<const Target> targets) const {
  if (batch.size() != targets.size()) {
    return Error{ErrorCode::kInternal, "Decode got " + std::to_string(batch.size()) + " token grids and " +
                                           std::to_string(targets.size()) + " targets"};
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    const Target& target = targets[i];
    if (target.frames < 1 || target.height < 1 || target.width < 1 ||
        !TakesChannels(Info(), target.channels)) {
      return Error{ErrorCode::kInternal,
                   "a target needs sizes from 1 and 1 or 3 channels (actions: 1 or more; sound: 1 or those "
                   "that its model takes together)"};
    }
    const TokenShape shape = ShapeOf(target.frames, target.height, target.width);
    VQC_TRY(CheckTokens(batch[i], shape, Info(), ErrorCode::kCorruptData));
  }
  VQC_ASSIGN(auto clips, Guarded([&] { return DoDecodeBatch(batch, targets); }));
  for (size_t i = 0; i < batch.size(); ++i) {
    const Target& target = targets[i];
    const Clip& clip = clips[i];
    const size_t size =
        static_cast<size_t>(target.frames) * static_cast<size_t>(target.channels) * clip.PlaneSize();
    if (clip.frames != target.frames || clip.channels != target.channels || clip.height != target.height ||
        clip.width != target.width || clip.data.size() != size) {
      return Error{ErrorCode::kInternal, "the network gave a clip of another size than its target"};
    }
  }
  return clips;
}

Result<std::vector<Encoding>> Tokenizer::DoEncodeBatch(std::span<const Clip> batch) const {
  std::vector<Encoding> all;
  for (const Clip& clip : batch) {
    VQC_ASSIGN(all.emplace_back(), DoEncode(clip));
  }
  return all;
}

Result<std::vector<Clip>> Tokenizer::DoDecodeBatch(std::span<const Tokens> batch,
                                                   std::span<const Target> targets) const {
  std::vector<Clip> all;
  for (size_t i = 0; i < batch.size(); ++i) {
    VQC_ASSIGN(all.emplace_back(), DoDecode(batch[i], targets[i]));
  }
  return all;
}

Result<std::unique_ptr<EncodeSession>> Tokenizer::NewEncodeSession() const {
  return Error{ErrorCode::kUsage, "tokenizer " + Info().type + " has no sessions; encode whole clips"};
}

Result<std::unique_ptr<DecodeSession>> Tokenizer::NewDecodeSession() const {
  return Error{ErrorCode::kUsage, "tokenizer " + Info().type + " has no sessions; decode whole clips"};
}

}  // namespace vqc
