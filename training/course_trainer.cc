// SPDX-License-Identifier: Apache-2.0
#include "training/course_trainer.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "base/parallel.h"
#include "quantizers/search/hash_random.h"
#include "quantizers/search/kmeans.h"
#include "tokenizers/action/dct.h"

namespace vqc {
namespace {

constexpr size_t kFewestCourses = 10000, kMostCourses = 60000, kBlock = 2048;
constexpr int kPasses = 8, kTrainingBeam = 2;
constexpr int64_t kVariedOf = 4;  // one course of so many is varied

// Another course that could have been: what other robots do at one moment continued by what they do at
// another, less far or the other way round and shifted, within [-1, 1]. So later levels learn to code what no
// source does. random: at three indices that begin with `at`
void Vary(std::span<float> course, std::span<const float> other, const HashRandom& random, uint64_t at) {
  const auto split = static_cast<size_t>(random.Below(at, static_cast<int64_t>(course.size())));
  const double gain = std::clamp(3 * random.Uniform(at + 1) - 1.5, -1.0, 1.0);
  const double offset = (1 - std::abs(gain)) * (2 * random.Uniform(at + 2) - 1);
  for (size_t t = 0; t < course.size(); ++t)
    course[t] = static_cast<float>(gain * (t < split ? course[t] : other[t]) + offset);
}

// Goes over to another course at the step random.Below(at, ...).
void Join(std::span<float> course, std::span<const float> other, const HashRandom& random, uint64_t at) {
  const auto split = static_cast<size_t>(random.Below(at, static_cast<int64_t>(course.size())));
  std::copy(other.begin() + static_cast<std::ptrdiff_t>(split), other.end(),
            course.begin() + static_cast<std::ptrdiff_t>(split));
}

int LevelsOf(const CourseOptions& options, int steps) {
  return options.levels + (options.corrections ? steps : 0);
}

// Courses [n][steps] of the gripper or of all other slots, kFewestCourses to kMostCourses: of each source as
// many as its share of the shares says, drawn by chance or, where there are fewer, repeated; some of them
// varied.
std::vector<float> CoursesOf(const ActionChunks& chunks, bool gripper, const CourseOptions& options) {
  const auto own_slots = [&](const ActionChunks::Source& source) {
    std::vector<int> slots;
    for (const int slot : source.slots) {
      if ((slot == chunks.gripper) == gripper) slots.push_back(slot);
    }
    return slots;
  };
  double shares = 0;
  size_t all = 0;
  for (const auto& source : chunks.sources) {
    const size_t own = source.count * own_slots(source).size();
    all += own;
    if (own > 0) shares += source.share;
  }
  const auto budget = static_cast<double>(std::clamp(all, kFewestCourses, kMostCourses));
  const auto steps = static_cast<size_t>(chunks.chunk), dims = static_cast<size_t>(chunks.dims);
  std::vector<float> courses;
  for (size_t s = 0; s < chunks.sources.size(); ++s) {
    const auto& source = chunks.sources[s];
    const auto slots = own_slots(source);
    const size_t own = source.count * slots.size();
    if (own == 0) continue;
    const auto wanted = std::max<size_t>(1, static_cast<size_t>(budget * source.share / shares));
    const HashRandom random(options.seed, s), variation(options.seed + 1, s), joining(options.seed + 2, s);
    const auto course = [&](size_t which) {
      const size_t chunk = source.first + which / slots.size();
      const auto slot = static_cast<size_t>(slots[which % slots.size()]);
      std::vector<float> values(steps);
      for (size_t t = 0; t < steps; ++t) values[t] = chunks.values[(chunk * steps + t) * dims + slot];
      return values;
    };
    for (size_t i = 0; i < wanted; ++i) {
      auto values =
          course(wanted >= own ? i % own : static_cast<size_t>(random.Below(i, static_cast<int64_t>(own))));
      if (variation.Below(5 * i, kVariedOf) == 0) {
        const uint64_t at = 2 * static_cast<uint64_t>(options.joins) * i;
        for (int64_t more = joining.Below(at, options.joins); more > 0; --more) {
          const auto next = at + 2 * static_cast<uint64_t>(more);
          const auto which = static_cast<size_t>(joining.Below(next, static_cast<int64_t>(own)));
          Join(values, course(which), joining, next + 1);
        }
        const auto other = static_cast<size_t>(variation.Below(5 * i + 1, static_cast<int64_t>(own)));
        Vary(values, course(other), variation, 5 * i + 2);
      }
      courses.insert(courses.end(), values.begin(), values.end());
    }
  }
  return courses;
}

class Fit {
 public:
  Fit(std::vector<float> courses, int steps, const CourseOptions& options)
      : options_(options),
        courses_(std::move(courses)),
        count_(courses_.size() / static_cast<size_t>(steps)) {
    book_.levels = LevelsOf(options, steps);
    book_.entries = options.entries;
    book_.steps = steps;
    const auto levels = static_cast<size_t>(book_.levels);
    book_.codewords.resize(levels * Steps() * Entries());
    book_.bits.resize(levels * Entries());
  }

