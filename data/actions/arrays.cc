// SPDX-License-Identifier: Apache-2.0
#include "data/actions/arrays.h"

#include <cmath>
#include <cstring>

#include "base/npy.h"
#include "base/printable.h"

namespace vqc {
namespace {

template <class Number>
float ValueAt(const uint8_t* from) {
  Number value;
  std::memcpy(&value, from, sizeof value);
  return static_cast<float>(value);
}

Episode EpisodeOf(const std::string& file, const std::string& name, uint64_t steps, uint64_t dims,
                  int float_bytes, const uint8_t* from) {
  Episode episode{name, static_cast<int>(steps), static_cast<int>(dims), {}, {}};
  episode.values.resize(steps * dims);
  for (size_t i = 0; i < episode.values.size(); ++i, from += float_bytes) {
    episode.values[i] = float_bytes == 4 ? ValueAt<float>(from) : ValueAt<double>(from);
    if (std::isfinite(episode.values[i])) continue;
    episode.fault =
        BadArray(file, name,
                 "holds a value that is not finite at step " + std::to_string(i / dims) + ", dimension " +
                     std::to_string(i % dims) + "; replace it or leave the episode out");
    episode.values.clear();
    break;
  }
  return episode;
}

}  // namespace

Error BadArray(const std::string& file, const std::string& name, const std::string& what) {
  return {ErrorCode::kInput, Printable(file) + ": " +
                                 (name.empty() ? "the array " : "array " + Printable(name, 64) + " ") + what};
}

Status AddArray(const std::string& file, const std::string& name, const std::vector<uint64_t>& shape,
                int float_bytes, std::span<const uint8_t> bytes, std::vector<Episode>& episodes) {
  if (shape.size() != 2 && shape.size() != 3) {
    return BadArray(file, name,
                    "has the shape " + ShapeText(shape) +
                        "; actions are [steps, dimensions] or [episodes, steps, dimensions]");
  }
  const uint64_t count = shape.size() == 3 ? shape[0] : 1, steps = shape[shape.size() - 2],
                 dims = shape.back();
  if (count == 0 || steps == 0)
    return BadArray(file, name, "is empty: " + ShapeText(shape) + "; an episode has at least one step");
  if (dims < 1 || dims > kMaxEpisodeDims || steps > kMaxEpisodeSteps) {
    return BadArray(file, name,
                    "has the shape " + ShapeText(shape) + "; 1 to " + std::to_string(kMaxEpisodeDims) +
                        " dimensions and 1 to " + std::to_string(kMaxEpisodeSteps) + " steps are read");
  }
  const uint64_t each = steps * dims * static_cast<uint64_t>(float_bytes);
  if (count > bytes.size() / each || count * each != bytes.size()) {
    return BadArray(file, name,
                    "of the shape " + ShapeText(shape) + " does not fill its " +
                        std::to_string(bytes.size()) +
                        " bytes; the file is cut off or damaged, copy it again from its source");
  }
  for (uint64_t i = 0; i < count; ++i) {
    const std::string own = shape.size() == 2 ? name : (name.empty() ? "" : name + "/") + std::to_string(i);
    episodes.push_back(EpisodeOf(file, own, steps, dims, float_bytes, bytes.data() + i * each));
  }
  return {};
}

void AddFault(const Status& status, const std::string& name, std::vector<Episode>& episodes) {
  if (!status.ok()) episodes.push_back({name, 0, 0, {}, status.error()});
}

Status AddNpy(const std::string& file, const std::string& name, std::span<const uint8_t> bytes,
              std::vector<Episode>& episodes) {
  const auto header = ParseNpyHeader(bytes);
  if (!header.ok()) return Error{ErrorCode::kInput, Printable(file) + ": " + header.error().message};
  if ((header->descr != "<f4" && header->descr != "<f8") || header->fortran) {
    return BadArray(file, name,
                    "is of type '" + Printable(header->descr.substr(0, 32)) + "'" +
                        (header->fortran ? " in Fortran order" : "") +
                        "; float32 ('<f4') and float64 ('<f8') in C order are read. Use "
                        "numpy.ascontiguousarray(array, 'float32')");
  }
  return AddArray(file, name, header->shape, header->descr[2] - '0', bytes.subspan(header->data_at),
                  episodes);
}

}  // namespace vqc
