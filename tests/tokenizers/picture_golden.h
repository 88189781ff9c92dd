// SPDX-License-Identifier: Apache-2.0
// A golden of a public checkpoint of pictures, imported.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/card.h"
#include "tests/base/temp_folder.h"
#include "tests/tokenizers/checkpoint.h"
#include "tokenizers/import_model.h"
#include "tokenizers/tokenizer.h"

namespace vqc::testing {

struct PictureGolden {
  ModelCard card;
  SafeTensors tensors;
  uint32_t profile = 0;  // of our own layers
  Clip clip;
  std::vector<uint32_t> ids;   // of the clip
  std::vector<float> decoded;  // of the ids

  // The checkpoint of one folder, and the picture of another one: what is named with `suffix` there.
  static PictureGolden Of(const std::string& checkpoint, const std::string& example,
                          const std::string& suffix = "") {
    PictureGolden golden;
    const auto imported = ImportModel(checkpoint, "golden");
    const auto file = SafeTensors::Open(example + "/example.safetensors");
    if (!imported.ok() || !file.ok()) {
      ADD_FAILURE() << (imported.ok() ? file.error() : imported.error()).message;
      return golden;
    }
    golden.card = imported->card;
    golden.tensors = *SafeTensors::Parse(*WriteSafeTensors(ViewsOf(imported->tensors), {}), "golden");
    golden.profile = imported->info.profile;
    const TensorView pixels = *file->Get("pixels"), ids = *file->Get("ids" + suffix);
    golden.clip.channels = 3;
    golden.clip.height = static_cast<int>(pixels.shape[1]);
    golden.clip.width = static_cast<int>(pixels.shape[2]);
    golden.clip.data = *ToFloats(pixels, "pixels");
    golden.ids.resize(ids.bytes.size() / sizeof(uint32_t));
    std::memcpy(golden.ids.data(), ids.bytes.data(), ids.bytes.size());
    golden.decoded = *ToFloats(*file->Get("decoded" + suffix), "decoded");
    return golden;
  }
  static PictureGolden Of(const std::string& family) {
    if (family == "llamagen") return OfLlamaGen();
    return Of(CheckpointFolder(family), CheckpointFolder(family));
  }

  Tokenizer::Target Target() const {
    return {.channels = clip.channels, .height = clip.height, .width = clip.width};
  }

 private:
  static PictureGolden OfLlamaGen();
  static std::string LlamaGensName(const std::string& name, size_t sizes);
};

// LlamaGen's name for a tensor of a network of `sizes` sizes; the decoder counts them from the smallest.
inline std::string PictureGolden::LlamaGensName(const std::string& name, size_t sizes) {
  constexpr std::pair<std::string_view, std::string_view> kMiddle[] = {
      {".mid.block_1.", ".mid.0."}, {".mid.attn_1.", ".mid.1."}, {".mid.block_2.", ".mid.2."}};
  for (const auto& [from, to] : kMiddle) {
    if (const size_t at = name.find(from); at != std::string::npos)
      return name.substr(0, at) + std::string(to) + name.substr(at + from.size());
  }
  for (size_t i = 0; i < sizes; ++i) {
    const std::string down = "encoder.down." + std::to_string(i) + ".",
                      up = "decoder.up." + std::to_string(i) + ".";
    if (!name.starts_with(down) && !name.starts_with(up)) continue;
    const bool encoder = name.starts_with(down);
    std::string rest = name.substr(encoder ? down.size() : up.size());
    if (rest.starts_with("block.")) rest = "res." + rest.substr(6);
    return (encoder ? "encoder" : "decoder") + std::string(".conv_blocks.") +
           std::to_string(encoder ? i : sizes - 1 - i) + "." + rest;
  }
  return name;
}

// The network of VQGAN with other names; its codewords have length 1.
inline PictureGolden PictureGolden::OfLlamaGen() {
  const std::string golden = CheckpointFolder("vqgan");
  const auto file = SafeTensors::Open(golden + "/model.safetensors");
  if (!file.ok()) {
    ADD_FAILURE() << file.error().message;
    return {};
  }
  size_t sizes = 0;
  while (file->Tensors().contains("encoder.down." + std::to_string(sizes) + ".block.0.conv1.weight")) ++sizes;
  std::map<std::string, TensorView> renamed;
  for (const auto& [name, view] : file->Tensors()) renamed[LlamaGensName(name, sizes)] = view;
  const std::vector<uint8_t> used(64 * 4);
  renamed["quantize.codebook_used"] = {DType::kF32, {64}, used};
  const TempFolder folder;
  const auto bytes = *WriteSafeTensors(renamed, {});
  Put(folder.Path("vq.safetensors"), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return Of(folder.path(), golden, "_unit");
}

}  // namespace vqc::testing
