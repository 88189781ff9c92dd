// SPDX-License-Identifier: Apache-2.0
// Version 1, written and read chunk by chunk.
#include <algorithm>
#include <utility>

#include "base/beyond_limit.h"
#include "base/crc32c.h"
#include "codec/container/live.h"
#include "codec/container/v1.h"

namespace vqc {

struct StreamWriter::State {
  v1::ChunkWriter writer;
  ByteWriter waiting;  // the head, until something follows
};

StreamWriter::StreamWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
StreamWriter::StreamWriter(StreamWriter&&) noexcept = default;
StreamWriter& StreamWriter::operator=(StreamWriter&&) noexcept = default;
StreamWriter::~StreamWriter() = default;

Result<StreamWriter> StreamWriter::Create(const StreamHeader& header, uint32_t chunk_frames) {
  auto state = std::make_unique<State>();
  VQC_TRY(state->writer.Begin(header, chunk_frames, state->waiting));
  return StreamWriter(std::move(state));
}

Result<std::vector<uint8_t>> StreamWriter::Add(const Chunk& chunk) {
  ByteWriter out = std::exchange(state_->waiting, ByteWriter());
  VQC_TRY(state_->writer.Add(chunk, out));
  return std::move(out).Take();
}

Result<std::vector<uint8_t>> StreamWriter::End() {
  ByteWriter out = std::exchange(state_->waiting, ByteWriter());
  VQC_TRY(state_->writer.End(out));
  return std::move(out).Take();
}

namespace {

constexpr size_t kMaxHeadBytes = 64 + 1024;  // with fields

}  // namespace

struct StreamReader::State {
  Limits limits;
  bool salvage = false, closed = false, done = false, single = false;
  std::vector<uint8_t> buffer;
  size_t front = 0;       // where what is not consumed begins in it
  uint64_t consumed = 0;  // bytes of the stream before that
  uint64_t tried = 0;     // of salvage: bytes of chunks that were none
  std::optional<v1::GeneralHead> head;
  StreamHeader header;
  uint32_t end_crc = 0;
  uint64_t next = 0;       // sequence
  uint64_t end = 0;        // frame behind the last chunk
  uint64_t lost_from = 0;  // of salvage: where the bytes that belong to nothing begin
  bool short_one = false;
  std::vector<std::string> defects;

  std::span<const uint8_t> Pending() const { return std::span(buffer).subspan(front); }
  void Drop(size_t count) {
    front += count;
    consumed += count;
  }
  Error CutOff() const {
    return Error{ErrorCode::kCorruptData, "the stream is cut off after " +
                                              std::to_string(consumed + Pending().size()) +
                                              " bytes: it has no end"};
  }
  // A forged stream can hold a false chunk at every byte, each as long as the rest.
  bool SearchIsTooLong() const { return tried > 16 * (consumed + Pending().size()) + (1u << 20); }

