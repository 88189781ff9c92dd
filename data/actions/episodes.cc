// SPDX-License-Identifier: Apache-2.0
#include "data/actions/episodes.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/dynamic_part.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/npy.h"
#include "base/printable.h"
#include "base/safetensors.h"
#include "data/actions/arrays.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kExtensions[] = {".npy", ".npz", ".safetensors", ".hdf5", ".h5", ".parquet"};
constexpr std::string_view kNpy = "\x93NUMPY", kZip = "PK\x03\x04", kHdf5 = "\x89HDF\r\n\x1A\n",
                           kParquet = "PAR1";
constexpr char kKinds[] = ".npy, .npz, .safetensors, HDF5 and the .parquet of LeRobot are read";

bool Begins(std::span<const uint8_t> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

// A safetensors file begins with the length of its header, which begins with a brace.
bool IsSafeTensors(std::span<const uint8_t> bytes) {
  return bytes.size() >= 9 && bytes[8] == '{' && bytes[7] == 0;
}

Status AddTensors(const std::string& path, std::vector<uint8_t> bytes, const Limits& limits,
                  std::vector<Episode>& episodes) {
  VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Parse(std::move(bytes), path, limits));
  for (const auto& [name, view] : tensors.Tensors()) {
    const bool known = view.dtype == DType::kF32 || view.dtype == DType::kF64;
    const Status added =
        known ? AddArray(path, name, {view.shape.begin(), view.shape.end()},
                         static_cast<int>(SizeOf(view.dtype)), view.bytes, episodes)
              : Status(BadArray(path, name,
                                "is of type " + std::string(NameOf(view.dtype)) + "; F32 and F64 are read"));
    AddFault(added, name, episodes);
  }
  return {};
}

Status AddHdf5(const std::string& path, const Limits& limits, std::vector<Episode>& episodes) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) {
    return Error{ErrorCode::kInput,
                 Printable(path) + ": HDF5 is read from files alone; save it as one first"};
  }
  auto symbol = LoadPart("vqcodec_hdf5", "vqc_hdf5_part");
  if (!symbol.ok()) {
    return Error{ErrorCode::kResource, Printable(path) +
                                           ": HDF5 needs a part of this program that is not there (install "
                                           "libhdf5-dev and build anew, or save the actions as .npz): " +
                                           symbol.error().message};
  }
  return reinterpret_cast<decltype(&vqc_hdf5_part)>(*symbol)()->read(path, limits, episodes);
}

}  // namespace

bool IsEpisodeExtension(std::string_view extension) {
  return std::find(std::begin(kExtensions), std::end(kExtensions), extension) != std::end(kExtensions);
}

bool IsLeRobotMeta(const fs::path& folder) {
  std::error_code ignored;
  return folder.filename() == "meta" && fs::exists(folder / "info.json", ignored);
}

bool LooksLikeEpisodes(std::span<const uint8_t> bytes) {
  if (!Begins(bytes, kNpy))
    return Begins(bytes, kZip) || Begins(bytes, kHdf5) || Begins(bytes, kParquet) || IsSafeTensors(bytes);
  const auto header = ParseNpyHeader(bytes);
  return header.ok() && header->descr.find('f') != std::string::npos && header->shape.size() == 2 &&
         header->shape[1] < kLeastPictureColumns;
}

Result<std::vector<Episode>> ReadEpisodesAndFaults(const std::string& path, std::vector<uint8_t> bytes,
                                                   const Limits& limits) {
  std::vector<Episode> episodes;
  if (Begins(bytes, kNpy)) {
    VQC_TRY(AddNpy(path, "", bytes, episodes));
  } else if (Begins(bytes, kZip)) {
    VQC_TRY(AddNpz(path, bytes, episodes));
  } else if (Begins(bytes, kHdf5)) {
    VQC_TRY(AddHdf5(path, limits, episodes));
  } else if (Begins(bytes, kParquet)) {
    VQC_TRY(AddParquet(path, bytes, limits, episodes));
  } else if (IsSafeTensors(bytes)) {
    VQC_TRY(AddTensors(path, std::move(bytes), limits, episodes));
  } else {
    return Error{ErrorCode::kInput, Printable(path) + ": holds no actions of a known kind; " + kKinds};
  }
  if (episodes.empty())
    return Error{ErrorCode::kInput, Printable(path) + ": holds no episodes; at least one is needed"};
  return episodes;
}

Result<std::vector<Episode>> ReadEpisodesAndFaults(const std::string& path, const Limits& limits) {
  VQC_ASSIGN(auto bytes, ReadFile(path, limits.max_input_bytes, "max_input_bytes"));
  return ReadEpisodesAndFaults(path, std::move(bytes), limits);
}

Result<std::vector<Episode>> ReadEpisodes(const std::string& path, std::vector<uint8_t> bytes,
                                          const Limits& limits) {
  VQC_ASSIGN(auto episodes, ReadEpisodesAndFaults(path, std::move(bytes), limits));
  for (Episode& episode : episodes) {
    if (episode.fault) return std::move(*episode.fault);
  }
  return episodes;
}

Result<std::vector<Episode>> ReadEpisodes(const std::string& path, const Limits& limits) {
  VQC_ASSIGN(auto bytes, ReadFile(path, limits.max_input_bytes, "max_input_bytes"));
  return ReadEpisodes(path, std::move(bytes), limits);
}

Result<std::vector<Episode>> ReadEpisodesUnder(const std::string& path, const Limits& limits) {
  std::error_code failed;
  if (!fs::is_directory(path, failed)) return ReadEpisodes(path, limits);
  VQC_ASSIGN(const auto files, FilesBelow(path, IsLeRobotMeta));
  std::vector<Episode> all;
  for (const std::string& file : files) {
    if (!IsEpisodeExtension(fs::path(file).extension().string())) continue;
    VQC_ASSIGN(auto episodes, ReadEpisodes(file, limits));
    std::move(episodes.begin(), episodes.end(), std::back_inserter(all));
  }
  if (all.empty())
    return Error{ErrorCode::kInput, Printable(path) + ": holds no files of actions; " + kKinds};
  return all;
}

Clip ClipOf(const Episode& episode, int source) {
  Clip clip;
  clip.modality = Modality::kAction;
  clip.frames = episode.steps;
  clip.channels = episode.dims;
  clip.source = source;
  clip.data = episode.values;
  return clip;
}

std::vector<uint8_t> WriteActions(const Clip& clip) {
  const std::string header =
      NpyHeaderOf("<f4", {static_cast<uint64_t>(clip.frames), static_cast<uint64_t>(clip.channels)});
  std::vector<uint8_t> bytes(header.begin(), header.end());
  const auto* values = reinterpret_cast<const uint8_t*>(clip.data.data());
  bytes.insert(bytes.end(), values, values + clip.data.size() * sizeof(float));
  return bytes;
}

}  // namespace vqc
