// SPDX-License-Identifier: Apache-2.0
// vqcodec cluster: features -> a codebook, by k-means.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/cluster_state.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/matrix_file.h"
#include "apps/vqcodec/progress.h"
#include "apps/vqcodec/records.h"
#include "apps/vqcodec/train_checks.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/printable.h"
#include "base/stopwatch.h"
#include "quantizers/search/cuda/part.h"

namespace vqc {
namespace {

constexpr char kTensorName[] = "codebook";
constexpr char kInterrupted[] = "with --state, the same command goes on after the last whole pass";

struct ClusterCommand {
  std::string features, output, tensor, state, labels, init = "kmeans++", progress = "auto", device = "cpu";
  KMeansOptions kmeans;
  bool force = false, quiet = false, json = false;
  Limits limits;
};

Status CheckOutputs(const ClusterCommand& command) {
  if (!IsMatrixPath(command.output)) {
    return Error{ErrorCode::kUsage, "--output: " + Printable(command.output) +
                                        ": ends neither in .npy nor in .safetensors; name it so"};
  }
  VQC_TRY(CheckOutput(command.output, "--output", command.force));
  if (!command.labels.empty()) VQC_TRY(CheckOutput(command.labels, "--labels", command.force));
  if (!command.state.empty()) VQC_TRY(CheckWritable(command.state, "--state"));
  return {};
}

// The number of the GPU; -1 for the CPU.
Result<int> DeviceOf(const std::string& name) {
  if (name == "cpu") return -1;
  const std::string prefix = "cuda:";
  const std::string number = name.rfind(prefix, 0) == 0 ? name.substr(prefix.size()) : "";
  if (name == "cuda") return 0;
  if (!number.empty() && number.size() < 4 && number.find_first_not_of("0123456789") == std::string::npos) {
    return std::stoi(number);
  }
  if (name != "auto") {
    return Error{ErrorCode::kUsage,
                 "--device: \"" + Printable(name) + "\" is not known; use cpu, cuda, cuda:N or auto"};
  }
  const auto part = LoadCudaPart();
  return part.ok() && (*part)->supports(0).ok() ? 0 : -1;
}

Result<KMeans> Begin(const ClusterCommand& command, const Rows& rows, const KMeansOptions& options) {
  if (!command.state.empty()) {
    VQC_ASSIGN(auto state, ReadClusterState(command.state, rows, options, command.limits));
    if (state) return KMeans::Resume(rows, options, *std::move(state));
  }
  return KMeans::Start(rows, options);
}

Json RecordOf(const ClusterCommand& command, const Rows& rows, const KMeansState& state, double seconds) {
  const auto [smallest, largest] = std::minmax_element(state.counts.begin(), state.counts.end());
  return {{"input", command.features},
          {"output", command.output},
          {"rows", rows.rows},
          {"dim", rows.cols},
          {"clusters", state.counts.size()},
          {"passes", state.passes},
          {"converged", state.converged},
          {"inertia", state.inertia},
          {"mean_squared_distance", state.inertia / static_cast<double>(rows.rows)},
          {"empty", state.empty},
          {"smallest", *smallest},
          {"largest", *largest},
          {"seconds", seconds}};
}

void Report(const ClusterCommand& command, const Json& record) {
  if (command.json) std::printf("%s\n", JsonLine(record).c_str());
  if (command.quiet) return;
  std::fprintf(
      stderr,
      "%s: %lld centres of %lld values from %lld rows; passes %lld, mean squared distance %.6g, %.1f s\n",
      Printable(command.output).c_str(), record["clusters"].get<long long>(), record["dim"].get<long long>(),
      record["rows"].get<long long>(), record["passes"].get<long long>(),
      record["mean_squared_distance"].get<double>(), record["seconds"].get<double>());
}

Status Run(const ClusterCommand& command) {
  VQC_TRY(CheckOutputs(command));
  VQC_ASSIGN(const MatrixFile features, MatrixFile::Open(command.features, command.tensor, command.limits));
  const Rows& rows = features.rows();
  HandleInterrupts(kInterrupted);
  const Stopwatch watch;
  KMeansOptions options = command.kmeans;
  VQC_ASSIGN(options.device, DeviceOf(command.device));
  options.init = command.init == "random" ? KMeansInit::kRandom : KMeansInit::kPlusPlus;
  Progress progress(command.progress, static_cast<size_t>(rows.rows) * static_cast<size_t>(options.passes));
  const KMeans* current = nullptr;
  options.progress = [&](int64_t done) {
    const int64_t passes = std::min(current ? current->state().passes : 0, command.kmeans.passes - 1);
    progress.Update(static_cast<size_t>(passes * rows.rows + done));
  };
  VQC_ASSIGN(KMeans kmeans, Begin(command, rows, options));
  current = &kmeans;
  while (!kmeans.Done()) {
    VQC_TRY(kmeans.Pass());
    if (!command.state.empty()) VQC_TRY(WriteClusterState(command.state, rows, options, kmeans.state()));
  }
  VQC_TRY(WriteFileAtomically(command.output,
                              MatrixBytes(command.output, kmeans.state().centres, rows.cols, kTensorName),
                              {.force = command.force}));
  if (!command.labels.empty()) {
    VQC_ASSIGN(const auto ids, kmeans.Assign());
    VQC_TRY(WriteFileAtomically(command.labels, NpyBytes(ids), {.force = command.force}));
  }
  progress.Clear();
  Report(command, RecordOf(command, rows, kmeans.state(), watch.Seconds()));
  return {};
}

template <class Number>
void AddNumber(CLI::App& app, const std::string& name, Number& value, double low, double high, bool whole,
               const std::string& what) {
  app.add_option(name, value, what)
      ->type_name(whole ? "N" : "X")
      ->group("Clustering")
      ->check(WithinBounds({low, high, false, whole}));
}

}  // namespace

RunCommand AddCluster(CLI::App& parent) {
  auto command = std::make_shared<ClusterCommand>();
  KMeansOptions& kmeans = command->kmeans;
  CLI::App* app = AddCommand(
      parent, "cluster", "Learn a codebook from features by k-means",
      "vqcodec cluster latents.npy -k 4096 -o codebook.npy\n"
      "vqcodec cluster latents.npy -k 262144 -o codebook.safetensors --state run.state  # again to go on\n"
      "vqcodec cluster latents.npy -k 1024 -o codebook.npy --batch 65536 --labels labels.npy");
  app->add_option("FEATURES", command->features,
                  "Rows of float32: .npy (any size; not read whole) or .safetensors")
      ->type_name("")
      ->required();
  app->add_option("--tensor", command->tensor, "Which of a .safetensors file with several")
      ->type_name("NAME")
      ->group("Input");
  app->add_option("-o,--output", command->output,
                  "The centres: .npy, or .safetensors with a tensor `codebook`")
      ->type_name("FILE")
      ->group("Output")
      ->required();
  app->add_option("--labels", command->labels, "Also write the cluster of each row as int32 .npy")
      ->type_name("FILE")
      ->group("Output");
  app->add_option("--state", command->state,
                  "Where the run stands: read if it is there, written after each pass")
      ->type_name("FILE")
      ->group("Output");
  app->add_flag("-f,--force", command->force, "Overwrite outputs")->group("Output");
  app->add_option("-k,--clusters", kmeans.clusters, "Number of centres, at most 1048576")
      ->type_name("N")
      ->group("Clustering")
      ->required()
      ->check(WithinBounds({1, 1048576, false, true}));
  AddChoice(*app, "--init", command->init, {"kmeans++", "random"}, "First centres (default kmeans++)")
      ->group("Clustering");
  AddNumber(*app, "--passes", kmeans.passes, 0, 1e6, true, "Most passes over the rows (default 25)");
  AddNumber(*app, "--tolerance", kmeans.tolerance, 0, 1, false,
            "Stop once a pass lowers the inertia by less than this share (default 0.0001)");
  AddNumber(*app, "--batch", kmeans.batch, 0, 1e9, true,
            "Rows of a mini-batch; 0, the default, takes all rows at a time (Lloyd's algorithm)");
  app->add_flag("--balanced", kmeans.balanced, "Keep clusters of like size")->group("Clustering");
  AddNumber(*app, "--seed", kmeans.seed, 0, 4294967295.0, true, "Of the random numbers (default 1)");
  AddNumber(*app, "--threads", kmeans.threads, 0, 1024, true,
            "Threads; 0, the default, is one for each core. The centres do not depend on it");
  app->add_option("--device", command->device,
                  "cpu, cuda, cuda:N or auto (default cpu). The centres do not depend on it")
      ->type_name("DEVICE")
      ->group("Clustering");
  AddChoice(*app, "--progress", command->progress, {"auto", "always", "never"},
            "Progress bar; auto is on a terminal")
      ->group("Report");
  app->add_flag("--json", command->json, "Print one JSON object")->group("Report");
  app->add_flag("-q,--quiet", command->quiet, "Print errors only")->group("Report");
  AddModelLimit(*app, command->limits);
  return [command] {
    const Status status = Guard("cluster", [&] { return Run(*command); });
    return status.ok() ? static_cast<int>(kExitOk) : Fail("cluster", status.error());
  };
}

}  // namespace vqc
