// SPDX-License-Identifier: Apache-2.0
// encode, decode and eval with models of robot actions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/inputs.h"
#include "apps/vqcodec/models.h"
#include "apps/vqcodec/options.h"
#include "codec/action.h"
#include "codec/bundle.h"

namespace vqc {

inline constexpr std::string_view kDefaultActionModel = "actions";

struct ActionOptions {
  std::string source;   // name of the model's source; empty: the only one
  std::string episode;  // of a file with several; empty: the only one
  int levels = 0;       // the first levels that are kept; 0: all
};
void AddActionOptions(CLI::App& app, ActionOptions& options);

struct ActionEncoding {
  const ActionOptions& actions;
  const PayloadOptions& payload;
  const OutputOptions& output;
  const Limits& limits;
};

// One input of vqcodec encode: the episode of a file of these bytes. `job` and what `how` refers to must
// outlive the work.
Result<BatchPlan::Finish> BeginEncodingActions(const Job& job, std::vector<uint8_t> bytes,
                                               const BundleFuture& model, const ActionEncoding& how);

// vqcodec encode with a model of actions. REQUIRES: entry.card.modality is kAction
int RunEncodeActions(const InputOptions& input, const ModelOptions& model, const RunOptions& run,
                     const ActionEncoding& how, const ModelEntry& entry);

struct ActionsToDecode {
  const Stream& stream;
  uint64_t file_bytes;
  const std::vector<std::string>& defects;  // of salvage: chunks that are missing make the episode shorter
};
// Decodes a stream of actions into a .npy file of float32 [steps, dimensions].
Result<ItemReport> DecodeActionFile(const ActionsToDecode& what, const Job& job, const Bundle& bundle,
                                    const OutputOptions& options, const Limits& limits);

// The models named, with commas between them, where all are of actions, else none.
std::vector<ModelEntry> ActionModels(const std::string& names);

// vqcodec eval with models of actions: one line a model over all episodes of all inputs.
int RunEvalActions(const InputOptions& input, const std::vector<ModelEntry>& models,
                   const ModelOptions& model, const ActionOptions& actions, const RunOptions& run,
                   const Limits& limits);

}  // namespace vqc
