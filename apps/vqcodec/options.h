// SPDX-License-Identifier: Apache-2.0
// Options that several commands share, each group with the function that adds it to a parser.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/limits.h"

namespace vqc {

struct InputOptions {
  std::vector<std::string> paths;  // "-" is standard input
  bool recursive = false;
  std::string files_from;  // a file with one path a line, "-" for standard input
  bool null_separated = false;
};

struct OutputOptions {
  std::string file;    // "-" is standard output
  std::string folder;  // not with file
  bool force = false, skip_existing = false;
};

struct ModelOptions {
  std::string model;  // name or folder; empty: the command's default
  std::string device = "cpu";
  std::string precision = "float32";
  bool reference = false;
};

struct RunOptions {
  int jobs = 0;  // 0: one for each core
  bool fail_fast = false, keep_going = false;
  std::string progress = "auto";
  bool quiet = false, verbose = false;
  bool json = false, jsonl = false;

  int Workers() const;
};

// How samples without a header lie in a file or pipe.
struct RawOptions {
  std::string format;  // empty: the input says itself what it is
  int rate = 0, channels = 1;
};

void AddRawOptions(CLI::App& app, RawOptions& options);
void AddInputOptions(CLI::App& app, InputOptions& options, const std::string& what);
void AddOutputOptions(CLI::App& app, OutputOptions& options);
void AddModelOptions(CLI::App& app, ModelOptions& options, const std::string& fallback);
// --precision and --reference, of commands whose tokenizer may run on whole clips.
void AddNetworkOptions(CLI::App& app, ModelOptions& options);
void AddRunOptions(CLI::App& app, RunOptions& options);
void AddJobs(CLI::App& app, RunOptions& options);
void AddReportOptions(CLI::App& app, RunOptions& options);
void AddLimitOptions(CLI::App& app, Limits& limits);
void AddModelLimit(CLI::App& app, Limits& limits);  // --max-model-bytes alone

// An option that takes one of `choices`; help and shell completion show them.
CLI::Option* AddChoice(CLI::App& app, const std::string& names, std::string& value,
                       const std::vector<std::string>& choices, const std::string& description);

// A subcommand with our help, whose examples come first. Each line of `examples` is a command line.
CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& summary,
                     const std::string& examples);

}  // namespace vqc
