// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vqc {

inline constexpr int64_t kMaxEntries = 1 << 20;         // of a codebook, and the vocabulary of a level
inline constexpr int64_t kMaxLatentDim = 1024;          // of a codebook
inline constexpr int64_t kMaxCodebookCells = 1 << 28;   // entries * dim
inline constexpr int64_t kMaxQuantizerCells = 1 << 29;  // parameters of a quantizer with all its parts
inline constexpr size_t kMaxQuantizerLevels = 64;

// Reads the fields of a quantizer's config. The first thing that is wrong is kept and returned by Done();
// what is read after it has no meaning. So a Make reads all its fields, then asks once.
class ConfigReader {
 public:
  explicit ConfigReader(const nlohmann::json& config);

  // Without `otherwise` the field must be there.
  int64_t Whole(const char* field, int64_t low, int64_t high, std::optional<int64_t> otherwise = {});
  double Number(const char* field, double low, double high, double otherwise);
  bool Flag(const char* field, bool otherwise);
  // One of `allowed`, whose first is what a missing field means.
  std::string Choice(const char* field, std::initializer_list<std::string_view> allowed);
  // "entries" and "dim" of a codebook.
  int64_t Entries();
  int64_t Dim();
  const nlohmann::json* Find(const char* field);  // null where it is missing

  void Refuse(const std::string& message);  // "<type>: <message>"
  bool ok() const { return status_.ok(); }
  // kModel: names the field, what was given and what fits; a field that nobody asked for is an error too.
  Status Done();

 private:
  void RefuseField(const char* field, const nlohmann::json* given, const std::string& allowed);

  const nlohmann::json& config_;
  std::string type_;
  std::set<std::string, std::less<>> known_{"type"};
  Status status_;
};

}  // namespace vqc
