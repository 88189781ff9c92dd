// SPDX-License-Identifier: Apache-2.0
#include "base/dynamic_part.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace vqc {
namespace {

std::vector<std::string> PartFolders() {
  std::vector<std::string> folders;
  if (const char* given = std::getenv("VQCODEC_PARTS"); given && *given) folders.emplace_back(given);
  Dl_info self{};
  if (dladdr(reinterpret_cast<const void*>(&LoadPart), &self) && self.dli_fname) {
    std::error_code ignored;
    const auto folder = std::filesystem::canonical(self.dli_fname, ignored).parent_path();
    folders.push_back(folder.string());
    folders.push_back((folder / "vqcodec").string());
  }
  return folders;
}

}  // namespace

Result<void*> LoadPart(const std::string& part, const std::string& symbol) {
  std::string tried;
  for (const std::string& folder : PartFolders()) {
    const std::string path = folder + "/lib" + part + ".so";
    if (access(path.c_str(), F_OK) != 0) {
      tried += "\n  " + path + ": not there";
      continue;
    }
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
      tried += "\n  " + path + ": " + dlerror();
      continue;
    }
    if (void* address = dlsym(handle, symbol.c_str())) return address;
    tried += "\n  " + path + ": has no " + symbol;
  }
  return Error{ErrorCode::kResource,
               "the part " + part + " could not be loaded (build it, or name its folder in VQCODEC_PARTS):" + tried};
}

}  // namespace vqc