  Result<CourseBook> Run() {
    std::vector<float> residual = courses_;
    const auto levels = static_cast<size_t>(options_.levels);
    for (size_t level = 0; level < levels; ++level) VQC_TRY(Begin(level, residual));
    for (size_t step = 0; levels + step < static_cast<size_t>(book_.levels); ++step)
      BeginCorrection(levels + step, step);
    // The weight comes in by and by: at once it would empty clusters that have a use.
    for (int pass = 0; pass < kPasses; ++pass) {
      book_.bit_weight = options_.bit_weight * std::min(1.0, 2.0 * (pass + 1) / kPasses);
      VQC_TRY(Pass());
    }
    for (size_t level = 0; level < levels; ++level) Order(level);
    return std::move(book_);
  }

 private:
  size_t Steps() const { return static_cast<size_t>(book_.steps); }
  size_t Entries() const { return static_cast<size_t>(book_.entries); }
  float& Value(size_t level, size_t step, size_t id) {
    return book_.codewords[(level * Steps() + step) * Entries() + id];
  }

  // Clusters of the residual, which is then cut by them.
  Status Begin(size_t level, std::vector<float>& residual) {
    const Rows rows(residual.data(), static_cast<int64_t>(count_), book_.steps);
    KMeansOptions options;
    options.clusters = std::min<int64_t>(book_.entries, static_cast<int64_t>(count_));
    options.seed = options_.seed + level;
    options.threads = options_.threads;
    VQC_ASSIGN(KMeans clusters, KMeans::Start(rows, options));
    while (!clusters.Done()) VQC_TRY(clusters.Pass());
    VQC_ASSIGN(const auto ids, clusters.Assign());
    const auto& centres = clusters.state().centres;
    for (size_t i = 0; i < centres.size(); ++i) Value(level, i % Steps(), i / Steps()) = centres[i];
    std::vector<double> counts(Entries());
    for (size_t i = 0; i < count_; ++i) {
      const auto id = static_cast<size_t>(ids[i]);
      counts[id] += 1;
      for (size_t t = 0; t < Steps(); ++t) residual[i * Steps() + t] -= centres[id * Steps() + t];
    }
    SetBits(level, counts);
    return {};
  }

  // Bits are first those of a geometric distribution, until a pass has counted.
  void BeginCorrection(size_t level, size_t step) {
    const double height = std::sqrt(6 * options_.bit_weight / std::numbers::ln2);
    const auto middle = static_cast<double>(book_.entries / 2);
    std::vector<double> counts(Entries());
    for (size_t k = 0; k < Entries(); ++k) {
      const double multiple = static_cast<double>(k) - middle;
      Value(level, step, k) = static_cast<float>(multiple * height);
      counts[k] = static_cast<double>(count_) * std::exp2(-1 - std::abs(multiple));
    }
    SetBits(level, counts);
  }

  void SetBits(size_t level, const std::vector<double>& counts) {
    const double all = std::accumulate(counts.begin(), counts.end(), 0.0) + 0.5 * book_.entries;
    for (size_t k = 0; k < counts.size(); ++k)
      book_.bits[level * Entries() + k] = static_cast<float>(-std::log2((counts[k] + 0.5) / all));
  }

  Status Pass() {
    const auto levels = static_cast<size_t>(book_.levels);
    std::vector<uint32_t> ids(count_ * levels);
    const int threads = options_.threads > 0 ? options_.threads : CoreCount();
    VQC_TRY(ParallelFor((count_ + kBlock - 1) / kBlock, threads, [&](size_t block) -> Status {
      for (size_t i = block * kBlock; i < std::min(count_, (block + 1) * kBlock); ++i) {
        const auto own = book_.Encode({courses_.data() + i * Steps(), Steps()}, book_.steps, kTrainingBeam);
        std::copy(own.begin(), own.end(), ids.begin() + static_cast<std::ptrdiff_t>(i * levels));
      }
      return {};
    }));
    for (size_t level = 0; level < levels; ++level) Refit(level, ids);
    return {};
  }

