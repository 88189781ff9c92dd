// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/medium.h"

#include <algorithm>
#include <utility>

#include "base/beyond_limit.h"
#include "base/printable.h"
#include "data/media/audio/resample.h"
#include "data/media/media.h"
#include "tokenizers/lanes.h"

namespace vqc {
namespace {

constexpr uint64_t kMaxSidecarBytes = 16 << 20;
constexpr size_t kPieceFrames = 1 << 14;

TokenLayout LayoutOf(const Tokenizer& tokenizer) {
  return {tokenizer.Info().modality, tokenizer.Info().vocab};
}

// Of a row, its sidecars too.
Result<std::vector<uint8_t>> ReadBytes(const SourceItem& item, const MediumOptions& options, Medium& medium) {
  if (!item.table)
    return ReadExtent(item.media, item.name, options.limits.max_input_bytes, "max_input_bytes");
  VQC_ASSIGN(TableRow row, options.tables->Read(*item.table, item.part));
  for (const Sidecar& sidecar : row.sidecars) {
    if (sidecar.bytes.size() <= kMaxSidecarBytes) continue;
    return BeyondLimit(
        "its " + Printable(sidecar.extension) + " holds " + std::to_string(sidecar.bytes.size()) + " bytes",
        {}, kMaxSidecarBytes);
  }
  medium.sidecars = std::move(row.sidecars);
  return std::move(row.media);
}

Status ReadPicture(const SourceItem& item, const MediumOptions& options, Medium& medium) {
  VQC_ASSIGN(const auto bytes, ReadBytes(item, options, medium));
  VQC_ASSIGN(medium.clip, ReadImage(bytes, Printable(item.name), options.limits));
  if (medium.clip.HasAlpha()) medium.clip = FlattenAlpha(std::move(medium.clip), options.background);
  medium.facts["width"] = medium.clip.width;
  medium.facts["height"] = medium.clip.height;
  medium.facts["channels"] = medium.clip.channels;
  medium.facts["bit_depth"] = medium.clip.bit_depth;
  return {};
}

Status OpenSound(const SourceItem& item, const MediumOptions& options, Medium& medium) {
  if (item.media.path && item.media.whole) {
    VQC_ASSIGN(medium.audio, OpenAudio(*item.media.path, {}, options.limits));
  } else {
    VQC_ASSIGN(auto bytes, ReadBytes(item, options, medium));
    VQC_ASSIGN(medium.audio, OpenAudioBytes(std::move(bytes), Printable(item.name), options.limits));
  }
  medium.facts["rate"] = medium.audio->Info().rate;
  medium.facts["channels"] = medium.audio->Info().channels;
  return {};
}

// An episode of a file that was listed with it, or the only one of a tar's member.
Result<Episode> ReadEpisode(const SourceItem& item, const MediumOptions& options) {
  if (!item.media.path || item.media.offset > 0) {
    VQC_ASSIGN(auto bytes,
               ReadExtent(item.media, item.name, options.limits.max_input_bytes, "max_input_bytes"));
    VQC_ASSIGN(auto episodes, ReadEpisodes(item.name, std::move(bytes), options.limits));
    if (episodes.size() == 1) return std::move(episodes.front());
    return Error{ErrorCode::kInput, Printable(item.name) + ": holds " + std::to_string(episodes.size()) +
                                        " episodes; the member of a tar is read where it holds one"};
  }
  VQC_ASSIGN(const auto episodes, options.episodes->Get(*item.media.path));
  if (item.part >= episodes->size()) {
    return Error{ErrorCode::kInput, Printable(item.name) + ": holds fewer episodes than when it was listed"};
  }
  const Episode& episode = (*episodes)[item.part];
  if (episode.fault) return *episode.fault;
  return episode;
}

Status ReadActions(const SourceItem& item, const MediumOptions& options, Medium& medium) {
  VQC_ASSIGN(const Episode episode, ReadEpisode(item, options));
  medium.clip = ClipOf(episode, options.action_source);
  medium.facts["steps"] = episode.steps;
  medium.facts["dimensions"] = episode.dims;
  medium.facts["action_source"] = options.action_source;
  return {};
}

Status ReadContent(const SourceItem& item, Modality modality, const MediumOptions& options, Medium& medium) {
  switch (modality) {
    case Modality::kAudio:
      return OpenSound(item, options, medium);
    case Modality::kAction:
      return ReadActions(item, options, medium);
    default:
      return ReadPicture(item, options, medium);
  }
}

// The channels of a sound through sessions.
class SoundLanes {
 public:
  static Result<SoundLanes> Create(const AudioInfo& info, const Tokenizer& tokenizer) {
    VQC_ASSIGN(const Lanes lanes, Lanes::Of(info.channels, tokenizer.Info().channels));
    VQC_ASSIGN(Resampler resampler,
               Resampler::Create(info.rate, static_cast<int>(tokenizer.Info().rate), info.channels));
    SoundLanes sound(lanes, std::move(resampler));
    for (size_t lane = 0; lane < lanes.Count(); ++lane) {
      VQC_ASSIGN(auto session, tokenizer.NewEncodeSession());
      sound.made_.push_back({std::move(session), {}});
    }
    return sound;
  }

  Status Push(std::span<const float> interleaved) {
    VQC_TRY(resampler_.Push(interleaved, resampled_));
    return Tokenize(false);
  }
  Status Flush() {
    VQC_TRY(resampler_.Flush(resampled_));
    return Tokenize(true);
  }

