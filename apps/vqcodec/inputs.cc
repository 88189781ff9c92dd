// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/inputs.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "base/file.h"
#include "base/folder.h"
#include "base/make_folders.h"
#include "base/printable.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kMaxListBytes = 1ull << 30;

std::string LowerExtension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
  });
  return extension;
}

Result<std::vector<InputFile>> InputsBelow(const std::string& folder,
                                           const std::function<bool(std::string_view)>& fits) {
  std::vector<InputFile> files;
  VQC_ASSIGN(const auto paths, FilesBelow(folder));
  for (const std::string& path : paths) {
    if (fits(LowerExtension(path)))
      files.push_back({path, fs::path(path).lexically_relative(folder).string()});
  }
  return files;
}

Result<std::vector<std::string>> ReadList(const std::string& path, char separator) {
  VQC_ASSIGN(const std::vector<uint8_t> bytes, ReadFile(path, kMaxListBytes));
  std::vector<std::string> names;
  std::string name;
  for (const uint8_t byte : bytes) {
    if (static_cast<char>(byte) != separator) {
      name.push_back(static_cast<char>(byte));
      continue;
    }
    if (!name.empty()) names.push_back(std::move(name));
    name.clear();
  }
  if (!name.empty()) names.push_back(std::move(name));
  return names;
}

bool IsStandardOutput(const std::string& output) { return output == "-" || output == "/dev/stdout"; }

Result<std::string> OutputOf(const InputFile& input, const OutputOptions& options,
                             const std::string& extension) {
  if (!options.file.empty()) return options.file;
  if (input.path == "-") {
    if (options.folder.empty()) return std::string("-");
    return Error{ErrorCode::kUsage, "standard input has no name to put below --output-dir; use --output"};
  }
  const fs::path place =
      options.folder.empty() ? fs::path(input.path) : fs::path(options.folder) / input.relative;
  return fs::path(place).replace_extension(extension).string();
}

// Why `job` must not run, or nothing; sets `skip`.
std::optional<Error> RefusalOf(Job& job, const OutputOptions& options) {
  if (IsStandardOutput(job.output)) {
    if (options.force || !isatty(STDOUT_FILENO)) return std::nullopt;
    return Error{ErrorCode::kUsage,
                 "standard output is a terminal; name a file with --output, or use --force"};
  }
  std::error_code error;
  const fs::file_status status = fs::status(job.output, error);
  if (!fs::exists(status)) return std::nullopt;
  if (fs::is_directory(status)) {
    return Error{ErrorCode::kUsage, Printable(job.output) + ": is a folder; use --output-dir for folders"};
  }
  if (job.input != "-" && fs::is_regular_file(status) && fs::equivalent(job.input, job.output, error)) {
    return Error{ErrorCode::kUsage,
                 Printable(job.output) + ": is the input; choose another output with --output"};
  }
  if (!fs::is_regular_file(status)) return std::nullopt;
  job.skip = options.skip_existing;
  if (job.skip || options.force) return std::nullopt;
  return Error{
      ErrorCode::kExists,
      Printable(job.output) + ": exists already; overwrite it with --force, or choose another with --output"};
}

}  // namespace

Result<std::vector<InputFile>> FindInputs(const InputOptions& options,
                                          const std::function<bool(std::string_view)>& fits) {
  std::vector<std::string> names = options.paths;
  if (!options.files_from.empty()) {
    VQC_ASSIGN(const auto listed, ReadList(options.files_from, options.null_separated ? '\0' : '\n'));
    names.insert(names.end(), listed.begin(), listed.end());
  }
  if (names.empty()) return Error{ErrorCode::kUsage, "no input; name a file, or - for standard input"};
  std::vector<InputFile> files;
  for (const std::string& name : names) {
    std::error_code ignored;
    if (name != "-" && options.recursive && fs::is_directory(name, ignored)) {
      VQC_ASSIGN(auto below, InputsBelow(name, fits));
      if (below.empty())
        return Error{ErrorCode::kInput, Printable(name) + ": holds no file of a kind that fits"};
      files.insert(files.end(), std::make_move_iterator(below.begin()), std::make_move_iterator(below.end()));
    } else {
      files.push_back({name, fs::path(name).filename().string()});
    }
  }
  if (std::count_if(files.begin(), files.end(), [](const auto& file) { return file.path == "-"; }) > 1) {
    return Error{ErrorCode::kUsage, "standard input is named twice; it can be read once"};
  }
  return files;
}

Result<std::vector<Job>> PlanJobs(const std::vector<InputFile>& inputs, const OutputOptions& options,
                                  const std::string& extension) {
  return PlanJobs(inputs, options, [&extension](const InputFile&) { return extension; });
}

Result<std::vector<Job>> PlanJobs(const std::vector<InputFile>& inputs, const OutputOptions& options,
                                  const std::function<std::string(const InputFile&)>& extension) {
  if (!options.file.empty() && inputs.size() > 1) {
    return Error{ErrorCode::kUsage, "--output is for one input, there are " + std::to_string(inputs.size()) +
                                        "; use --output-dir"};
  }
  std::vector<Job> jobs;
  std::map<std::string, size_t> taken;
  for (const InputFile& input : inputs) {
    Job job{input.path, "", std::nullopt, false};
    VQC_ASSIGN(job.output, OutputOf(input, options, extension(input)));
    const auto [other, is_new] = taken.emplace(fs::path(job.output).lexically_normal().string(), jobs.size());
    if (!is_new) {
      return Error{ErrorCode::kUsage, Printable(input.path) + ": has the same output as " +
                                          Printable(jobs[other->second].input) + ": " +
                                          Printable(job.output) +
                                          "; encode them into different folders with --output-dir"};
    }
    job.refusal = RefusalOf(job, options);
    jobs.push_back(std::move(job));
  }
  return jobs;
}

Status MakeFolderOf(const std::string& output, const OutputOptions& options) {
  if (!options.folder.empty() && !IsStandardOutput(output)) {
    const fs::path folder = fs::path(output).parent_path();
    if (!folder.empty()) VQC_TRY(MakeFolders(folder.string()));
  }
  return {};
}

Status WriteOutput(const std::string& output, std::span<const uint8_t> bytes, const OutputOptions& options) {
  VQC_TRY(MakeFolderOf(output, options));
  return WriteFileAtomically(output, bytes, {.force = options.force});
}

}  // namespace vqc
