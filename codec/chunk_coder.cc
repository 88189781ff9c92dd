// SPDX-License-Identifier: Apache-2.0
#include "codec/chunk_coder.h"

#include <algorithm>
#include <utility>

#include "codec/payload.h"
#include "codec/scales.h"
#include "codec/token_check.h"

namespace vqc {

AudioChunkCoder::AudioChunkCoder(const Bundle& bundle, const StreamHeader& header, const AudioGrid& grid,
                                 std::vector<uint32_t> vocab, const AudioCut& cut, std::string prior,
                                 bool live)
    : bundle_(bundle),
      header_(header),
      grid_(grid),
      vocab_(std::move(vocab)),
      cut_(cut),
      prior_(prior.empty() || prior == "auto" ? bundle.card.prior : std::move(prior)),
      live_(live),
      ids_(Lanes::Of(static_cast<int>(header.channels), grid.channels)->Count()) {}

void AudioChunkCoder::Append(size_t lane, std::span<const uint32_t> ids, uint32_t levels,
                             std::span<const Segment> segments) {
  segments_.insert(segments_.end(), segments.begin(), segments.end());
  for (size_t at = 0; at + levels <= ids.size(); at += levels) {
    const auto first = ids.begin() + static_cast<ptrdiff_t>(at);
    ids_[lane].insert(ids_[lane].end(), first, first + static_cast<ptrdiff_t>(vocab_.size()));
  }
}

size_t AudioChunkCoder::Units() const {
  if (grid_.segments) return segments_.size();
  size_t times = SIZE_MAX;
  for (const auto& ids : ids_) times = std::min(times, ids.size() / vocab_.size());
  return times;
}

// The first `units` of every lane, which are removed.
Result<Chunk> AudioChunkCoder::Code(uint32_t units, uint32_t frames) {
  Chunk chunk;
  uint32_t times = units;
  if (grid_.segments) {
    const std::vector<Segment> taken(segments_.begin(), segments_.begin() + units);
    times = 0;
    for (const Segment& segment : taken) times += segment.times;
    chunk.side[SideData::kScales] = ScalesOf(taken);
    segments_.erase(segments_.begin(), segments_.begin() + units);
  }
  Tokens tokens{
      {static_cast<uint32_t>(vocab_.size()), 1, static_cast<uint32_t>(ids_.size()), times}, vocab_, {}};
  const auto count = static_cast<ptrdiff_t>(times * vocab_.size());
  for (auto& ids : ids_) {
    tokens.ids.insert(tokens.ids.end(), ids.begin(), ids.begin() + count);
    ids.erase(ids.begin(), ids.begin() + count);
  }
  VQC_ASSIGN(Payload payload, EncodePayload(tokens, bundle_, {.prior = prior_}));
  header_.coding = payload.coding;
  chunk.first_frame = counts_.frames;
  chunk.frames = frames;
  chunk.token_crc = TokenCrc(tokens);
  counts_.frames += frames;
  counts_.tokens += tokens.ids.size();
  counts_.payload_bytes += payload.bytes.size();
  ++counts_.chunks;
  chunk.payload = std::move(payload.bytes);
  return chunk;
}

Status AudioChunkCoder::WriteChunk(uint32_t units, uint32_t frames, std::vector<uint8_t>& out) {
  VQC_ASSIGN(const Chunk chunk, Code(units, frames));
  if (!writer_) {
    VQC_ASSIGN(writer_, StreamWriter::Create(header_, cut_.frames));
  }
  VQC_ASSIGN(const auto bytes, writer_->Add(chunk));
  out.insert(out.end(), bytes.begin(), bytes.end());
  counts_.bytes += bytes.size();
  return {};
}

Status AudioChunkCoder::Drain(std::vector<uint8_t>& out) {
  // What fits two chunks may become a single one.
  if (!live_ && !writer_ && Units() <= 2 * size_t{cut_.units}) return {};
  // The last chunk has at least one frame, so one unit stays.
  while (Units() > cut_.units || (live_ && Units() == cut_.units)) {
    VQC_TRY(WriteChunk(cut_.units, cut_.frames, out));
  }
  return {};
}

Status AudioChunkCoder::WriteEnd(std::vector<uint8_t>& out) {
  if (!writer_) {
    VQC_ASSIGN(writer_, StreamWriter::Create(header_, cut_.frames));
  }
  VQC_ASSIGN(const auto bytes, writer_->End());
  out.insert(out.end(), bytes.begin(), bytes.end());
  counts_.bytes += bytes.size();
  return {};
}

Status AudioChunkCoder::Finish(uint64_t frames, std::vector<uint8_t>& out) {
  const auto rate = static_cast<int>(header_.rate);
  if (!live_ && !writer_ && frames > 0 && frames <= 2 * uint64_t{cut_.frames} && frames <= UINT32_MAX) {
    Stream stream;
    const auto units = static_cast<uint32_t>(UnitsOf(grid_, rate, frames));
    if (Units() < units) return Error{ErrorCode::kInternal, "the tokenizer made too few tokens"};
    VQC_ASSIGN(Chunk chunk, Code(units, static_cast<uint32_t>(frames)));
    stream.header = header_;
    stream.chunks.push_back(std::move(chunk));
    VQC_ASSIGN(out, WriteStream(stream));
    counts_.bytes = out.size();
    return {};
  }
  while (counts_.frames < frames) {
    const auto rest = static_cast<uint32_t>(std::min<uint64_t>(frames - counts_.frames, cut_.frames));
    const auto units = static_cast<uint32_t>(UnitsOf(grid_, rate, rest));
    if (Units() < units) return Error{ErrorCode::kInternal, "the tokenizer made too few tokens"};
    VQC_TRY(WriteChunk(units, rest, out));
  }
  return WriteEnd(out);
}

}  // namespace vqc
