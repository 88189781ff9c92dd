// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/completion.h"

#include <algorithm>
#include <vector>

#include "apps/vqcodec/help.h"

namespace vqc {
namespace {

// What completion needs of an option.
struct OptionFacts {
  std::vector<std::string> names;  // "-o", "--output"
  std::string description, value;  // value: "" for a flag, "FILE", "DIR", ...
  std::vector<std::string> choices;
};

struct CommandFacts {
  std::string path, description;  // "vqcodec train image"
  std::vector<OptionFacts> options;
  std::vector<std::pair<std::string, std::string>> subcommands;  // name, description
  bool takes_files = false;
};

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

OptionFacts FactsOf(const CLI::Option& option) {
  OptionFacts facts;
  for (const auto& name : option.get_snames()) facts.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) facts.names.push_back("--" + name);
  facts.description = option.get_description();
  facts.value = OptionValue(option);
  if (facts.value.find('|') != std::string::npos && facts.value.find('[') == std::string::npos) {
    facts.choices = Split(facts.value, '|');
  }
  return facts;
}

std::vector<CLI::App*> SubcommandsOf(const CLI::App& app) {
  return const_cast<CLI::App&>(app).get_subcommands([](CLI::App*) { return true; });
}

// The root and everything below it, parents first.
std::vector<CommandFacts> CollectCommands(const CLI::App& root) {
  std::vector<CommandFacts> all;
  std::vector<const CLI::App*> open = {&root};
  for (size_t i = 0; i < open.size(); ++i) {
    const CLI::App& app = *open[i];
    CommandFacts facts{CommandPath(app), app.get_description(), {}, {}, false};
    for (const CLI::Option* option : app.get_options()) {
      if (option->nonpositional()) {
        facts.options.push_back(FactsOf(*option));
      } else {
        const auto choices = Split(option->get_type_name(), '|');
        if (choices.size() < 2) facts.takes_files = true;
        for (const auto& choice : choices) {
          if (choices.size() > 1) facts.subcommands.emplace_back(choice, option->get_description());
        }
      }
    }
    for (const CLI::App* sub : SubcommandsOf(app)) {
      facts.subcommands.emplace_back(sub->get_name(), sub->get_description());
      open.push_back(sub);
    }
    all.push_back(std::move(facts));
  }
  return all;
}

std::string Join(const std::vector<std::string>& parts, const std::string& separator) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : separator) + part;
  return text;
}

// Text inside single quotes of a POSIX shell.
std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Lines that set `path` to the longest known command at the front of the words before the cursor.
std::string PathLines(const std::vector<CommandFacts>& commands, const std::string& words,
                      const std::string& current, int first) {
  std::vector<std::string> paths;
  for (size_t i = 1; i < commands.size(); ++i) paths.push_back("\"" + commands[i].path + "\"");
  return "  local path=vqcodec i\n  for ((i = " + std::to_string(first) + "; i < " + current +
         "; i++)); do\n    case \"$path ${" + words + "[i]}\" in\n      " + Join(paths, "|") +
         ") path=\"$path ${" + words + "[i]}\";;\n    esac\n  done\n";
}

}  // namespace

std::string BashCompletion(const CLI::App& root) {
  const auto commands = CollectCommands(root);
  std::string out =
      "# bash completion of vqcodec. Use it with: source <(vqcodec completion bash)\n"
      "_vqcodec() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n" +
      PathLines(commands, "COMP_WORDS", "COMP_CWORD", 1) + "  COMPREPLY=()\n  case \"$path $prev\" in\n";
  for (const auto& command : commands) {
    for (const auto& option : command.options) {
      if (option.value.empty()) continue;
      std::vector<std::string> patterns;
      for (const auto& name : option.names) patterns.push_back("\"" + command.path + " " + name + "\"");
      std::string action = "return";  // nothing to offer
      if (!option.choices.empty()) {
        action = "COMPREPLY=($(compgen -W " + Quoted(Join(option.choices, " ")) + " -- \"$cur\")); return";
      } else if (option.value == "DIR") {
        action = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); return";
      } else if (option.value == "FILE" || option.value == "MODEL") {
        action = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return";
      }
      out += "    " + Join(patterns, "|") + ") " + action + ";;\n";
    }
  }
  out += "  esac\n  case $path in\n";
  for (const auto& command : commands) {
    std::vector<std::string> options, words;
    for (const auto& option : command.options)
      options.insert(options.end(), option.names.begin(), option.names.end());
    for (const auto& [name, description] : command.subcommands) words.push_back(name);
    out += "    \"" + command.path +
           "\")\n      if [[ $cur == -* ]]; then\n        COMPREPLY=($(compgen -W " +
           Quoted(Join(options, " ")) + " -- \"$cur\"))\n      else\n";
    if (!words.empty()) {
      out += "        COMPREPLY=($(compgen -W " + Quoted(Join(words, " ")) + " -- \"$cur\"))\n";
    } else if (command.takes_files) {
      out += "        compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n";
    } else {
      out += "        :\n";
    }
    out += "      fi;;\n";
  }
  return out + "  esac\n}\ncomplete -F _vqcodec vqcodec\n";
}

