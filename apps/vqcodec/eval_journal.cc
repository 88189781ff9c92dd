// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/eval_journal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/file.h"

namespace vqc {
namespace {

constexpr std::string_view kFirstLine = "vqcodec eval state 1\n";

Error CannotWrite(const std::string& path) {
  return {ErrorCode::kOutput, path + ": cannot write the state: " + std::strerror(errno)};
}

Json TokensJson(const Tokens& tokens) {
  const TokenShape& shape = tokens.shape;
  return {{"shape", {shape.levels, shape.t, shape.h, shape.w}}, {"vocab", tokens.vocab}, {"ids", tokens.ids}};
}

std::string FeaturesText(const std::vector<float>& features) {
  ByteWriter writer;
  for (const float value : features) writer.U32(std::bit_cast<uint32_t>(value));
  return ToBase64(writer.bytes());
}

// Throws where the text is something else.
std::vector<float> FeaturesOf(const std::string& text) {
  const auto bytes = FromBase64(text);
  if (!bytes || bytes->size() % 4 != 0) throw std::runtime_error("no features");
  ByteReader reader(*bytes);
  std::vector<float> features(bytes->size() / 4);
  for (float& value : features) value = std::bit_cast<float>(reader.U32());
  return features;
}

// Throws nlohmann's exceptions where the value is something else.
MeasuredItem ItemOf(const Json& line) {
  MeasuredItem item{line.at("record"), {}};
  if (line.contains("features")) item.features = FeaturesOf(line.at("features").get<std::string>());
  if (!item.record.is_object()) return item;
  const Json& tokens = line.at("tokens");
  if (tokens.is_null()) return item;
  const auto shape = tokens.at("shape").get<std::vector<uint32_t>>();
  item.tokens.shape = {shape.at(0), shape.at(1), shape.at(2), shape.at(3)};
  item.tokens.vocab = tokens.at("vocab").get<std::vector<uint32_t>>();
  item.tokens.ids = tokens.at("ids").get<std::vector<uint32_t>>();
  return item;
}

}  // namespace

Result<EvalJournal> EvalJournal::Open(const std::string& path) {
  EvalJournal journal;
  journal.path_ = path;
  std::string text;
  if (std::error_code error; std::filesystem::exists(path, error)) {
    VQC_ASSIGN(const auto bytes, ReadFile(path, std::numeric_limits<uint64_t>::max()));
    text.assign(bytes.begin(), bytes.end());
    const std::string_view start = std::string_view(text).substr(0, kFirstLine.size());
    if (start != kFirstLine.substr(0, start.size()) || (start.size() < kFirstLine.size() && !start.empty())) {
      return Error{ErrorCode::kUsage, path + " is not a state of eval; give --state another file"};
    }
  }
  const size_t whole = text.empty() ? 0 : text.rfind('\n') + 1;
  for (size_t at = kFirstLine.size(); at < whole;) {
    const size_t end = text.find('\n', at);
    try {
      const Json line = Json::parse(std::string_view(text).substr(at, end - at));
      journal.items_[line.at("item").get<std::string>()] = ItemOf(line);
    } catch (const std::exception&) {
      return Error{ErrorCode::kUsage, path + ": the line at byte " + std::to_string(at) +
                                          " is damaged; remove the file to measure all anew"};
    }
    at = end + 1;
  }
  journal.file_.reset(std::fopen(path.c_str(), "ab"));
  if (!journal.file_ || ::ftruncate(::fileno(journal.file_.get()), static_cast<off_t>(whole)) != 0) {
    return CannotWrite(path);
  }
  if (whole == 0 &&
      (std::fwrite(kFirstLine.data(), 1, kFirstLine.size(), journal.file_.get()) < kFirstLine.size() ||
       std::fflush(journal.file_.get()) != 0)) {
    return CannotWrite(path);
  }
  return journal;
}

const MeasuredItem* EvalJournal::Find(const std::string& item) const {
  const auto found = items_.find(item);
  return found == items_.end() ? nullptr : &found->second;
}

Status EvalJournal::Add(const std::string& item, const MeasuredItem& measured) {
  const Json tokens = measured.tokens.ids.empty() ? Json(nullptr) : TokensJson(measured.tokens);
  Json object = {{"item", item}, {"record", measured.record}, {"tokens", tokens}};
  if (!measured.features.empty()) object["features"] = FeaturesText(measured.features);
  const std::string line = JsonLine(object) + "\n";
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) < line.size() || std::fflush(file_.get()) != 0) {
    return CannotWrite(path_);
  }
  return {};
}

std::optional<std::string> JournalName(const Json& codec, const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return std::nullopt;
  Json name = codec;
  name["input"] = path;
  name["bytes"] = file.st_size;
  name["changed"] = {file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
  return JsonLine(name);
}

}  // namespace vqc
