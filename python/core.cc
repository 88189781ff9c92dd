// SPDX-License-Identifier: Apache-2.0
// The module vqcodec._core: what the package's Python files are made of. People use those.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "codec/bundle.h"
#include "python/arrays.h"
#include "python/errors.h"
#include "python/model.h"
#include "python/shards.h"

namespace nb = nanobind;
using namespace nb::literals;
using vqc::python::Model;

namespace {

std::span<const uint8_t> Span(const nb::bytes& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.c_str()), bytes.size()};
}

const vqc::TokenizerInfo& InfoOf(const Model& model) { return model.bundle().tokenizer->Info(); }

}  // namespace

NB_MODULE(_core, module) {
  vqc::python::TranslateFailures();
  nb::class_<Model>(module, "Model")
      .def(nb::init<const std::string&, const std::string&, int, const std::string&>(), "name"_a, "device"_a,
           "threads"_a, "decoder"_a, nb::call_guard<nb::gil_scoped_release>())
      .def_static(
          "of_stream",
          [](const nb::bytes& stream, const std::string& device, int threads) {
            return Model(Span(stream), device, threads);
          },
          "stream"_a, "device"_a, "threads"_a)
      .def_prop_ro("name", [](const Model& model) { return model.bundle().card.name; })
      .def_prop_ro("modality",
                   [](const Model& model) { return std::string(NameOf(model.bundle().card.modality)); })
      .def_prop_ro("vocab", [](const Model& model) { return InfoOf(model).vocab; })
      .def_prop_ro("stride", [](const Model& model) { return InfoOf(model).stride; })
      .def_prop_ro("rate", [](const Model& model) { return InfoOf(model).rate; })
      .def_prop_ro("profile", [](const Model& model) { return InfoOf(model).profile; })
      .def("encode_array", &Model::EncodeArray, "array"_a, "rate"_a, "source"_a)
      .def("encode_file", &Model::EncodeFile, "path"_a)
      .def(
          "encode_bytes",
          [](const Model& model, const nb::bytes& file) { return model.EncodeBytes(Span(file)); }, "file"_a)
      .def("decode", &Model::Decode, "ids"_a, "facts"_a, "floats"_a)
      .def("compress_array", &Model::CompressArray, "array"_a, "rate"_a, "source"_a, "max_bytes"_a)
      .def("compress_file", &Model::CompressFile, "path"_a, "max_bytes"_a)
      .def(
          "compress_bytes",
          [](const Model& model, const nb::bytes& file, uint64_t max_bytes) {
            return model.CompressBytes(Span(file), max_bytes);
          },
          "file"_a, "max_bytes"_a)
      .def(
          "decompress",
          [](const Model& model, const nb::bytes& stream, bool floats) {
            return model.Decompress(Span(stream), floats);
          },
          "stream"_a, "floats"_a);

  nb::class_<vqc::python::ItemReader>(module, "ItemReader").def("next", &vqc::python::ItemReader::Next);
  nb::class_<vqc::python::Shards>(module, "Shards")
      .def(nb::init<const std::vector<std::string>&>(), "paths"_a)
      .def("__len__", &vqc::python::Shards::Count)
      .def("name", &vqc::python::Shards::Name, "shard"_a)
      .def("items", &vqc::python::Shards::Items, "shard"_a)
      .def_prop_ro("model", &vqc::python::Shards::Model)
      .def_prop_ro("vocab", &vqc::python::Shards::Vocab)
      .def("open", &vqc::python::Shards::Open, "shard"_a)
      .def("verify", &vqc::python::Shards::Verify, "shard"_a);
  module.def(
      "stream_key",
      [](const nb::bytes& stream) {
        const auto key = Model::KeyOf(Span(stream));
        return nb::bytes(reinterpret_cast<const char*>(key.data()), key.size());
      },
      "stream"_a);
  module.def("models", [] {
    std::vector<std::string> names;
    for (const auto& entry : vqc::ListModels()) names.push_back(entry.card.name);
    return names;
  });
}
