// SPDX-License-Identifier: Apache-2.0
// Shell completion, generated from the parser: commands, options, and the values of options that have
// choices.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace vqc {

std::string BashCompletion(const CLI::App& root);
std::string ZshCompletion(const CLI::App& root);
std::string FishCompletion(const CLI::App& root);

}  // namespace vqc
