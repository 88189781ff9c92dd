// SPDX-License-Identifier: Apache-2.0
// What the files that make seeds share: the folder that they are written to, by target.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace vqc::fuzz {

using Bytes = std::vector<uint8_t>;

inline Bytes ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Seeds {
 public:
  explicit Seeds(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::remove_all(folder_);
  }

  // Inputs beyond kLargest are left out.
  void Add(const std::string& target, const std::string& name, std::span<const uint8_t> bytes) {
    if (bytes.size() > kLargest) return;
    std::filesystem::create_directories(folder_ / target);
    std::ofstream(folder_ / target / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  std::filesystem::path Folder(const std::string& target) {
    std::filesystem::create_directories(folder_ / target);
    return folder_ / target;
  }

 private:
  static constexpr size_t kLargest = 1 << 16;

  std::filesystem::path folder_;
};

// Of sets of tokens, their records, and public checkpoints.
void AddSets(Seeds& seeds);

}  // namespace vqc::fuzz
