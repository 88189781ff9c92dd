// SPDX-License-Identifier: Apache-2.0
// What vqcodec/model.py calls. Everything that takes time runs without Python's lock, so threads of a program
// work side by side.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "codec/bundle.h"
#include "data/tokens/item.h"
#include "python/arrays.h"

namespace vqc::python {

class Model {
 public:
  // As for `vqcodec encode`: a name or a folder, "cpu" or "cuda", threads of a call, a decoder or "". Throws
  // Failure.
  Model(const std::string& name, const std::string& device, int threads, const std::string& decoder);
  // The model that a stream names.
  Model(std::span<const uint8_t> stream, const std::string& device, int threads);

  // Of the model that a stream names. Throws Failure.
  static ModelKey KeyOf(std::span<const uint8_t> stream);

  const Bundle& bundle() const { return bundle_; }

  // Ids int32 and the facts that decoding needs, as JSON. `rate` is of sound, `source` of actions.
  std::pair<nanobind::object, std::string> EncodeArray(const Array& array, int rate, int source) const;
  std::pair<nanobind::object, std::string> EncodeFile(const std::string& path) const;
  // The bytes of a picture or sound file.
  std::pair<nanobind::object, std::string> EncodeBytes(std::span<const uint8_t> file) const;
  // Ids int32 in the shape that encoding gave them.
  nanobind::object Decode(
      const nanobind::ndarray<const int32_t, nanobind::c_contig, nanobind::device::cpu>& ids,
      const std::string& facts, bool floats) const;

  // A .vqc stream, and the media in one. max_bytes 0: no bound; of pictures alone.
  nanobind::bytes CompressArray(const Array& array, int rate, int source, uint64_t max_bytes) const;
  nanobind::bytes CompressFile(const std::string& path, uint64_t max_bytes) const;
  nanobind::bytes CompressBytes(std::span<const uint8_t> file, uint64_t max_bytes) const;
  nanobind::object Decompress(std::span<const uint8_t> stream, bool floats) const;

 private:
  struct Media;
  Media MediaOf(const Array& array, int rate, int source) const;
  Media MediaOf(const std::string& path) const;
  Media MediaOf(std::span<const uint8_t> file) const;
  std::pair<nanobind::object, std::string> Encode(Media media) const;
  nanobind::bytes Compress(Media media, uint64_t max_bytes) const;

  Bundle bundle_;
};

}  // namespace vqc::python
