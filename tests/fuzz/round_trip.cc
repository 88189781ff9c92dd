// SPDX-License-Identifier: Apache-2.0
// Encode, then decode: tokens of any kind under any prior that needs no tables, and pictures with any
// samples.
//   even | prior (1) | levels, t, h, w (1 each) | vocabulary (4 each) | window bytes (1) | ids
//   odd  | prior (1) | channels, height, width, depth (1 each) | windows (1) | samples as float32
#include <bit>

#include "codec/codec.h"
#include "entropy/priors.h"
#include "entropy/token_coder.h"
#include "entropy/windows.h"
#include "tests/fuzz/stream_input.h"
#include "tests/support/fake_bundle.h"

using namespace vqc;
using fuzz::Require;

namespace {

constexpr std::string_view kUntrained[] = {"uniform", "adaptive", "table", "blockwise"};

void CodeTokens(fuzz::Input& input) {
  const std::string_view name = kUntrained[input.U8() % std::size(kUntrained)];
  Tokens tokens;
  tokens.shape.levels = 1 + input.U8() % 8;
  tokens.shape.t = 1 + input.U8() % 4;
  tokens.shape.h = 1 + input.U8() % 32;
  tokens.shape.w = 1 + input.U8() % 64;
  for (uint32_t level = 0; level < tokens.shape.levels; ++level)
    tokens.vocab.push_back(1 + input.U32() % (1u << 16));
  const uint32_t window = input.U8();
  for (size_t i = 0; i < tokens.shape.Count(); ++i) {
    const uint32_t vocab = tokens.vocab[i % tokens.shape.levels];
    tokens.ids.push_back((vocab <= 256 ? input.U8() : input.U32()) % vocab);
  }
  const auto model = *MakePrior(name, {}, {});
  const auto coded = EncodeTokens(tokens, *model);
  Require(coded.ok(), "every map of tokens can be coded");
  const auto back = DecodeTokens(tokens.shape, tokens.vocab, *model, *coded, {});
  Require(back.ok() && *back == tokens, "tokens come back");
  if (model->Coder() || window < 16) return;
  const auto windows = EncodeWindows(tokens, *model, window, 0);
  if (!windows.ok()) return;  // a token that needs more than a window
  const auto again = DecodeWindows(tokens.shape, tokens.vocab, *model, *windows, 0, {});
  Require(again.ok() && *again == tokens, "tokens in windows come back");
}

void CodePicture(fuzz::Input& input) {
  static const Bundle bundle = FakeBundle();
  PayloadOptions options;
  options.prior = kUntrained[input.U8() % std::size(kUntrained)];
  Clip clip;
  clip.channels = 1 + input.U8() % 4;
  clip.height = 1 + input.U8() % 80;
  clip.width = 1 + input.U8() % 80;
  clip.bit_depth = input.U8() % 2 ? 16 : 8;
  if (input.U8() % 2 && options.prior != "table" && options.prior != "blockwise") options.window_bytes = 24;
  clip.data.resize(clip.PlaneSize() * static_cast<size_t>(clip.channels));
  const size_t given = std::min(clip.data.size(), input.Left() / 4);
  for (size_t i = 0; i < given; ++i) clip.data[i] = std::bit_cast<float>(input.U32());
  const auto encoded = EncodeImage(clip, bundle, {}, options);
  if (!encoded.ok()) return;  // samples that are no numbers
  const auto stream = ReadStream(encoded->bytes, {});
  Require(stream.ok(), "what is encoded is a sound stream");
  const auto decoded = DecodeImage(*stream, bundle, {});
  Require(decoded.ok() && decoded->tokens == encoded->tokens, "a picture's tokens come back");
  Require(decoded->clip.channels == clip.channels && decoded->clip.data.size() == clip.data.size(),
          "a picture keeps its size");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  input.U8() % 2 ? CodePicture(input) : CodeTokens(input);
  return 0;
}
