// SPDX-License-Identifier: Apache-2.0
// Public checkpoints of all families: config and the header of the weights, with values that are all alike.
//   size (2), config.json, none if empty | bytes of data (4, up to 1 MiB) | header of model.safetensors
#include "base/bytes.h"
#include "tests/fuzz/fuzz_input.h"
#include "tokenizers/import_model.h"

using namespace vqc;
using fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::MemoryFolder folder;
  fuzz::Input input(data, size);
  const auto config = input.Bytes(input.U16());
  std::filesystem::remove(folder.Path() + "/config.json");
  if (!config.empty()) folder.Put("config.json", config);
  const size_t values = std::min(input.U32(), 1u << 20);
  ByteWriter file;
  file.U64(input.Left());
  file.Append(input.Rest());
  auto bytes = std::move(file).Take();
  bytes.resize(bytes.size() + values, 0x3C);  // 0.0115 as F32, 1.06 as F16
  folder.Put("model.safetensors", bytes);
  const auto imported = ImportModel(folder.Path(), "fuzz");
  if (!imported.ok()) {
    Require(imported.error().message.find('\n') == std::string::npos, "errors are of one line");
    return 0;
  }
  Require(!imported->info.vocab.empty(), "a model that was imported has codes");
  const std::string card = WriteCard(imported->card);
  Require(ParseCard(card, "again").ok(), "its card is one that can be read");
  return 0;
}