  // Codewords of a level, unless it is of corrections, to the means of the courses that have them, less those
  // of the other levels.
  void Refit(size_t level, const std::vector<uint32_t>& ids) {
    const auto levels = static_cast<size_t>(book_.levels);
    std::vector<double> sums(Entries() * Steps()), counts(Entries());
    for (size_t i = 0; i < count_; ++i) {
      const uint32_t* own = ids.data() + i * levels;
      counts[own[level]] += 1;
      for (size_t t = 0; t < Steps(); ++t) {
        double left = courses_[i * Steps() + t];
        for (size_t other = 0; other < levels; ++other) {
          if (other != level) left -= Value(other, t, own[other]);
        }
        sums[own[level] * Steps() + t] += left;
      }
    }
    for (size_t k = 0; k < Entries() && level < static_cast<size_t>(options_.levels); ++k) {
      for (size_t t = 0; t < Steps() && counts[k] > 0; ++t)
        Value(level, t, k) = static_cast<float>(sums[k * Steps() + t] / counts[k]);
    }
    SetBits(level, counts);
  }

  // Halves the codewords again and again along the coefficient of their cosine transform that varies most, so
  // that ids with the same leading digits are of similar courses, as priors want them.
  void Order(size_t level) {
    const Dct dct(book_.steps);
    std::vector<double> signal(Steps()), spectra(Entries() * Steps());
    for (size_t k = 0; k < Entries(); ++k) {
      for (size_t t = 0; t < Steps(); ++t) signal[t] = Value(level, t, k);
      dct.Forward(signal, std::span(spectra).subspan(k * Steps(), Steps()));
    }
    std::vector<uint32_t> order(Entries());
    std::iota(order.begin(), order.end(), 0u);
    Halve(spectra, order);
    const CourseBook before = book_;
    for (size_t k = 0; k < Entries(); ++k) {
      for (size_t t = 0; t < Steps(); ++t) Value(level, t, k) = before.Column(level, t)[order[k]];
      book_.bits[level * Entries() + k] = before.Bits(level, order[k]);
    }
  }

  void Halve(const std::vector<double>& spectra, std::span<uint32_t> ids) const {
    if (ids.size() <= 1) return;
    size_t axis = 0;
    double most = -1;
    for (size_t c = 0; c < Steps(); ++c) {
      double sum = 0, squares = 0;
      for (const uint32_t id : ids) {
        const double value = spectra[id * Steps() + c];
        sum += value;
        squares += value * value;
      }
      const double spread = squares - sum * sum / static_cast<double>(ids.size());
      if (spread > most) most = spread, axis = c;
    }
    std::stable_sort(ids.begin(), ids.end(), [&](uint32_t a, uint32_t b) {
      return spectra[a * Steps() + axis] < spectra[b * Steps() + axis];
    });
    Halve(spectra, ids.first(ids.size() / 2));
    Halve(spectra, ids.subspan(ids.size() / 2));
  }

  const CourseOptions options_;
  std::vector<float> courses_;
  size_t count_;
  CourseBook book_;
};

Result<CourseBook> FitBook(const ActionChunks& chunks, bool gripper, const CourseOptions& options) {
  auto courses = CoursesOf(chunks, gripper, options);
  if (courses.empty()) {
    return Error{ErrorCode::kUsage, std::string("the sources have no ") +
                                        (gripper ? "gripper: leave --gripper out, or name its slot"
                                                 : "dimension beside the gripper to learn courses of")};
  }
  return Fit(std::move(courses), chunks.chunk, options).Run();
}

}  // namespace

Result<CourseBooks> FitCourses(const ActionChunks& chunks, const CourseOptions& options) {
  if (options.corrections && !(options.bit_weight > 0)) {
    return Error{ErrorCode::kUsage,
                 "corrections are as fine as a bit weighs, which is 0; let --bit-weight be above 0, or leave "
                 "--corrections out"};
  }
  if (const int levels = LevelsOf(options, chunks.chunk); levels > kMaxCourseLevels) {
    return Error{ErrorCode::kUsage,
                 "levels and corrections of a chunk of " + std::to_string(chunks.chunk) + " steps are " +
                     std::to_string(levels) + " in all, at most " + std::to_string(kMaxCourseLevels) +
                     " are allowed; choose fewer --levels, a shorter --chunk, or leave --corrections out"};
  }
  CourseBooks books;
  VQC_ASSIGN(books.motion, FitBook(chunks, false, options));
  if (chunks.gripper >= 0) {
    VQC_ASSIGN(books.gripper, FitBook(chunks, true, options));
  }
  return books;
}

}  // namespace vqc
