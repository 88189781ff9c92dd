// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/action/action_tokenizer.h"

#include <algorithm>
#include <utility>

namespace vqc {

std::vector<float> NormalisedChunks(const Clip& clip, const ActionSource& source,
                                    const ActionConfig& config) {
  const int chunks = config.Chunks(clip.frames);
  std::vector<float> values(static_cast<size_t>(chunks) * config.Values());
  for (int row = 0; row < chunks * config.chunk; ++row) {
    const int step = std::min(row, clip.frames - 1);
    for (int d = 0; d < source.Dims(); ++d) {
      values[static_cast<size_t>(row) * config.dims + source.slots[d]] =
          source.Normalise(d, clip.data[static_cast<size_t>(step) * clip.channels + d]);
    }
  }
  return values;
}

ActionTokenizer::ActionTokenizer(std::string type, ActionConfig config,
                                 std::unique_ptr<const ChunkCodec> codec)
    : config_(std::move(config)), codec_(std::move(codec)) {
  info_.type = std::move(type);
  info_.modality = Modality::kAction;
  info_.vocab = codec_->Vocab();
  info_.stride = config_.chunk;
  info_.receptive_field = config_.chunk;
  info_.profile = codec_->Profile();
  info_.nested = codec_->Nested();
}

TokenShape ActionTokenizer::ShapeOf(int frames, int, int) const {
  TokenShape shape = codec_->Shape();
  shape.t = static_cast<uint32_t>(config_.Chunks(frames));
  return shape;
}

Result<const ActionSource*> ActionTokenizer::SourceOf(int source, int channels) const {
  if (source < 0 || static_cast<size_t>(source) >= config_.sources.size()) {
    return Error{ErrorCode::kUsage,
                 "the actions are of source " + std::to_string(source) + ", the model knows 0 to " +
                     std::to_string(config_.sources.size() - 1) + "; name one that it knows"};
  }
  const ActionSource& found = config_.sources[static_cast<size_t>(source)];
  if (found.Dims() != channels) {
    return Error{ErrorCode::kUsage, "the actions have " + std::to_string(channels) +
                                        " dimensions, the source " + found.name + " of the model has " +
                                        std::to_string(found.Dims()) + "; choose another source or model"};
  }
  return &found;
}

Result<std::vector<float>> ActionTokenizer::Chunks(const Clip& clip) const {
  VQC_ASSIGN(const ActionSource* source, SourceOf(clip.source, clip.channels));
  return NormalisedChunks(clip, *source, config_);
}

Result<Encoding> ActionTokenizer::DoEncode(const Clip& clip) const {
  VQC_ASSIGN(const ActionSource* source, SourceOf(clip.source, clip.channels));
  const std::vector<float> values = NormalisedChunks(clip, *source, config_);
  Encoding encoding;
  Tokens& tokens = encoding.tokens;
  tokens = {ShapeOf(clip.frames, 1, 1), info_.vocab, {}};
  tokens.ids.reserve(tokens.shape.Count());
  for (int i = 0; i < config_.Chunks(clip.frames); ++i) {
    const ChunkPlan plan{source->slots, std::min(config_.chunk, clip.frames - i * config_.chunk)};
    const auto chunk = std::span(values).subspan(static_cast<size_t>(i) * config_.Values(), config_.Values());
    VQC_ASSIGN(const auto ids, codec_->Encode(chunk, plan));
    tokens.ids.insert(tokens.ids.end(), ids.begin(), ids.end());
  }
  return encoding;
}

Result<Clip> ActionTokenizer::DoDecode(const Tokens& tokens, const Target& target) const {
  VQC_ASSIGN(const ActionSource* source, SourceOf(target.source, target.channels));
  Clip clip;
  clip.modality = Modality::kAction;
  clip.frames = target.frames;
  clip.channels = target.channels;
  clip.source = target.source;
  clip.data.resize(static_cast<size_t>(clip.frames) * clip.channels);
  std::vector<float> chunk(config_.Values());
  const size_t each = tokens.ids.size() / tokens.shape.t;
  for (int i = 0; i < static_cast<int>(tokens.shape.t); ++i) {
    const int first = i * config_.chunk, steps = std::min(config_.chunk, clip.frames - first);
    const auto ids = std::span(tokens.ids).subspan(static_cast<size_t>(i) * each, each);
    VQC_TRY(codec_->Decode(ids, tokens.shape.levels, {source->slots, steps}, chunk));
    for (int t = 0; t < steps; ++t) {
      for (int d = 0; d < clip.channels; ++d) {
        clip.data[static_cast<size_t>(first + t) * clip.channels + d] =
            source->Restore(d, chunk[static_cast<size_t>(t) * config_.dims + source->slots[d]]);
      }
    }
  }
  return clip;
}

}  // namespace vqc