  Status ReadHead();
  Result<std::optional<Chunk>> ReadSingle();
  Result<std::optional<Chunk>> ReadChunk(bool& progress);
  Result<bool> ReadEnd();
  void NoteLost(uint64_t to) {
    if (lost_from < to) {
      defects.push_back("bytes " + std::to_string(lost_from) + " to " + std::to_string(to - 1) +
                        " belong to no sound chunk");
    }
  }
  Status CheckLength() {
    auto defect = v1::LengthDefect(header, end);
    if (!defect) return {};
    if (!salvage) return Error{ErrorCode::kCorruptData, *defect + "; damaged"};
    defects.push_back(std::move(*defect));
    return {};
  }
};

StreamReader::StreamReader(const Limits& limits, bool salvage) : state_(std::make_unique<State>()) {
  state_->limits = limits;
  state_->salvage = salvage;
}
StreamReader::StreamReader(StreamReader&&) noexcept = default;
StreamReader& StreamReader::operator=(StreamReader&&) noexcept = default;
StreamReader::~StreamReader() = default;

void StreamReader::Push(std::span<const uint8_t> bytes) {
  auto& buffer = state_->buffer;
  buffer.erase(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(state_->front));
  state_->front = 0;
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
}
void StreamReader::Close() { state_->closed = true; }
const StreamHeader* StreamReader::Header() const { return state_->head ? &state_->header : nullptr; }
uint32_t StreamReader::ChunkFrames() const { return state_->head ? state_->head->head.chunk_frames : 0; }
bool StreamReader::Done() const { return state_->done; }
const std::vector<std::string>& StreamReader::Defects() const { return state_->defects; }

Status StreamReader::State::ReadHead() {
  // A head is short; it is read when it is there for sure, or when it can be read.
  if (buffer.size() <= v1::kMagic.size() && !closed) return {};
  if (buffer.size() > v1::kMagic.size() && buffer[3] == v1::kMagic[3] && v1::IsSingle(buffer)) {
    single = true;
    return {};
  }
  if (!LooksLikeStream(buffer) || buffer[3] != v1::kMagic[3]) {
    // The strict reader says what it is instead.
    const auto stream = ReadStream(buffer, limits);
    return stream.ok() ? Error{ErrorCode::kInternal, "a stream of another version"} : stream.error();
  }
  ByteReader reader(buffer);
  const auto found = v1::ReadGeneralHead(buffer, reader, nullptr);
  if (!found.ok()) {
    const bool may_come = !closed && reader.failure() == ByteReader::Failure::kCutOff;
    if (may_come && buffer.size() < kMaxHeadBytes) return {};
    return found.error();
  }
  VQC_ASSIGN(header, v1::HeaderOf(found->head));
  VQC_TRY(v1::CheckLimits(header, limits));
  VQC_TRY(v1::ReadHeadFields(found->fields, v1::FieldPlace::kHead, limits, header));
  head = *found;
  head->fields = {};
  ByteWriter crc;
  crc.U32(head->crc);
  end_crc = Crc32c(crc.bytes());
  Drop(reader.position());
  lost_from = consumed;
  return {};
}

Result<std::optional<Chunk>> StreamReader::State::ReadSingle() {
  if (buffer.size() > limits.max_chunk_bytes + (1u << 16)) {
    return BeyondLimit("a stream in a single chunk has " + std::to_string(buffer.size()) + " bytes or more",
                       "max_chunk_bytes", limits.max_chunk_bytes);
  }
  if (!closed) return std::optional<Chunk>();
  SalvageReport report;
  VQC_ASSIGN(Stream stream, salvage ? SalvageStream(buffer, limits, report) : ReadStream(buffer, limits));
  defects = std::move(report.defects);
  done = true;
  head.emplace();
  header = stream.header;
  head->head.chunk_frames = stream.chunks.front().frames;
  return std::optional<Chunk>(std::move(stream.chunks.front()));
}

// True when the end stands at the front of the buffer and is consumed.
Result<bool> StreamReader::State::ReadEnd() {
  constexpr size_t kEndBytes = v1::kEndSync.size() + 4;
  const auto bytes = Pending();
  if (bytes.size() < kEndBytes || !std::equal(v1::kEndSync.begin(), v1::kEndSync.end(), bytes.begin()))
    return false;
  if (salvage && (!closed || bytes.size() > kEndBytes)) return false;
  ByteReader reader(bytes.subspan(v1::kEndSync.size()));
  const uint32_t found = reader.U32();
  if (found != end_crc) {
    const Error wrong = v1::ChecksumError("the end", found, end_crc);
    if (!salvage) return wrong;
    defects.push_back(wrong.message + " (or chunks are missing)");
  }
  if (!closed) {  // what follows is an error, so wait for it
    if (bytes.size() == kEndBytes) return true;
  }
  if (bytes.size() > kEndBytes) {
    return Error{ErrorCode::kCorruptData,
                 "bytes follow the end of the stream; damaged, or something was appended"};
  }
  NoteLost(consumed);
  Drop(kEndBytes);
  VQC_TRY(CheckLength());
  done = true;
  return true;
}

// A chunk at the front of the buffer. `progress`: something was consumed and it is worth calling again.
Result<std::optional<Chunk>> StreamReader::State::ReadChunk(bool& progress) {
  const auto nothing = std::optional<Chunk>();
  const auto pending = Pending();
  const auto damaged = [&](const Error& error) -> Result<std::optional<Chunk>> {
    if (!salvage) return error;
    // On to the next place where a chunk or the end may begin.
    const auto next_sync = std::find(pending.begin() + 1, pending.end(), v1::kChunkSync[0]);
    Drop(static_cast<size_t>(next_sync - pending.begin()));
    progress = true;
    return nothing;
  };
  if (pending.size() < v1::kChunkHeadBytes && !closed) return nothing;
  const auto size = v1::ChunkBytes(pending);
  if (!size.ok()) return damaged(size.error());
  const uint64_t most = limits.max_chunk_bytes + (1u << 16);  // and its head and fields; sound has no more
  if (*size && **size > most) {
    return damaged(BeyondLimit("a chunk has " + std::to_string(**size) + " bytes, or it is damaged",
                               "max_chunk_bytes", limits.max_chunk_bytes));
  }
  if (!*size || **size > pending.size()) return closed ? damaged(CutOff()) : nothing;
  const auto bytes = pending.first(static_cast<size_t>(**size));
  ByteReader reader(bytes);
  const auto view = v1::ReadChunk(bytes, reader, *head, nullptr);
  if (!view.ok()) {
    tried += bytes.size();
    return damaged(view.error());
  }
  if (view->sequence < next || (view->sequence > next && !salvage) || short_one) {
    return damaged({ErrorCode::kCorruptData, "chunk " + std::to_string(view->sequence) +
                                                 " stands where chunk " + std::to_string(next) +
                                                 " belongs; damaged"});
  }
  VQC_ASSIGN(Chunk chunk, v1::CopyChunk(*view, v1::PlaceOfChunk(head->head), limits));
  NoteLost(consumed);
  if (view->sequence > next) {
    defects.push_back("chunks " + std::to_string(next) + " to " + std::to_string(view->sequence - 1) +
                      " are lost");
  }
  next = view->sequence + 1;
  end = view->first_frame + view->frames;
  short_one = view->frames != head->head.chunk_frames;
  ByteWriter crc;
  crc.U32(view->crc);
  end_crc = Crc32c(crc.bytes(), end_crc);
  Drop(bytes.size());
  lost_from = consumed;
  return std::optional<Chunk>(std::move(chunk));
}

Result<std::optional<Chunk>> StreamReader::Next() {
  State& s = *state_;
  if (s.done) return std::optional<Chunk>();
  if (!s.head && !s.single) VQC_TRY(s.ReadHead());
  if (s.single) return s.ReadSingle();
  if (!s.head) return std::optional<Chunk>();
  for (;;) {
    if (s.SearchIsTooLong()) {
      s.defects.push_back("the search for chunks was given up at byte " + std::to_string(s.consumed) +
                          ": too many false beginnings");
      VQC_TRY(s.CheckLength());
      s.done = true;
      return std::optional<Chunk>();
    }
    if (s.Pending().empty()) {
      if (!s.closed) return std::optional<Chunk>();
      if (!s.salvage) return s.CutOff();
      s.NoteLost(s.consumed);
      s.defects.push_back("cut off: there is no end");
      VQC_TRY(s.CheckLength());
      s.done = true;
      return std::optional<Chunk>();
    }
    VQC_ASSIGN(const bool end, s.ReadEnd());
    if (end) return std::optional<Chunk>();
    const bool waits_for_end = !s.closed && s.Pending().size() < v1::kEndSync.size() + 4;
    if (waits_for_end) return std::optional<Chunk>();
    bool progress = false;
    VQC_ASSIGN(auto chunk, s.ReadChunk(progress));
    if (chunk || !progress) return chunk;
  }
}

}  // namespace vqc
