// SPDX-License-Identifier: Apache-2.0
// Shards of tokens in every format: what is accepted is an item as it could have been written.
//   format (1) | each file but the last: size (2), bytes | the last file
#include "data/tokens/shard_format.h"
#include "entropy/token_coder.h"
#include "tests/fuzz/stream_input.h"

using namespace vqc;
using fuzz::Require;

namespace {

constexpr int kMostItems = 256;

void CheckItem(const TokenItem& item, const TokenLayout& layout) {
  Require(!item.key.empty() && item.key == CleanKey(item.key), "a key is safe as the name of a file");
  uint64_t count = 1;
  for (const uint64_t side : item.shape) count *= side;
  const auto tokens = TokensOf(item, layout);
  if (!tokens.ok()) return;
  Require(count == item.ids.size(), "tokens are as many as their shape says");
  for (const Tokens& one : *tokens) Require(CheckTokens(one).ok(), "tokens are in their vocabularies");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::MemoryFolder folder;
  fuzz::Input input(data, size);
  const uint8_t what = input.U8();
  const auto formats = ShardFormats();
  const ShardFormat& format = formats[what % formats.size()];
  const TokenLayout layout =
      what < 128 ? TokenLayout{Modality::kImage, {512}} : TokenLayout{Modality::kAudio, {300, 70000}};
  for (const std::string_view suffix : format.suffixes) {
    const bool last = suffix == format.suffixes.back();
    folder.Put("000000" + std::string(suffix), last ? input.Rest() : input.Bytes(input.U16()));
  }
  const auto reader = format.open(folder.Path() + "/000000", layout, fuzz::FuzzLimits());
  if (!reader.ok()) {
    Require(reader.error().message.find('\n') == std::string::npos, "errors are of one line");
    return 0;
  }
  for (int i = 0; i < kMostItems; ++i) {
    const auto item = (*reader)->Next();
    if (!item.ok() || !*item) return 0;
    CheckItem(**item, layout);
  }
  return 0;
}
