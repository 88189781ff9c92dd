// SPDX-License-Identifier: Apache-2.0
// Recorded actions: .npy, .npz, .safetensors and Parquet, and HDF5 where its part is.
#include <cmath>

#include "data/actions/episodes.h"
#include "tests/fuzz/fuzz_input.h"

using namespace vqc;
using fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzz::MemoryFile file({data, size});
  Limits limits;
  limits.max_input_bytes = 64 << 20;  // a few bytes of Parquet may stand for many
  const auto episodes = ReadEpisodes(file.Path(), limits);
  if (!episodes.ok()) {
    // A part that is not there has a line for each place where it was looked for.
    Require(episodes.error().code == ErrorCode::kResource ||
                episodes.error().message.find('\n') == std::string::npos,
            "errors are of one line");
    return 0;
  }
  for (const Episode& episode : *episodes) {
    Require(
        episode.steps > 0 && episode.dims > 0 &&
            episode.values.size() == static_cast<size_t>(episode.steps) * static_cast<size_t>(episode.dims),
        "an episode is whole");
    for (const float value : episode.values) Require(std::isfinite(value), "values are finite");
    const auto bytes = WriteActions(ClipOf(episode, 0));
    const fuzz::MemoryFile written(bytes);
    const auto back = ReadEpisodes(written.Path());
    Require(back.ok() && back->size() == 1 && back->front().values == episode.values,
            "an episode is read back");
  }
  return 0;
}
