// SPDX-License-Identifier: Apache-2.0
// The text of --help: what the command does, examples, usage, options by group. The same text with every
// version of CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace vqc {

// The footer of an app holds its examples, one command line a line.
class HelpFormatter : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
};

// "vqcodec train image" of the subcommand image of train.
std::string CommandPath(const CLI::App& app);

// "-o, --output" and what the option takes, "FILE"; empty for a flag.
std::string OptionNames(const CLI::Option& option);
std::string OptionValue(const CLI::Option& option);

}  // namespace vqc