std::string ZshCompletion(const CLI::App& root) {
  const auto commands = CollectCommands(root);
  std::string out =
      "#compdef vqcodec\n"
      "# zsh completion of vqcodec. Use it with: vqcodec completion zsh >\"${fpath[1]}/_vqcodec\"\n"
      "_vqcodec() {\n" +
      PathLines(commands, "words", "CURRENT", 2) +
      "  local -a names\n  case \"$path $words[CURRENT-1]\" in\n";
  for (const auto& command : commands) {
    for (const auto& option : command.options) {
      if (option.value.empty()) continue;
      std::vector<std::string> patterns;
      for (const auto& name : option.names) patterns.push_back("\"" + command.path + " " + name + "\"");
      std::string action = "return";
      if (!option.choices.empty()) action = "compadd -- " + Join(option.choices, " ") + "; return";
      if (option.value == "DIR") action = "_files -/; return";
      if (option.value == "FILE" || option.value == "MODEL") action = "_files; return";
      out += "    " + Join(patterns, "|") + ") " + action + ";;\n";
    }
  }
  out += "  esac\n  case $path in\n";
  const auto entry = [](const std::string& name, const std::string& description) {
    std::string safe;
    for (const char c : name + ":" + description) safe += c;
    return Quoted(safe) + " ";
  };
  for (const auto& command : commands) {
    out += "    \"" + command.path + "\")\n      if [[ $words[CURRENT] == -* ]]; then\n        names=(";
    for (const auto& option : command.options) {
      for (const auto& name : option.names) out += entry(name, option.description);
    }
    out += ")\n        _describe -o option names\n      else\n";
    if (!command.subcommands.empty()) {
      out += "        names=(";
      for (const auto& [name, description] : command.subcommands) out += entry(name, description);
      out += ")\n        _describe command names\n";
    } else {
      out += command.takes_files ? "        _files\n" : "        :\n";
    }
    out += "      fi;;\n";
  }
  return out + "  esac\n}\n_vqcodec \"$@\"\n";
}

std::string FishCompletion(const CLI::App& root) {
  std::string out =
      "# fish completion of vqcodec. Use it with: vqcodec completion fish | source\ncomplete -c vqcodec -e\n";
  const auto quoted = [](const std::string& text) {
    std::string safe = "'";
    for (const char c : text) safe += (c == '\'' || c == '\\') ? std::string("\\") + c : std::string(1, c);
    return safe + "'";
  };
  for (const auto& command : CollectCommands(root)) {
    // The command of a line is what follows the program's name: "train image" of "vqcodec train image".
    const auto words = Split(command.path, ' ');
    std::string condition;
    for (size_t i = 1; i < words.size(); ++i) {
      condition += (i > 1 ? "; and " : "") + std::string("__fish_seen_subcommand_from ") + words[i];
    }
    std::vector<std::string> below;
    for (const auto& [name, description] : command.subcommands) below.push_back(name);
    const std::string none_below = below.empty() ? "" : "not __fish_seen_subcommand_from " + Join(below, " ");
    const std::string here = condition.empty()    ? none_below
                             : none_below.empty() ? condition
                                                  : condition + "; and " + none_below;
    const std::string start = "complete -c vqcodec -n " + quoted(here);
    for (const auto& [name, description] : command.subcommands) {
      out += start + " -f -a " + name + " -d " + quoted(description) + "\n";
    }
    for (const auto& option : command.options) {
      out += start;
      for (const auto& name : option.names)
        out += name[1] == '-' ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.value.empty())
        out += option.choices.empty() ? " -r" : " -x -a " + quoted(Join(option.choices, " "));
      out += " -d " + quoted(option.description) + "\n";
    }
  }
  return out;
}

}  // namespace vqc
