// SPDX-License-Identifier: Apache-2.0
#include "entropy/blockwise_match.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "base/bytes.h"
#include "entropy/blockwise_tables.h"
#include "entropy/rans/serial.h"

namespace vqc {
namespace {

constexpr size_t kSegment = 1u << 16;
constexpr uint32_t kFlagBits = 15;
constexpr size_t kClasses = 14;

// How often something was so: 22 bits, learning from n events at 1 / (n + 1.5), and at 1 / 400 in the end.
class Chance {
 public:
  uint32_t Frequency() const { return std::clamp<uint32_t>(chance_ >> 7, 1, (1u << kFlagBits) - 1); }
  void Learn(bool so) {
    const int32_t off = (so ? (1 << 22) - 1 : 0) - static_cast<int32_t>(chance_);
    chance_ = static_cast<uint32_t>(static_cast<int32_t>(chance_) + off * 2 / (2 * seen_ + 3));
    if (seen_ < 400) ++seen_;
  }

 private:
  uint32_t chance_ = 1u << 20;
  int32_t seen_ = 1;
};

// One level: the table of the tokens that repeat nothing, and the chances of those that do.
class Level {
 public:
  explicit Level(uint32_t vocab) : counts_(vocab), classes_(vocab) { Rebuild(); }

  const rans::BandTable& table() const { return table_; }
  Chance& ChanceOf(size_t number, size_t votes, uint32_t candidate) {
    return chances_[((number * 3 + votes) * 2 + repeated_) * kClasses + classes_[candidate]];
  }
  void SawMatch() { repeated_ = 1; }
  // True where a new table begins.
  bool SawOther(uint32_t id) {
    repeated_ = 0;
    ++counts_[id];
    if (++seen_ < next_) return false;
    Rebuild();
    return true;
  }

 private:
  void Rebuild() {
    table_ = TableAfter(counts_);
    next_ = seen_ + BlockSizeAfter(seen_);
    for (size_t id = 0; id < counts_.size(); ++id) {
      classes_[id] =
          seen_ == 0 ? 0 : static_cast<uint8_t>(std::bit_width(uint64_t{4096} * counts_[id] / seen_));
    }
  }

  std::vector<uint32_t> counts_;
  std::vector<uint8_t> classes_;
  rans::BandTable table_;
  size_t seen_ = 0, next_ = 0, repeated_ = 0;
  std::array<Chance, kMatches * 3 * 2 * kClasses> chances_{};
};

// The walk over the tokens, the same for both directions. Coder codes events: bool Flag(frequency, is_so) and
// void Other(level, id) return and set what the event is, Renew(level) says that the level has a new table.
template <class Coder>
class Walk {
 public:
  Walk(const TokenShape& shape, std::span<const uint32_t> vocab, std::span<const Match> list, Coder& coder)
      : shape_(shape), vocab_(vocab), list_(list), coder_(coder) {
    for (const uint32_t size : vocab) levels_.emplace_back(size);
    for (size_t level = 0; level < levels_.size(); ++level) coder_.Renew(level, levels_[level].table());
  }

  // Codes the next `count` tokens.
  void Run(uint32_t* ids, size_t count) {
    for (; count > 0; --count, ++at_, place_.Advance(shape_)) CodeToken(ids);
  }

 private:
  void CodeToken(uint32_t* ids) {
    if (vocab_[place_.level] == 1) {
      ids[at_] = 0;
      return;
    }
    Level& level = levels_[place_.level];
    std::array<uint32_t, kMatches> values, numbers;
    std::array<size_t, kMatches> votes;
    size_t candidates = 0;
    for (uint32_t number = 0; number < list_.size(); ++number) {
      const size_t distance = DistanceOf(list_[number], place_, shape_);
      if (distance == 0) continue;
      const uint32_t value = ids[at_ - distance];
      if (value >= vocab_[place_.level]) continue;
      size_t same = 0;
      while (same < candidates && values[same] != value) ++same;
      if (same < candidates) {
        votes[same] = std::min<size_t>(votes[same] + 1, 2);
        continue;
      }
      values[candidates] = value;
      numbers[candidates] = number;
      votes[candidates++] = 0;
    }
    for (size_t i = 0; i < candidates; ++i) {
      Chance& chance = level.ChanceOf(numbers[i], votes[i], values[i]);
      const bool same = coder_.Flag(chance.Frequency(), ids[at_] == values[i]);
      chance.Learn(same);
      if (!same) continue;
      ids[at_] = values[i];
      level.SawMatch();
      return;
    }
    coder_.Other(place_.level, ids[at_]);
    if (level.SawOther(ids[at_])) coder_.Renew(place_.level, level.table());
  }

