// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/cluster_state.h"

#include <charconv>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/printable.h"
#include "base/safetensors.h"

namespace vqc {
namespace {

constexpr char kKind[] = "vqcodec cluster 1";

// What a run and its state have in common, in words.
std::map<std::string, std::string> IdentityOf(const Rows& rows, const KMeansOptions& options) {
  return {{"kind", kKind},
          {"rows", std::to_string(rows.rows)},
          {"values", std::to_string(rows.cols)},
          {"clusters", std::to_string(options.clusters)},
          {"init", options.init == KMeansInit::kRandom ? "random" : "kmeans++"},
          {"batch", std::to_string(options.batch)},
          {"balanced", options.balanced ? "yes" : "no"},
          {"seed", std::to_string(options.seed)}};
}

template <class T>
TensorView View(DType type, std::vector<int64_t> shape, const std::vector<T>& values) {
  return {
      type, std::move(shape), {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)}};
}

template <class T>
Status Take(const SafeTensors& file, const std::string& path, const char* name, DType type,
            std::vector<T>& out) {
  VQC_ASSIGN(const TensorView view, file.Get(name));
  if (view.dtype != type) {
    return Error{ErrorCode::kModel, Printable(path) + ": the tensor " + name + " is " +
                                        std::string(NameOf(view.dtype)) + "; it must be " +
                                        std::string(NameOf(type))};
  }
  out.resize(view.bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), view.bytes.data(), out.size() * sizeof(T));
  return {};
}

template <class T>
bool Number(const std::map<std::string, std::string>& from, const std::string& key, T& value) {
  const auto found = from.find(key);
  if (found == from.end()) return false;
  const char* end = found->second.data() + found->second.size();
  const auto read = std::from_chars(found->second.data(), end, value);
  return read.ec == std::errc() && read.ptr == end;
}

std::string TextOf(double value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

}  // namespace

Status WriteClusterState(const std::string& path, const Rows& rows, const KMeansOptions& options,
                         const KMeansState& state) {
  auto metadata = IdentityOf(rows, options);
  metadata["passes"] = std::to_string(state.passes);
  metadata["converged"] = state.converged ? "1" : "0";
  metadata["empty"] = std::to_string(state.empty);
  metadata["inertia"] = TextOf(state.inertia);
  VQC_ASSIGN(const auto bytes,
             WriteSafeTensors({{"centres", View(DType::kF32, {options.clusters, rows.cols}, state.centres)},
                               {"counts", View(DType::kF64, {options.clusters}, state.counts)}},
                              metadata));
  return WriteFileAtomically(path, bytes, {.force = true});
}

Result<std::optional<KMeansState>> ReadClusterState(const std::string& path, const Rows& rows,
                                                    const KMeansOptions& options, const Limits& limits) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::optional<KMeansState>();
  VQC_ASSIGN(const SafeTensors file, SafeTensors::Open(path, limits));
  const auto& metadata = file.Metadata();
  const auto identity = IdentityOf(rows, options);
  const auto kind = metadata.find("kind");
  if (kind == metadata.end() || kind->second != kKind) {
    return Error{ErrorCode::kModel, Printable(path) + ": is no state of vqcodec cluster; name another file"};
  }
  for (const auto& [key, value] : identity) {
    const auto found = metadata.find(key);
    const std::string there = found == metadata.end() ? "missing" : Printable(found->second);
    if (there == value) continue;
    return Error{ErrorCode::kUsage, Printable(path) + ": is the state of another run: " + key + " is " +
                                        there + ", but " + value +
                                        " here; name another --state or remove it"};
  }
  KMeansState state;
  int converged = 0;
  if (!Number(metadata, "passes", state.passes) || !Number(metadata, "converged", converged) ||
      !Number(metadata, "empty", state.empty) || !Number(metadata, "inertia", state.inertia)) {
    return Error{ErrorCode::kModel, Printable(path) + ": the state is damaged; remove it to start anew"};
  }
  state.converged = converged != 0;
  VQC_TRY(Take(file, path, "centres", DType::kF32, state.centres));
  VQC_TRY(Take(file, path, "counts", DType::kF64, state.counts));
  return std::optional<KMeansState>(std::move(state));
}

}  // namespace vqc
