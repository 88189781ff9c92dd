// SPDX-License-Identifier: Apache-2.0
// The action tokenizer: an episode is cut into chunks, each becomes the ids of one ChunkCodec.
//
// A clip of actions: frames are steps, channels the dimensions of its source (Clip::source). Token time t is
// the chunk's number. The last chunk is filled up with its last step. What is decoded is finite and lies
// within the source's range, whatever the ids are.
#pragma once

#include <memory>

#include "tokenizers/action/action_config.h"
#include "tokenizers/action/chunk_codec.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

class ActionTokenizer : public Tokenizer {
 public:
  ActionTokenizer(std::string type, ActionConfig config, std::unique_ptr<const ChunkCodec> codec);

  const TokenizerInfo& Info() const override { return info_; }
  TokenShape ShapeOf(int frames, int height, int width) const override;
  const ActionConfig& Config() const { return config_; }
  const ChunkCodec& Codec() const { return *codec_; }

  // Normalised values [chunks][chunk][dims] of a clip. Error kUsage where its channels are not the source's.
  Result<std::vector<float>> Chunks(const Clip& clip) const;

 private:
  Result<Encoding> DoEncode(const Clip& clip) const override;
  Result<Clip> DoDecode(const Tokens& tokens, const Target& target) const override;
  Result<const ActionSource*> SourceOf(int source, int channels) const;

  TokenizerInfo info_;
  ActionConfig config_;
  std::unique_ptr<const ChunkCodec> codec_;
};

// The clip as normalised chunks, [chunks][chunk][dims]. REQUIRES: channels are the source's
std::vector<float> NormalisedChunks(const Clip& clip, const ActionSource& source, const ActionConfig& config);

}  // namespace vqc
