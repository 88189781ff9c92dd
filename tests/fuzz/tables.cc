// SPDX-License-Identifier: Apache-2.0
// Tables of trained priors, as they stand in models: what is accepted also codes.
//   prior (1) | tables without their checksum, which is added
#include "base/bytes.h"
#include "base/crc32c.h"
#include "entropy/priors.h"
#include "entropy/token_coder.h"
#include "tests/entropy/token_maps.h"
#include "tests/fuzz/fuzz_input.h"

using namespace vqc;
using fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  static constexpr std::string_view kTrained[] = {"static", "mixing", "neural", "codeword"};
  const std::string_view name = kTrained[input.U8() % std::size(kTrained)];
  ByteWriter tables;
  tables.Append(input.Rest());
  tables.U32(Crc32c(tables.bytes()));
  static const std::vector<uint32_t> factors = {4, 3};
  const auto model = MakePrior(name, {factors}, tables.bytes());
  if (!model.ok()) return 0;
  const Tokens tokens = SmoothMap({1, 1, 5, 4}, factors, 1);
  const auto coded = EncodeTokens(tokens, **model);
  Require(coded.ok(), "accepted tables code tokens");
  const auto back = DecodeTokens(tokens.shape, tokens.vocab, **model, *coded, {});
  Require(back.ok() && *back == tokens, "accepted tables decode what they coded");
  return 0;
}
