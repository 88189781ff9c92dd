// SPDX-License-Identifier: Apache-2.0
// tokenizer.json of the library "tokenizers": vocabulary, merges, and how strings are cut before and joined
// after.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/printable.h"
#include "tokenizers/action/bpe.h"
#include "tokenizers/action/byte_level.h"

namespace vqc {
namespace {

using Json = nlohmann::json;

Error Bad(const std::string& what) { return {ErrorCode::kInput, "tokenizer.json: " + what}; }

// Whether the pre-tokenizer is ByteLevel (else there is none), and whether it cuts words.
struct Before {
  bool byte_level = false, split = false;
};

Result<Before> ParseBefore(const Json& file) {
  const Json before = file.value("pre_tokenizer", Json());
  if (before.is_null()) return Before{};
  if (!before.is_object() || before.value("type", Json()) != "ByteLevel" ||
      before.value("add_prefix_space", Json(false)) != false)
    return Bad("the pre-tokenizer must be ByteLevel without a prefix space, or null");
  return Before{true, before.value("use_regex", Json(true)) != false};
}

Result<std::vector<std::u32string>> ParseVocab(const Json& model) {
  const Json& vocab = model["vocab"];
  if (!vocab.is_object() || vocab.empty() || vocab.size() > kMaxBpeVocab)
    return Bad("\"vocab\" must be an object of 1 to " + std::to_string(kMaxBpeVocab) + " entries");
  std::vector<std::u32string> tokens(vocab.size());
  std::vector<bool> seen(vocab.size());
  for (const auto& [text, id] : vocab.items()) {
    if (!id.is_number_unsigned() || id >= vocab.size() || seen[id.get<size_t>()])
      return Bad("the ids of \"vocab\" must be 0 to its size less 1, each once; " + Printable(text, 32) +
                 " has " + id.dump());
    seen[id.get<size_t>()] = true;
    if (!FromUtf8(text, tokens[id.get<size_t>()]) || text.empty())
      return Bad("an entry of \"vocab\" is empty or no UTF-8");
  }
  return tokens;
}

// ["a", "b"], or "a b" in files of before 2024.
bool ParseMerge(const Json& merge, std::u32string& first, std::u32string& second) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
    return FromUtf8(merge[0].get<std::string>(), first) && FromUtf8(merge[1].get<std::string>(), second);
  if (!merge.is_string()) return false;
  const auto text = merge.get<std::string>();
  const size_t space = text.find(' ');
  return space != std::string::npos && FromUtf8(text.substr(0, space), first) &&
         FromUtf8(text.substr(space + 1), second);
}

}  // namespace

Result<Bpe> Bpe::FromJson(std::string_view text) {
  auto parsed = ParseJsonObject(text);
  if (!parsed.ok()) return Bad(parsed.error().message);
  const Json& file = *parsed;
  const Json model = file.value("model", Json());
  if (!model.is_object() || model.value("type", Json("BPE")) != "BPE" || !model.contains("vocab") ||
      !model.contains("merges"))
    return Bad("\"model\" must be of type BPE with vocab and merges");
  for (const char* field : {"dropout", "unk_token"}) {
    if (!model.value(field, Json()).is_null())
      return Bad(std::string("\"") + field + "\" is not supported; it must be null");
  }
  if (!file.value("added_tokens", Json::array()).empty() || !file.value("normalizer", Json()).is_null())
    return Bad("added tokens and normalizers are not supported");
  VQC_ASSIGN(const Before before, ParseBefore(file));
  Bpe bpe;
  bpe.byte_level_ = before.byte_level;
  bpe.split_ = before.split;
  VQC_ASSIGN(bpe.tokens_, ParseVocab(model));
  for (uint32_t id = 0; id < bpe.tokens_.size(); ++id) bpe.ids_.emplace(bpe.tokens_[id], id);
  if (!model["merges"].is_array()) return Bad("\"merges\" must be a list");
  for (const Json& merge : model["merges"]) {
    std::u32string first, second;
    if (!ParseMerge(merge, first, second) || !bpe.ids_.contains(first) || !bpe.ids_.contains(second))
      return Bad("the merge " + Printable(merge.dump(-1, ' ', false, Json::error_handler_t::replace), 64) +
                 " is not one of two entries of \"vocab\"");
    if (Status added = bpe.AddMerge({bpe.ids_.at(first), bpe.ids_.at(second)}); !added.ok())
      return Bad(added.error().message);
  }
  return bpe;
}

std::string Bpe::ToJson() const {
  Json vocab = Json::object(), merges = Json::array();
  for (uint32_t id = 0; id < tokens_.size(); ++id) vocab[ToUtf8(tokens_[id])] = id;
  for (const auto& [first, second] : merges_)
    merges.push_back({ToUtf8(tokens_[first]), ToUtf8(tokens_[second])});
  const auto level = [&](bool prefix, bool trim) {
    return Json{
        {"type", "ByteLevel"}, {"add_prefix_space", prefix}, {"trim_offsets", trim}, {"use_regex", split_}};
  };
  const Json file = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", Json::array()},
                     {"normalizer", nullptr},
                     {"pre_tokenizer", byte_level_ ? level(false, true) : Json()},
                     {"post_processor", nullptr},
                     {"decoder", byte_level_ ? level(true, true) : Json{{"type", "Fuse"}}},
                     {"model",
                      {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", false},
                       {"vocab", std::move(vocab)},
                       {"merges", std::move(merges)}}}};
  return file.dump(1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace vqc