  const TokenShape shape_;
  const std::span<const uint32_t> vocab_;
  const std::span<const Match> list_;
  Coder& coder_;
  std::vector<Level> levels_;
  size_t at_ = 0;
  Place place_;
};

constexpr uint32_t kFlags = 1u << kFlagBits;

class Encoding {
 public:
  explicit Encoding(std::span<const uint32_t> vocab) : vocab_(vocab), tables_(vocab.size()) {}
  void Renew(size_t level, const rans::BandTable& table) {
    tables_[level] = rans::MakeEncodeTable(table, vocab_[level]);
  }
  bool Flag(uint32_t frequency, bool so) {
    so ? events_.Add(0, frequency, kFlagBits) : events_.Add(frequency, kFlags - frequency, kFlagBits);
    return so;
  }
  void Other(size_t level, uint32_t id) {
    const rans::EncodeTable& table = tables_[level];
    const uint32_t place = table.places[id];
    const uint64_t band = table.bands[place >> rans::kBandShift];
    events_.Add(band >> 16 & 0xFFFF, band & 0xFFFF, table.coarse_bits);
    events_.Add(place & ((1u << rans::kFineShift) - 1), 1, place >> rans::kFineShift & 0xF);
  }
  std::vector<uint8_t> Finish() { return events_.Finish(); }

 private:
  std::span<const uint32_t> vocab_;
  std::vector<rans::EncodeTable> tables_;
  rans::SerialEncoder events_;
};

class Decoding {
 public:
  explicit Decoding(size_t levels) : tables_(levels) {}
  void Renew(size_t level, const rans::BandTable& table) { tables_[level] = rans::MakeDecodeTable(table); }
  void Begin(rans::SerialDecoder events) { events_ = events; }
  bool Flag(uint32_t frequency, bool) {
    const bool so = events_.Peek(kFlagBits) < frequency;
    so ? events_.Take(0, frequency, kFlagBits) : events_.Take(frequency, kFlags - frequency, kFlagBits);
    return so;
  }
  void Other(size_t level, uint32_t& id) {
    const rans::DecodeTable& table = tables_[level];
    uint64_t slot = table.slots[0];
    if (table.coarse_bits > 0) {
      const uint32_t at = events_.Peek(table.coarse_bits);
      slot = table.slots[at];
      events_.Take(at - static_cast<uint32_t>(slot >> 16 & 0xFFFF), slot & 0xFFFF, table.coarse_bits);
    }
    const uint32_t fine_bits = static_cast<uint32_t>(slot >> 56);
    uint32_t rank = slot >> 32 & 0xFFFFFF;
    if (fine_bits > 0) {
      const uint32_t place = events_.Peek(fine_bits);
      events_.Take(place, 1, fine_bits);
      rank += place;
    }
    id = table.symbols[rank];
  }
  Status Finish() const { return events_.Finish(); }

 private:
  std::vector<rans::DecodeTable> tables_;
  rans::SerialDecoder events_;
};

}  // namespace

void Place::Advance(const TokenShape& shape) {
  if (++level < shape.levels) return;
  level = 0;
  if (++x < shape.w) return;
  x = 0;
  if (++y < shape.h) return;
  y = 0;
  ++t;
}

size_t DistanceOf(Match neighbour, const Place& place, const TokenShape& shape) {
  const size_t column = shape.levels, row = column * shape.w, time = row * shape.h;
  switch (neighbour) {
    case Match::kLeft:
      return place.x >= 1 ? column : 0;
    case Match::kUp:
      return place.y >= 1 ? row : 0;
    case Match::kUpLeft:
      return place.y >= 1 && place.x >= 1 ? row + column : 0;
    case Match::kUpRight:
      return place.y >= 1 && place.x + 1 < shape.w ? row - column : 0;
    case Match::kBefore:
      return place.t >= 1 ? time : 0;
    case Match::kLevelAbove:
      return place.level >= 1 ? 1 : 0;
    case Match::kTwoBefore:
      return place.t >= 2 ? 2 * time : 0;
    case Match::kTwoLeft:
      return place.x >= 2 ? 2 * column : 0;
  }
  return 0;
}

std::vector<uint8_t> EncodeMatches(const Tokens& tokens, std::span<const Match> list) {
  Encoding coder(tokens.vocab);
  Walk walk(tokens.shape, tokens.vocab, list, coder);
  ByteWriter out;
  std::vector<uint32_t> ids = tokens.ids;
  for (size_t done = 0; done < ids.size(); done += kSegment) {
    walk.Run(ids.data(), std::min(kSegment, ids.size() - done));
    const auto bytes = coder.Finish();
    out.Varint(bytes.size());
    out.Append(bytes);
  }
  return std::move(out).Take();
}

Status DecodeMatches(std::span<const uint8_t> bytes, std::span<const Match> list, Tokens& tokens) {
  Decoding coder(tokens.vocab.size());
  Walk walk(tokens.shape, tokens.vocab, list, coder);
  ByteReader in(bytes);
  for (size_t done = 0; done < tokens.ids.size(); done += kSegment) {
    const auto segment = in.Bytes(in.Varint());
    if (!in.ok()) return Error{ErrorCode::kCorruptData, "the coded tokens are cut off"};
    VQC_ASSIGN(auto events, rans::SerialDecoder::Open(segment));
    coder.Begin(events);
    walk.Run(tokens.ids.data(), std::min(kSegment, tokens.ids.size() - done));
    VQC_TRY(coder.Finish());
  }
  if (in.remaining() == 0) return {};
  return Error{ErrorCode::kCorruptData,
               std::to_string(in.remaining()) + " bytes follow the coded tokens; damaged"};
}

}  // namespace vqc
