// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>
#include <new>
#include <vector>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/help.h"
#include "apps/vqcodec/options.h"
#include "apps/vqcodec/version.h"

namespace vqc {
namespace {

// The deepest subcommand that was named.
const CLI::App* Named(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

int Run(int argc, char** argv) {
  CLI::App app("Turn pictures into discrete tokens and back", "vqcodec");
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(
      "vqcodec encode photo.png                 # writes photo.vqc\n"
      "vqcodec decode photo.vqc -o seen.png\n"
      "vqcodec info photo.vqc\n"
      "vqcodec encode --help                    # the options of a command");
  app.set_help_flag("-h,--help", "Print this help")->group("Options");
  app.set_version_flag("--version", VersionText(), "Print the version and what it was built with")
      ->group("Options");
  app.require_subcommand(0, 1);
  std::vector<RunCommand> runs;
  for (const CommandRow& row : Commands()) runs.push_back(row.add(app));

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion&) {
    std::printf("%s\n", VersionText().c_str());
    return kExitOk;
  } catch (const CLI::CallForHelp&) {
    std::fputs(Named(&app)->help().c_str(), stdout);
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    const std::string path = CommandPath(*Named(&app));
    return Fail("", {ErrorCode::kUsage, std::string(error.what()) + "; see " + path + " --help"});
  }
  for (size_t i = 0; i < runs.size(); ++i) {
    if (app.got_subcommand(std::string(Commands()[i].name))) return runs[i]();
  }
  return Fail("", {ErrorCode::kUsage, "no command; see vqcodec --help"});
}

}  // namespace
}  // namespace vqc

int main(int argc, char** argv) {
  try {
    const int status = vqc::Run(argc, argv);
    const bool printed = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    if (printed || status != vqc::kExitOk) return status;
    return vqc::Fail("standard output",
                     {vqc::ErrorCode::kOutput, "cannot be written; is there room for it?"});
  } catch (const std::bad_alloc&) {
    return vqc::Fail(
        "", {vqc::ErrorCode::kResource, "there is not enough memory; use fewer --jobs or smaller inputs"});
  } catch (const std::exception& thrown) {
    return vqc::Fail("", {vqc::ErrorCode::kInternal, thrown.what()});
  }
}
