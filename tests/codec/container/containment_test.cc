// SPDX-License-Identifier: Apache-2.0
// Damage is contained: whatever sectors, bursts, swaps and losses hit, salvage returns exactly the chunks
// whose bytes are all there, and none that was not written. VQC_DAMAGES says how many; 3,000 without it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/codec/container/samples.h"

namespace vqc {
namespace {

using Bytes = std::vector<uint8_t>;

struct Extent {
  size_t begin = 0, end = 0;
};

// Of the chunks in a sound stream.
std::vector<Extent> ExtentsOf(const Bytes& bytes) {
  std::vector<Extent> extents;
  const auto fields = DescribeStream(bytes, {});
  for (const FieldText& field : *fields) {
    if (field.name == "sync") extents.push_back({field.offset, 0});
    if (field.name == "checksum of the chunk") extents.back().end = field.offset + field.size;
  }
  return extents;
}

class Damage {
 public:
  Damage(const Bytes& whole, const std::vector<Extent>& chunks, std::mt19937& random)
      : bytes(whole), untouched(chunks.size(), true), whole_(whole), chunks_(chunks), random_(random) {}

  // One of eight kinds; the head stays.
  void Hit() {
    const size_t head = chunks_.front().begin, room = whole_.size() - head;
    const size_t a = Below(chunks_.size()), b = Below(chunks_.size());
    switch (Below(8)) {
      case 0:
        return Overwrite(head + Below(room), 512, [](size_t) { return uint8_t{0}; });
      case 1:
        return Overwrite(head + Below(room), 4096, [](size_t) { return uint8_t{0}; });
      case 2:
        return Overwrite(head + Below(room), 1 + Below(64), [&](size_t) { return Below(256); });
      case 3:
        return Overwrite(head + Below(room), 512, [&](size_t at) { return whole_[at % whole_.size()]; });
      case 4:
        return Cut(head + Below(room), 1 + Below(2000));
      case 5: {  // bytes too many, of another place
        const size_t from = Below(whole_.size() - 1), at = head + Below(room);
        Touch(at, at);
        copies = true;
        bytes.insert(At(at), whole_.begin() + static_cast<ptrdiff_t>(from),
                     whole_.begin() + static_cast<ptrdiff_t>(std::min(whole_.size(), from + 1 + Below(600))));
        return;
      }
      case 6:
        return Rebuild([&](std::vector<size_t>& order) { std::swap(order[a], order[b]); });
      default:
        return Rebuild(
            [&](std::vector<size_t>& order) { order.insert(order.begin() + static_cast<ptrdiff_t>(b), a); });
    }
  }

  Bytes bytes;
  std::vector<bool> untouched;  // chunks of which every byte is there
  bool copies = false;          // a touched one may be there again

 private:
  size_t Below(size_t bound) { return random_() % bound; }
  Bytes::iterator At(size_t at) { return bytes.begin() + static_cast<ptrdiff_t>(at); }
  void Touch(size_t begin, size_t end) {  // begin == end: something comes between
    for (size_t i = 0; i < chunks_.size(); ++i)
      if (chunks_[i].begin < std::max(end, begin + (begin == end ? 0 : 1)) && chunks_[i].end > begin)
        untouched[i] = false;
  }
  template <class F>
  void Overwrite(size_t begin, size_t count, F value) {
    for (size_t at = begin; at < std::min(bytes.size(), begin + count); ++at) {
      const auto now = static_cast<uint8_t>(value(at * 7 + count));
      if (now != bytes[at]) Touch(at, at + 1);
      bytes[at] = now;
    }
  }
  void Cut(size_t begin, size_t count) {
    const size_t end = std::min(bytes.size(), begin + count);
    Touch(begin, end);
    bytes.erase(At(begin), At(end));
  }
  template <class F>
  void Rebuild(F change) {
    std::vector<size_t> order(chunks_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    change(order);
    Bytes built(whole_.begin(), whole_.begin() + static_cast<ptrdiff_t>(chunks_.front().begin));
    for (const size_t i : order)
      built.insert(built.end(), whole_.begin() + static_cast<ptrdiff_t>(chunks_[i].begin),
                   whole_.begin() + static_cast<ptrdiff_t>(chunks_[i].end));
    built.insert(built.end(), whole_.begin() + static_cast<ptrdiff_t>(chunks_.back().end), whole_.end());
    bytes = std::move(built);
  }

  const Bytes& whole_;
  const std::vector<Extent>& chunks_;
  std::mt19937& random_;
};

TEST(Containment, ExactlyTheChunksThatAreThereComeBack) {
  const char* wanted = std::getenv("VQC_DAMAGES");
  const long damages = wanted ? std::atol(wanted) : 3000;
  std::mt19937 random(1);
  for (long i = 0; i < damages; ++i) {
    const Stream stream = testing::Audio(3 + random() % 60, 24000, 1 + random() % 300);
    const Bytes whole = *WriteStream(stream);
    const auto extents = ExtentsOf(whole);
    Damage damage(whole, extents, random);
    damage.Hit();
    SalvageReport report;
    const auto salvaged = SalvageStream(damage.bytes, {}, report);
    ASSERT_TRUE(salvaged.ok()) << i << ": " << salvaged.error().message;
    ASSERT_EQ(report.intact, damage.bytes == whole) << i;
    Stream expected{stream.header, {}};
    size_t found = 0;
    for (size_t k = 0; k < stream.chunks.size(); ++k) {
      const bool there = found < salvaged->chunks.size() &&
                         salvaged->chunks[found].first_frame == stream.chunks[k].first_frame;
      found += there;
      if (damage.untouched[k] || (damage.copies && there)) expected.chunks.push_back(stream.chunks[k]);
    }
    ASSERT_TRUE(testing::Same(*salvaged, expected))
        << i << ": " << salvaged->chunks.size() << " chunks, not " << expected.chunks.size();
    ASSERT_EQ(ReadStream(damage.bytes, {}).ok(), damage.bytes == whole) << i;
  }
}

}  // namespace
}  // namespace vqc
