// SPDX-License-Identifier: Apache-2.0
// Cards of models: what is accepted is written and read back as it is, and what is taken from it makes sense.
#include "models/card.h"

#include "entropy/digits.h"
#include "tests/fuzz/fuzz_input.h"
#include "tokenizers/outline.h"

using namespace vqc;
using fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto card = ParseCard(text, "card.json");
  if (!card.ok()) {
    Require(card.error().message.find('\n') == std::string::npos, "errors are of one line");
    return 0;
  }
  const std::string written = WriteCard(*card);
  const auto back = ParseCard(written, "again");
  Require(back.ok() && WriteCard(*back) == written && back->Key() == card->Key(), "a card is read back");
  if (const auto outline = OutlineOf(*card)) {
    Require(outline->stride > 0, "a grid has a stride");
    const auto plan = MakeDigitPlan(card->factors, outline->vocab);
    (void)plan;
  }
  const auto vocab = VocabOf(*card);
  (void)vocab;
  return 0;
}
