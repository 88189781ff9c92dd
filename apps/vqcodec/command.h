// SPDX-License-Identifier: Apache-2.0
// The table of commands. A command is one file cmd_*.cc with a function that adds its parser, and one row.
#pragma once

#include <functional>
#include <span>
#include <string_view>

namespace CLI {
class App;
}

namespace vqc {

// Runs a command whose options are parsed; returns the exit status.
using RunCommand = std::function<int()>;

struct CommandRow {
  std::string_view name;
  RunCommand (*add)(CLI::App& parent);  // adds the subcommand `name` to parent, which outlives the result
};
std::span<const CommandRow> Commands();

RunCommand AddCluster(CLI::App& parent);
RunCommand AddCompare(CLI::App& parent);
RunCommand AddCompletion(CLI::App& parent);
RunCommand AddConvert(CLI::App& parent);
RunCommand AddDecode(CLI::App& parent);
RunCommand AddDetokenize(CLI::App& parent);
RunCommand AddDoctor(CLI::App& parent);
RunCommand AddEncode(CLI::App& parent);
RunCommand AddEval(CLI::App& parent);
RunCommand AddFeatures(CLI::App& parent);
RunCommand AddInfo(CLI::App& parent);
RunCommand AddInspect(CLI::App& parent);
RunCommand AddList(CLI::App& parent);
RunCommand AddStream(CLI::App& parent);
RunCommand AddTokenize(CLI::App& parent);
RunCommand AddTrain(CLI::App& parent);
RunCommand AddTrainAudio(CLI::App& parent);  // sub-command of train
RunCommand AddTrim(CLI::App& parent);

// Subcommands of train.
RunCommand AddTrainAction(CLI::App& parent);
RunCommand AddTrainQuantizer(CLI::App& parent);

}  // namespace vqc
