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
  Require(sound->ids.size() == (sound->samples + EcdcSound::kStride - 1) / EcdcSound::kStride * sound->levels,
          "there are as many ids as samples and levels need");
  for (const uint32_t id : sound->ids) Require(id < EcdcSound::kEntries, "ids are of the codebooks");
  const auto again = ReadEcdc(WriteEcdc(*sound));
  Require(again.ok() && again->samples == sound->samples && again->levels == sound->levels &&
              again->ids == sound->ids,
          "what is written is read back");
  return 0;
}
