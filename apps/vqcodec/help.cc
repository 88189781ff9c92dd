// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/help.h"

#include <sstream>
#include <vector>

namespace vqc {
namespace {

constexpr size_t kColumn = 28, kWidth = 100;

// Appends "  left   right", the right part wrapped and indented.
void AppendEntry(std::string& out, const std::string& left, const std::string& right) {
  std::string line = "  " + left;
  if (line.size() + 2 > kColumn) {
    out += line + "\n";
    line.clear();
  }
  line.resize(kColumn, ' ');
  std::istringstream words(right);
  bool first = true;
  for (std::string word; words >> word; first = false) {
    if (!first && line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line.assign(kColumn, ' ');
      first = true;
    }
    line += (first ? "" : " ") + word;
  }
  out += line + "\n";
}

void AppendSubcommands(std::string& out, const CLI::App& app) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  if (commands.empty()) return;
  out += "\nCommands:\n";
  for (const CLI::App* command : commands) AppendEntry(out, command->get_name(), command->get_description());
}

void AppendOptions(std::string& out, const CLI::App& app) {
  const auto options = app.get_options();
  const auto is_named = [](const CLI::Option* option) {
    return option->nonpositional() && !option->get_group().empty();
  };
  std::vector<std::string> groups;
  for (const CLI::Option* option : options) {
    if (!is_named(option)) continue;
    if (std::find(groups.begin(), groups.end(), option->get_group()) == groups.end())
      groups.push_back(option->get_group());
  }
  for (const std::string& group : groups) {
    out += "\n" + group + ":\n";
    for (const CLI::Option* option : options) {
      if (!is_named(option) || option->get_group() != group) continue;
      const std::string value = OptionValue(*option);
      AppendEntry(out, OptionNames(*option) + (value.empty() ? "" : " " + value), option->get_description());
    }
  }
}

}  // namespace

std::string CommandPath(const CLI::App& app) {
  std::string path = app.get_name();
  for (const CLI::App* parent = app.get_parent(); parent; parent = parent->get_parent()) {
    path = parent->get_name() + " " + path;
  }
  return path;
}

std::string OptionNames(const CLI::Option& option) {
  std::string names;
  for (const auto& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const auto& name : option.get_lnames()) names += (names.empty() ? "--" : ", --") + name;
  return names;
}

std::string OptionValue(const CLI::Option& option) {
  return option.get_items_expected_max() > 0 ? option.get_type_name() : "";
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  const std::string path = CommandPath(*app);
  std::string out = path + ": " + app->get_description() + "\n\nExamples:\n";
  std::istringstream examples(app->get_footer());
  for (std::string line; std::getline(examples, line);) out += "  " + line + "\n";

  out += "\nUsage: " + path;
  for (const CLI::Option* option : app->get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = option->get_name(true);
    const std::string shown = name + (option->get_items_expected_max() > 1 ? "..." : "");
    out += option->get_required() ? " " + shown : " [" + shown + "]";
  }
  const bool nested = !app->get_subcommands([](const CLI::App*) { return true; }).empty();
  out += nested ? " COMMAND [OPTIONS]\n" : " [OPTIONS]\n";
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_positional()) AppendEntry(out, option->get_name(true), option->get_description());
  }
  AppendSubcommands(out, *app);
  AppendOptions(out, *app);
  return out;
}

}  // namespace vqc
