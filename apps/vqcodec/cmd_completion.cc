// SPDX-License-Identifier: Apache-2.0
// vqcodec completion: a script for the shell.
#include <cstdio>
#include <memory>

#include "apps/vqcodec/command.h"
#include "apps/vqcodec/completion.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/options.h"

namespace vqc {

RunCommand AddCompletion(CLI::App& parent) {
  auto shell = std::make_shared<std::string>();
  CLI::App* app = AddCommand(parent, "completion", "Print a completion script for bash, zsh or fish",
                             "source <(vqcodec completion bash)        # in ~/.bashrc\n"
                             "vqcodec completion zsh >\"${fpath[1]}/_vqcodec\"\n"
                             "vqcodec completion fish | source         # in ~/.config/fish/config.fish");
  AddChoice(*app, "SHELL", *shell, {"bash", "zsh", "fish"}, "The shell: bash, zsh or fish")->required();
  return [shell, &parent] {
    const std::string script = *shell == "bash"  ? BashCompletion(parent)
                               : *shell == "zsh" ? ZshCompletion(parent)
                                                 : FishCompletion(parent);
    std::fputs(script.c_str(), stdout);
    return static_cast<int>(kExitOk);
  };
}

}  // namespace vqc
