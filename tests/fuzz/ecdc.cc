// SPDX-License-Identifier: Apache-2.0
// Files of EnCodec's own program: what is read is as large as the file says, and is written back the same.
//   0 | a file as it is        1, size of the JSON | the JSON and the ids
#include "codec/ecdc.h"

#include "tests/fuzz/fuzz_input.h"

using namespace vqc;
using fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  std::vector<uint8_t> bytes;
  if (input.U8() % 2 == 1) bytes = {'E', 'C', 'D', 'C', 0, 0, 0, 0, input.U8()};
  const auto rest = input.Rest();
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  const auto sound = ReadEcdc(bytes);
  if (!sound.ok()) return 0;
  size_t times = 0;
  for (const uint32_t of_segment : sound->kind->TimesOf(sound->samples)) times += of_segment;
  Require(sound->ids.size() == times * sound->levels, "there are as many ids as samples and levels need");
  for (const Segment& segment : sound->segments)
    Require(CheckScale(segment.scale).ok(), "scales are above 0 and finite");
  for (const uint32_t id : sound->ids) Require(id < EcdcKind::kEntries, "ids are of the codebooks");
  const auto again = ReadEcdc(WriteEcdc(*sound));
  Require(again.ok() && again->samples == sound->samples && again->levels == sound->levels &&
              again->ids == sound->ids && again->segments == sound->segments,
          "what is written is read back");
  return 0;
}
