// SPDX-License-Identifier: Apache-2.0
// Recorded robot actions from files: .npy, .npz, .safetensors and HDF5.
#pragma once

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
  std::vector<float> values;  // [steps][dims], finite
};

// The episodes of a file, told by its content, in the order of their names:
//   .npy          [steps, dims] is one episode, [episodes, steps, dims] are several; float32 or float64
//   .npz          one array an episode, as numpy.savez writes it (not savez_compressed)
//   .safetensors  one tensor of F32 or F64 an episode
//   HDF5          every dataset called "action" or "actions" (ALOHA, robomimic, LIBERO)
// Arrays of other shapes in files of several are an error, as are values that are not finite and episodes
// without steps. Errors: kInput names file, array and what is expected; kLimit; kResource where HDF5 is not
// there.
Result<std::vector<Episode>> ReadEpisodes(const std::string& path, const Limits& limits = {});

// The episodes of a file, or of all files of these kinds in a folder and those below it, by name.
Result<std::vector<Episode>> ReadEpisodesUnder(const std::string& path, const Limits& limits = {});

// Whether the lower-case extension is one of a kind that is read.
bool IsEpisodeExtension(std::string_view extension);

// Whether the bytes begin like a .npz, .safetensors or HDF5 file; .npy is left out, since it may be a
// picture.
bool LooksLikeEpisodes(std::span<const uint8_t> bytes);

Clip ClipOf(const Episode& episode, int source);
// A .npy file of float32 [frames, channels].
std::vector<uint8_t> WriteActions(const Clip& clip);

}  // namespace vqc
