// SPDX-License-Identifier: Apache-2.0
// From the names on the command line to files to work on and files to write.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/vqcodec/options.h"
#include "base/result.h"

namespace vqc {

struct InputFile {
  std::string path;
  std::string relative;  // where its output goes below --output-dir, with the input's extension
};

// Files of the options, in the order given; those of a folder in the order of their names. `fits` chooses
// what is taken from folders by the lower-case extension (".png"). A folder without --recursive is left in
// the list: opening it says what is wrong with it. Error kUsage where there is no input at all.
Result<std::vector<InputFile>> FindInputs(const InputOptions& options,
                                          const std::function<bool(std::string_view)>& fits);

inline bool IsStreamExtension(std::string_view extension) { return extension == ".vqc"; }

// One step of a command from file to file.
struct Job {
  std::string input, output;
  std::optional<Error> refusal;  // why it is not to be run
  bool skip = false;             // --skip-existing, and it does
};

// The output of each input: --output, or the input's name with `extension` beside it or below --output-dir;
// standard output for standard input. Refuses what exists (without --force), outputs onto inputs, and binary
// data onto a terminal. Error kUsage where the options do not fit the number of inputs or two inputs have one
// output.
Result<std::vector<Job>> PlanJobs(const std::vector<InputFile>& inputs, const OutputOptions& options,
                                  const std::string& extension);

// The same with an extension for each input.
Result<std::vector<Job>> PlanJobs(const std::vector<InputFile>& inputs, const OutputOptions& options,
                                  const std::function<std::string(const InputFile&)>& extension);

// Makes the folder of `output` if need be.
Status MakeFolderOf(const std::string& output, const OutputOptions& options);

// Makes the folder of `output` if need be and writes it whole or not at all.
Status WriteOutput(const std::string& output, std::span<const uint8_t> bytes, const OutputOptions& options);

}  // namespace vqc
