// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "quantizers/search/packed_codebook.h"
#include "quantizers/search/search.h"

namespace vqc {
namespace {

constexpr int64_t kSample = 255;            // codewords that the centre is taken from
constexpr int64_t kGroupValues = 64 * 256;  // about this many values make a group

// To the nearest integer, |value| < 2^51.
double Round(double value) { return (value + 0x1.8p52) - 0x1.8p52; }

// The median of a sample: a far-off codeword does not move it.
std::vector<double> MedianOf(const PackedCodebook& book, const std::vector<double>& factors) {
  const int64_t count = std::min(book.size, kSample);
  std::vector<double> centre(static_cast<size_t>(book.dim)), column(static_cast<size_t>(count));
  for (int64_t d = 0; d < book.dim; ++d) {
    for (int64_t s = 0; s < count; ++s) {
      const int64_t i = s * book.size / count;
      column[static_cast<size_t>(s)] = book.Row(i)[d] * factors[static_cast<size_t>(i)];
    }
    const auto middle = column.begin() + count / 2;
    std::nth_element(column.begin(), middle, column.end());
    centre[static_cast<size_t>(d)] = *middle;
  }
  return centre;
}

// What each codeword is multiplied by first: 1 / |c| for kCosine.
std::vector<double> Factors(const PackedCodebook& book) {
  std::vector<double> factors(static_cast<size_t>(book.size), 1.0);
  if (book.metric != Metric::kCosine) return factors;
  for (int64_t i = 0; i < book.size; ++i) {
    double square = 0;
    for (int64_t d = 0; d < book.dim; ++d) square += static_cast<double>(book.Row(i)[d]) * book.Row(i)[d];
    factors[static_cast<size_t>(i)] = square == 0 ? 0 : 1 / std::sqrt(square);
  }
  return factors;
}

class Packer {
 public:
  explicit Packer(PackedCodebook& book) : book_(book), factors_(Factors(book)) {
    book.centre = MedianOf(book, factors_);
    book.query_centre = book.centre;
    if (book.metric != Metric::kSquaredL2) std::fill(book.query_centre.begin(), book.query_centre.end(), 0.0);
    book.rounding = std::ldexp(3.0 * static_cast<double>(book.dim) + 32, -53);
    double square = 0;
    for (const double value : book.centre) square += value * value;
    centre_length_ = std::sqrt(square);
    centred_.resize(book.centre.size());
  }

  void Run() {
    const std::vector<int32_t> order = Order();
    const int64_t dim = book_.dim, pairs = (dim + 1) / 2;
    const int64_t panels = (static_cast<int64_t>(order.size()) + kPanel - 1) / kPanel;
    book_.codes = AlignedArray<int16_t>(static_cast<size_t>(panels * pairs * kPanel * 2));
    book_.bias = AlignedArray<float>(static_cast<size_t>(panels * kPanel));
    book_.ids = AlignedArray<int32_t>(static_cast<size_t>(panels * kPanel));
    std::fill_n(book_.bias.data(), book_.bias.size(), -std::numeric_limits<float>::infinity());
    std::copy(order.begin(), order.end(), book_.ids.data());

    const int64_t group_panels = std::clamp<int64_t>(kGroupValues / dim / kPanel / 2, 1, kMaxPanels);
    for (int64_t first = 0; first < panels; first += group_panels) {
      CodeGroup group;
      group.panels = static_cast<int>(std::min(group_panels, panels - first));
      group.pairs = static_cast<int>(pairs);
      group.codes = book_.codes.data() + first * pairs * kPanel * 2;
      group.bias = book_.bias.data() + first * kPanel;
      group.ids = book_.ids.data() + first * kPanel;
      const int64_t count = std::min<int64_t>(static_cast<int64_t>(order.size()) - first * kPanel,
                                              static_cast<int64_t>(group.panels) * kPanel);
      PackGroup(group, first * kPanel, count);
      book_.groups.push_back(group);
    }
  }

 private:
  // Ids by rising length. Of equal rows the kMaxNeighbours first are enough for every answer.
  std::vector<int32_t> Order() {
    struct Item {
      double square;
      int32_t id;
    };
    std::vector<Item> items(static_cast<size_t>(book_.size));
    squares_.resize(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      const auto id = static_cast<int32_t>(i);
      squares_[i] = SquareOf(id);
      items[i] = {squares_[i], id};
    }
    const auto compare = [&](int32_t a, int32_t b) {
      return std::memcmp(book_.Row(a), book_.Row(b), static_cast<size_t>(book_.dim) * sizeof(float));
    };
    std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
      if (a.square != b.square) return a.square < b.square;
      const int rows = compare(a.id, b.id);
      return rows != 0 ? rows < 0 : a.id < b.id;
    });
    std::vector<int32_t> order;
    order.reserve(items.size());
    int copies = 0;
    for (const Item& item : items) {
      copies = !order.empty() && compare(order.back(), item.id) == 0 ? copies + 1 : 0;
      if (copies < kMaxNeighbours) order.push_back(item.id);
    }
    return order;
  }

  // c' of the codeword, until the next call.
  const double* Centred(int32_t id) {
    const float* row = book_.Row(id);
    const double factor = factors_[static_cast<size_t>(id)];
    for (size_t d = 0; d < centred_.size(); ++d) centred_[d] = row[d] * factor - book_.centre[d];
    return centred_.data();
  }

  double SquareOf(int32_t id) {
    double sum = 0;
    Centred(id);
    for (const double value : centred_) sum += value * value;
    return sum;
  }

  void PackGroup(CodeGroup& group, int64_t begin, int64_t count) {
    const int32_t* ids = book_.ids.data() + begin;
    const auto square = [&](int64_t i) { return squares_[static_cast<size_t>(ids[i])]; };
    group.max_length = std::sqrt(square(count - 1));
    if (group.max_length > 0) group.scale = group.max_length / kLength;
    const double inverse = 1 / group.scale;
    double error = 0, length = 0;
    for (int64_t i = 0; i < count; ++i) {
      double missed = 0, code_square = 0;
      const double* values = Centred(ids[i]);
      int16_t* codes =
          book_.codes.data() + ((begin + i) / kPanel * group.pairs * kPanel + (begin + i) % kPanel) * 2;
      for (int64_t d = 0; d < book_.dim; ++d) {
        const double code = Round(values[d] * inverse), miss = values[d] - group.scale * code;
        missed += miss * miss;
        code_square += code * code;
        codes[d / 2 * (2 * kPanel) + d % 2] = static_cast<int16_t>(code);
      }
      error = std::max(error, missed);
      length = std::max(length, code_square);
      book_.bias.data()[begin + i] = book_.metric == Metric::kSquaredL2
                                         ? static_cast<float>(-0.5 * square(i) / group.scale / group.scale)
                                         : 0.0f;
    }
    group.code_length = group.scale * std::sqrt(length) * (1 + 1e-9);
    group.error_per_length = std::sqrt(error) * (1 + 1e-9) + group.max_length * 0x1p-49;
    if (book_.metric == Metric::kSquaredL2) {
      group.min_half_square = 0.5 * square(0) * (1 - 1e-9);
      group.max_half_square = 0.5 * square(count - 1);
      group.error = 2 * book_.rounding * square(count - 1);
    } else {
      group.error_per_length += book_.rounding * (group.max_length + centre_length_);
    }
  }

  PackedCodebook& book_;
  std::vector<double> factors_, squares_, centred_;
  double centre_length_ = 0;
};

}  // namespace

void Pack(PackedCodebook& codebook) { Packer(codebook).Run(); }

}  // namespace vqc
