// SPDX-License-Identifier: Apache-2.0
#include "entropy/windows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/within_memory.h"
#include "entropy/range_coder.h"
#include "entropy/token_coder.h"

namespace vqc {
namespace {

constexpr size_t kCheckBytes = 4;

Error Damaged(const std::string& what) { return Error{ErrorCode::kCorruptData, what + "; damaged"}; }

uint32_t SeedOf(const TokenShape& shape, std::span<const uint32_t> vocab, uint32_t window_bytes,
                uint32_t salt) {
  ByteWriter facts;
  for (const uint32_t fact : {salt, window_bytes, shape.levels, shape.t, shape.h, shape.w}) facts.U32(fact);
  for (const uint32_t size : vocab) facts.U32(size);
  return Crc32c(facts.bytes());
}

// The next part of a prior that takes the tokens one after the other.
Result<const TokenPart*> NextPart(Prior& prior, Group& group, uint32_t token) {
  VQC_ASSIGN(group, prior.NextGroup());
  if (group.parts.empty()) return nullptr;
  if (group.parts.size() > 1 || group.parts[0].token < token) {
    return Error{ErrorCode::kUsage, "tokens cannot be coded in windows with this prior; choose another one"};
  }
  return group.parts.data();
}

struct Run {
  uint32_t tokens = 0;
  std::vector<uint8_t> bytes;
};

// As many tokens from `first` on as fit into what the window leaves for them.
Result<Run> FillWindow(const Tokens& tokens, Prior& prior, uint32_t first, uint32_t window_bytes) {
  VQC_TRY(prior.Begin(tokens.shape, tokens.vocab));
  VQC_TRY(prior.SkipTo(first));
  Run run;
  RangeEncoder coder;
  const auto keep_if_fits = [&](uint32_t count) {
    auto bytes = RangeEncoder(coder).Finish();
    if (kCheckBytes + VarintSize(first) + VarintSize(count) + bytes.size() > window_bytes) return false;
    run = {count, std::move(bytes)};
    return true;
  };
  Group group;
  for (uint32_t token = first;;) {
    VQC_ASSIGN(const TokenPart* part, NextPart(prior, group, token));
    const uint32_t next = part ? part->token : static_cast<uint32_t>(tokens.ids.size());
    // The tokens up to the next one that has a part are complete; those without parts cost nothing.
    if (next > token && !keep_if_fits(next - first)) return run;
    if (!part) return run;
    token = next;
    const uint32_t value = tokens.ids[token] / part->divisor % part->radix;
    coder.Encode(group.tables[0].Of(value));
    prior.Observe({&value, 1});
  }
}

struct Window {
  uint32_t first = 0, tokens = 0;
  std::span<const uint8_t> coded;
};

Result<Window> OpenWindow(std::span<const uint8_t> bytes, uint32_t seed, size_t all_tokens) {
  if (bytes.size() <= kCheckBytes) return Damaged("a window is cut off");
  ByteReader in(bytes);
  const uint32_t check = in.U32();
  if (check != Crc32c(bytes.subspan(kCheckBytes), seed))
    return Damaged("the checksum of a window does not match");
  const uint64_t first = in.Varint(), count = in.Varint();
  if (!in.ok() || count == 0 || first >= all_tokens || count > all_tokens - first) {
    return Damaged("a window does not lie within its tokens");
  }
  auto coded = in.Bytes(in.remaining());
  while (!coded.empty() && coded.back() == 0) coded = coded.first(coded.size() - 1);
  return Window{static_cast<uint32_t>(first), static_cast<uint32_t>(count), coded};
}

// Into their places in `tokens`, if the window is sound.
Status DecodeWindow(const Window& window, Prior& prior, Tokens& tokens) {
  VQC_TRY(prior.Begin(tokens.shape, tokens.vocab));
  VQC_TRY(prior.SkipTo(window.first));
  std::vector<uint32_t> ids(window.tokens, 0);
  RangeDecoder coder(window.coded);
  Group group;
  for (;;) {
    VQC_ASSIGN(const TokenPart* part, NextPart(prior, group, window.first));
    if (!part || part->token >= window.first + window.tokens) break;
    const uint32_t value = group.tables[0].SymbolAt(coder.Quantile());
    coder.Consume(group.tables[0].Of(value));
    ids[part->token - window.first] += value * part->divisor;
    prior.Observe({&value, 1});
  }
  VQC_TRY(coder.Finish());
  std::copy(ids.begin(), ids.end(), tokens.ids.begin() + static_cast<ptrdiff_t>(window.first));
  return {};
}

Result<std::unique_ptr<Prior>> SequentialPriorOf(const PriorModel& model) {
  if (model.Coder()) {
    return Error{ErrorCode::kUsage,
                 "a prior that codes whole chunks cannot code windows; choose another one"};
  }
  return model.NewPrior();
}

Result<uint32_t> ReadWindowSize(ByteReader& in) {
  const uint64_t size = in.Varint();
  if (!in.ok() || size < kMinWindowBytes || size > kMaxWindowBytes) {
    return Damaged("the windows have " + std::to_string(size) + " bytes, 16 to 65536 are allowed");
  }
  return static_cast<uint32_t>(size);
}

}  // namespace

Result<std::vector<uint8_t>> EncodeWindows(const Tokens& tokens, const PriorModel& model,
                                           uint32_t window_bytes, uint32_t salt) {
  return WithinMemory([&]() -> Result<std::vector<uint8_t>> {
    VQC_TRY(CheckTokens(tokens));
    if (window_bytes < kMinWindowBytes || window_bytes > kMaxWindowBytes) {
      return Error{ErrorCode::kUsage,
                   "windows of " + std::to_string(window_bytes) +
                       " bytes were asked for, they have 16 to 65536 (128 to 524288 bits)"};
    }
    VQC_ASSIGN(const auto prior, SequentialPriorOf(model));
    const uint32_t seed = SeedOf(tokens.shape, tokens.vocab, window_bytes, salt);
    ByteWriter out;
    out.Varint(window_bytes);
    for (uint32_t first = 0; first < tokens.ids.size();) {
      VQC_ASSIGN(const Run run, FillWindow(tokens, *prior, first, window_bytes));
      if (run.tokens == 0) {
        return Error{ErrorCode::kUsage, "token " + std::to_string(first) + " does not fit into a window of " +
                                            std::to_string(window_bytes) + " bytes; choose larger windows"};
      }
      ByteWriter window;
      window.Varint(first);
      window.Varint(run.tokens);
      window.Append(run.bytes);
      first += run.tokens;
      const size_t size = first < tokens.ids.size() ? window_bytes - kCheckBytes : window.size();
      while (window.size() < size) window.U8(0);
      out.U32(Crc32c(window.bytes(), seed));
      out.Append(window.bytes());
    }
    return std::move(out).Take();
  });
}

Result<Tokens> DecodeWindows(const TokenShape& shape, std::span<const uint32_t> vocab,
                             const PriorModel& model, std::span<const uint8_t> bytes, uint32_t salt,
                             const Limits& limits) {
  return WithinMemory([&]() -> Result<Tokens> {
    VQC_ASSIGN(const size_t count, CheckedTokenCount(shape, vocab, bytes.size(), limits));
    VQC_ASSIGN(const auto prior, SequentialPriorOf(model));
    ByteReader in(bytes);
    VQC_ASSIGN(const uint32_t window_bytes, ReadWindowSize(in));
    const uint32_t seed = SeedOf(shape, vocab, window_bytes, salt);
    Tokens tokens{shape, {vocab.begin(), vocab.end()}, std::vector<uint32_t>(count, 0)};
    for (size_t next = 0; next < count;) {
      const auto window = in.Bytes(std::min<uint64_t>(window_bytes, in.remaining()));
      if (window.empty()) return Damaged("the windows end after " + std::to_string(next) + " tokens");
      VQC_ASSIGN(const Window open, OpenWindow(window, seed, count));
      if (open.first != next) return Damaged("a window is out of its order");
      VQC_TRY(DecodeWindow(open, *prior, tokens));
      next += open.tokens;
      if (next == count && window.back() == 0) return Damaged("the last window is longer than it has to be");
    }
    if (in.remaining() > 0) return Damaged(std::to_string(in.remaining()) + " bytes follow the last window");
    return tokens;
  });
}

Result<SalvagedTokens> SalvageWindows(const TokenShape& shape, std::span<const uint32_t> vocab,
                                      const PriorModel& model, std::span<const uint8_t> bytes, uint32_t salt,
                                      const Limits& limits) {
  return WithinMemory([&]() -> Result<SalvagedTokens> {
    VQC_ASSIGN(const size_t count, CheckedTokenCount(shape, vocab, bytes.size(), limits));
    VQC_ASSIGN(const auto prior, SequentialPriorOf(model));
    ByteReader in(bytes);
    VQC_ASSIGN(const uint32_t window_bytes, ReadWindowSize(in));
    const uint32_t seed = SeedOf(shape, vocab, window_bytes, salt);
    SalvagedTokens salvaged{{shape, {vocab.begin(), vocab.end()}, std::vector<uint32_t>(count, 0)},
                            std::vector<uint8_t>(count, 0)};
    // Windows do not overlap: forged ones that do cannot make this take longer than decoding twice.
    uint64_t budget = 2 * uint64_t{count};
    for (; in.remaining() > 0; ++salvaged.windows) {
      const auto window = in.Bytes(std::min<uint64_t>(window_bytes, in.remaining()));
      const auto open = OpenWindow(window, seed, count);
      const bool sound = open.ok() && open->tokens <= budget;
      budget -= sound ? open->tokens : 0;
      if (!sound || !DecodeWindow(*open, *prior, salvaged.tokens).ok()) {
        ++salvaged.damaged;
        continue;
      }
      std::fill_n(salvaged.known.begin() + open->first, open->tokens, uint8_t{1});
    }
    return salvaged;
  });
}

}  // namespace vqc