  size_t Count() const { return made_.size(); }
  std::vector<uint32_t> Ids() const {
    std::vector<uint32_t> ids;
    for (const Made& made : made_) ids.insert(ids.end(), made.ids.begin(), made.ids.end());
    return ids;
  }
  // Of the segments, which only a single lane has; empty where there are none.
  const std::vector<float>& Scales() const { return scales_; }

 private:
  struct Made {
    std::unique_ptr<EncodeSession> session;
    std::vector<uint32_t> ids;
  };

  SoundLanes(const Lanes& lanes, Resampler resampler) : lanes_(lanes), resampler_(std::move(resampler)) {}

  void Keep(const Tokens& tokens, Made& made) {
    made.ids.insert(made.ids.end(), tokens.ids.begin(), tokens.ids.end());
    for (const Segment& segment : tokens.segments) scales_.push_back(segment.scale);
  }

  Status Tokenize(bool last) {
    for (size_t lane = 0; lane < made_.size(); ++lane) {
      Made& made = made_[lane];
      VQC_ASSIGN(const Tokens tokens, made.session->Push(lanes_.Take(resampled_, lane)));
      Keep(tokens, made);
      if (!last) continue;
      VQC_ASSIGN(const Tokens rest, made.session->Flush());
      Keep(rest, made);
    }
    resampled_.clear();
    return {};
  }

  Lanes lanes_;
  Resampler resampler_;
  std::vector<Made> made_;
  std::vector<float> resampled_, scales_;
};

Status TokenizeSound(AudioReader& reader, const Tokenizer& tokenizer, TokenItem& item) {
  const auto channels = static_cast<size_t>(reader.Info().channels);
  VQC_ASSIGN(SoundLanes lanes, SoundLanes::Create(reader.Info(), tokenizer));
  std::vector<float> piece(kPieceFrames * channels);
  uint64_t frames = 0;
  for (;;) {
    VQC_ASSIGN(const size_t got, reader.Read(piece));
    if (got == 0) break;
    frames += got;
    VQC_TRY(lanes.Push(std::span(piece).first(got * channels)));
  }
  if (frames == 0) return Error{ErrorCode::kInput, "the sound has no samples; it needs at least one"};
  VQC_TRY(lanes.Flush());
  item.ids = lanes.Ids();
  item.facts["frames"] = frames;
  if (!lanes.Scales().empty()) item.facts["scales"] = lanes.Scales();
  const TokenLayout layout = LayoutOf(tokenizer);
  TokenShape shape{.levels = static_cast<uint32_t>(layout.vocab.size())};
  shape.t = static_cast<uint32_t>(item.ids.size() / (lanes.Count() * layout.vocab.size()));
  item.shape = ArrayShape(layout, shape, lanes.Count());
  return {};
}

// All of the item but what comes of its samples.
TokenItem ItemOf(Medium& medium) {
  TokenItem item;
  item.key = std::move(medium.key);
  item.facts = std::move(medium.facts);
  item.sidecars = std::move(medium.sidecars);
  return item;
}

void SetTokens(Tokens tokens, const Tokenizer& tokenizer, TokenItem& item) {
  item.shape = ArrayShape(LayoutOf(tokenizer), tokens.shape, 1);
  item.ids = std::move(tokens.ids);
}

}  // namespace

Result<Medium> ReadMedium(const SourceItem& item, Modality modality, const MediumOptions& options) {
  Medium medium;
  medium.key = item.key;
  medium.facts = {{"source", item.name}};
  VQC_TRY(ReadContent(item, modality, options, medium));
  for (const SourceSidecar& sidecar : item.sidecars) {
    const std::string name = item.name + " (" + sidecar.extension + ")";
    VQC_ASSIGN(auto bytes, ReadExtent(sidecar.extent, name, kMaxSidecarBytes));
    medium.sidecars.push_back({sidecar.extension, std::move(bytes)});
  }
  return medium;
}

Result<TokenItem> TokenizeMedium(Medium medium, const Tokenizer& tokenizer) {
  TokenItem item = ItemOf(medium);
  if (medium.audio) {
    VQC_TRY(TokenizeSound(*medium.audio, tokenizer, item));
    return item;
  }
  VQC_ASSIGN(auto tokens, tokenizer.Encode({&medium.clip, 1}));
  SetTokens(std::move(tokens.front()), tokenizer, item);
  return item;
}

std::vector<Result<TokenItem>> TokenizeMedia(std::vector<Medium> media, const Tokenizer& tokenizer) {
  std::vector<Result<TokenItem>> items;
  const bool clips = std::ranges::none_of(media, [](const Medium& medium) { return medium.audio != nullptr; });
  if (clips && media.size() > 1) {
    std::vector<Clip> batch;
    for (Medium& medium : media) batch.push_back(std::move(medium.clip));
    auto tokens = tokenizer.Encode(batch);
    for (size_t i = 0; i < media.size(); ++i) {
      if (!tokens.ok()) {
        media[i].clip = std::move(batch[i]);
        continue;
      }
      TokenItem item = ItemOf(media[i]);
      SetTokens(std::move((*tokens)[i]), tokenizer, item);
      items.push_back(std::move(item));
    }
    if (tokens.ok()) return items;
  }
  // One by one; after an error of a batch this tells whose it was.
  for (Medium& medium : media) items.push_back(TokenizeMedium(std::move(medium), tokenizer));
  return items;
}

}  // namespace vqc
