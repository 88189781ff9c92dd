// SPDX-License-Identifier: Apache-2.0
// Recorded robot actions from files: .npy, .npz, .safetensors, HDF5 and the Parquet of LeRobot.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"

namespace vqc {

struct Episode {
  std::string name;  // of the array in its file, or its number
  int steps = 0, dims = 0;
  std::vector<float> values;   // [steps][dims], finite
  std::optional<Error> fault;  // why it cannot be used: then there are no values
};

// The episodes of a file, told by its content, in the order of their names:
//   .npy          [steps, dims] is one episode, [episodes, steps, dims] are several; float32 or float64
//   .npz          one array an episode, as numpy.savez writes it (not savez_compressed)
//   .safetensors  one tensor of F32 or F64 an episode
//   HDF5          every dataset called "action" or "actions" (ALOHA, robomimic, LIBERO)
//   Parquet       of LeRobot: the rows of each episode_index in the order of frame_index, called
//   episode_000007
// Arrays of other shapes in files of several are a fault, as are values that are not finite and episodes
// without steps. Errors: kInput names file, array and what is expected; kLimit; kResource where HDF5 is not
// there.
Result<std::vector<Episode>> ReadEpisodesAndFaults(const std::string& path, const Limits& limits = {});
// The same of a file that was read; `path` is for messages, and for HDF5, which is read again.
Result<std::vector<Episode>> ReadEpisodesAndFaults(const std::string& path, std::vector<uint8_t> bytes,
                                                   const Limits& limits = {});

// The same; the first fault is the error.
Result<std::vector<Episode>> ReadEpisodes(const std::string& path, const Limits& limits = {});
Result<std::vector<Episode>> ReadEpisodes(const std::string& path, std::vector<uint8_t> bytes,
                                          const Limits& limits = {});

// The episodes of a file, or of all files of these kinds in a folder and those below it, by name. Of a data
// set of LeRobot its folder meta is left out.
Result<std::vector<Episode>> ReadEpisodesUnder(const std::string& path, const Limits& limits = {});

// Whether the lower-case extension is one of a kind that is read.
bool IsEpisodeExtension(std::string_view extension);

// Whether the folder tells of a data set of LeRobot instead of being a part of it.
bool IsLeRobotMeta(const std::filesystem::path& folder);

// Whether the bytes begin like a file of actions. A .npy file does where it holds floats [steps, dimensions]
// with fewer than kLeastPictureColumns dimensions; others are pictures.
inline constexpr uint64_t kLeastPictureColumns = 32;
bool LooksLikeEpisodes(std::span<const uint8_t> bytes);

Clip ClipOf(const Episode& episode, int source);
// A .npy file of float32 [frames, channels].
std::vector<uint8_t> WriteActions(const Clip& clip);

}  // namespace vqc
