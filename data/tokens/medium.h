// SPDX-License-Identifier: Apache-2.0
// Medium: an item of a source on its way to tokens.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "data/media/audio/audio.h"
#include "data/media/flatten_alpha.h"
#include "data/tokens/episode_files.h"
#include "data/tokens/item.h"
#include "data/tokens/source.h"
#include "data/tokens/table_reader.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

struct Medium {
  std::string key;
  Json facts;
  Clip clip;                           // a picture without alpha, or an episode of actions
  std::unique_ptr<AudioReader> audio;  // or a sound, opened: it is decoded piece by piece as it is tokenized
  std::vector<Sidecar> sidecars;
};

struct MediumOptions {
  Limits limits;
  Colour background = {1, 1, 1};           // what transparent pictures are put on
  int action_source = 0;                   // which of the model's sources actions are of
  std::shared_ptr<EpisodeFiles> episodes;  // of actions
  std::shared_ptr<TableReader> tables;     // of items that are rows
};

// Reads a picture (kImage) or an episode (kAction), or opens a sound (kAudio), and reads its sidecars.
// Errors: those of ReadExtent, TableReader, ReadImage, OpenAudio and ReadEpisodes.
Result<Medium> ReadMedium(const SourceItem& item, Modality modality, const MediumOptions& options);

// One for each, in order. Clips are given to the tokenizer at once. Sound is brought to its rate first; each
// channel is tokenized on its own, or several together (tokenizers/lanes.h). kUsage where a sound has other
// channels than the tokenizer takes.
std::vector<Result<TokenItem>> TokenizeMedia(std::vector<Medium> media, const Tokenizer& tokenizer);
Result<TokenItem> TokenizeMedium(Medium medium, const Tokenizer& tokenizer);

}  // namespace vqc
