// SPDX-License-Identifier: Apache-2.0
// Arrays of numbers on their way to episodes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "data/actions/episodes.h"

namespace vqc {

inline constexpr uint64_t kMaxEpisodeDims = 255, kMaxEpisodeSteps = 1u << 24;

// Adds the episodes of an array: [steps, dims] one called `name`, [n, steps, dims] n called name/0, ... Bytes
// are little-endian floats of 4 or 8 bytes. `file` is for messages. Values that are not finite are the fault
// of their episode.
Status AddArray(const std::string& file, const std::string& name, const std::vector<uint64_t>& shape,
                int float_bytes, std::span<const uint8_t> bytes, std::vector<Episode>& episodes);

// "FILE: array NAME what", NAME left out where it is empty.
Error BadArray(const std::string& file, const std::string& name, const std::string& what);

// Where the array cannot be used, an episode with that fault.
void AddFault(const Status& status, const std::string& name, std::vector<Episode>& episodes);

Status AddNpy(const std::string& file, const std::string& name, std::span<const uint8_t> bytes,
              std::vector<Episode>& episodes);
Status AddNpz(const std::string& file, std::span<const uint8_t> bytes, std::vector<Episode>& episodes);

Status AddParquet(const std::string& file, std::span<const uint8_t> bytes, const Limits& limits,
                  std::vector<Episode>& episodes);

// What libvqcodec_hdf5.so exports: the datasets called action or actions.
struct Hdf5Part {
  Status (*read)(const std::string& path, const Limits& limits, std::vector<Episode>& episodes);
};
extern "C" const Hdf5Part* vqc_hdf5_part();

}  // namespace vqc
