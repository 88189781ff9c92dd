// SPDX-License-Identifier: Apache-2.0
// Writes the inputs that fuzzing begins with, made of the goldens and of what the library itself writes:
//   fuzz_seeds FOLDER     makes FOLDER/stream, live, payload, tables, ...
#include "base/bytes.h"
#include "codec/audio.h"
#include "codec/codec.h"
#include "data/actions/episodes.h"
#include "data/media/audio/audio.h"
#include "data/media/media.h"
#include "entropy/row_coder.h"
#include "entropy/token_coder.h"
#include "tests/entropy/token_maps.h"
#include "tests/fuzz/seed_folder.h"
#include "tests/support/fake_audio_model.h"
#include "tests/support/fake_bundle.h"
#include "tests/support/random_clip.h"

namespace vqc {
namespace {

using fuzz::Bytes;
using fuzz::ReadAll;
using fuzz::Seeds;
namespace fs = std::filesystem;
const fs::path kSource = VQC_SOURCE_DIR;
const fs::path kGolden = kSource / "tests/golden/v1";

Bytes BytesOf(std::string_view text) { return {text.begin(), text.end()}; }

// The stream in the parts of stream_input.h: cut at its checksums, which are left out.
Bytes InParts(const Bytes& bytes) {
  const auto fields = DescribeStream(bytes, {});
  const bool single = bytes[4] < 0x80 || (bytes[4] & 0x20) != 0;
  ByteWriter out;
  out.U8(single ? 1 : 2);
  size_t from = 0;
  for (const FieldText& field : *fields) {
    if (field.name == "end") break;
    if (!field.name.starts_with("checksum")) continue;
    out.U16(static_cast<uint16_t>(field.offset - from));
    out.Append(std::span(bytes).subspan(from, field.offset - from));
    from = field.offset + field.size;
  }
  return std::move(out).Take();
}

void AddStream(Seeds& seeds, const std::string& name, const Bytes& stream) {
  Bytes whole = {0};
  whole.insert(whole.end(), stream.begin(), stream.end());
  for (const Bytes& form : {whole, InParts(stream)}) {
    const std::string file = name + (form[0] == 0 ? "-whole" : "-parts");
    seeds.Add("stream", file, form);
    Bytes live = {31, 0};  // in pieces of 32 bytes
    live.insert(live.end(), form.begin(), form.end());
    seeds.Add("live", file, live);
  }
}

Bytes Sound(const AudioOptions& options, int channels, size_t frames) {
  const Bundle bundle = FakeAudioBundle();
  auto encoder = *AudioEncoder::Create(bundle, 24000, channels, options);
  std::vector<float> samples(frames * static_cast<size_t>(channels));
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<float>(i % 500) / 250 - 1;
  Bytes bytes = *encoder.Push(samples);
  const Bytes end = *encoder.Finish();
  bytes.insert(bytes.end(), end.begin(), end.end());
  return bytes;
}

void AddStreams(Seeds& seeds) {
  for (const char* folder : {"container", "models"}) {
    for (const auto& entry : fs::directory_iterator(kGolden / folder))
      AddStream(seeds, entry.path().stem().string(), ReadAll(entry.path()));
  }
  const Bundle bundle = FakeBundle();
  for (const char* prior : {"uniform", "adaptive", "table", "blockwise"}) {
    const auto encoded = EncodeImage(RandomImage(3, 40, 56), bundle, {}, {prior, 0});
    AddStream(seeds, std::string("picture-") + prior, encoded->bytes);
  }
  AddStream(seeds, "windows", EncodeImage(RandomImage(3, 60, 80), bundle, {}, {"adaptive", 24})->bytes);
  AddStream(seeds, "alpha", EncodeImage(RandomImage(4, 20, 30), bundle)->bytes);
  AddStream(seeds, "deep-gray-alpha", EncodeImage(RandomImage(2, 9, 11, 16), bundle)->bytes);
  AddStream(seeds, "sound", Sound({.chunk_seconds = 0.05, .live = true}, 2, 4000));
  AddStream(seeds, "sound-length", Sound({.chunk_seconds = 0.05, .frames = 4000}, 1, 4000));
  AddStream(seeds, "sound-single", Sound({.levels = 1}, 1, 3000));
}

void AddPayload(Seeds& seeds, const std::string& name, uint8_t what, const TokenShape& shape,
                std::span<const uint32_t> vocab, std::span<const uint8_t> payload) {
  ByteWriter out;
  out.U8(what);
  for (const uint32_t side : {shape.levels, shape.t, shape.h, shape.w}) out.U8(static_cast<uint8_t>(side));
  for (const uint32_t size : vocab) out.U32(size);
  out.Append(payload);
  seeds.Add("payload", name, out.bytes());
}

void AddPayloads(Seeds& seeds) {
  const TokenShape shapes[] = {{1, 1, 12, 10}, {1, 1, 5, 9}, {1, 3, 4, 4}, {1, 1, 1, 1}};
  const std::vector<uint32_t> vocab = {12};
  for (const PriorRow& prior : Priors()) {
    const std::string name(prior.name);
    for (size_t i = 0; i < std::size(shapes); ++i) {
      const std::string file = name + "-" + std::to_string(i);
      AddPayload(seeds, file, prior.coding, shapes[i], vocab, ReadAll(kGolden / "entropy" / (file + ".bin")));
    }
  }
  const Tokens levels = RandomMap({3, 20, 1, 1}, {1000, 17, 1u << 16}, 53);
  for (const char* name : {"uniform", "adaptive", "table", "blockwise"}) {
    const auto model = *MakePrior(name, {}, {});
    uint8_t coding = 0;
    for (const PriorRow& row : Priors()) coding = row.name == name ? row.coding : coding;
    AddPayload(seeds, std::string(name) + "-levels", coding, levels.shape, levels.vocab,
               *EncodeTokens(levels, *model));
    if (!model->Coder()) {
      const auto what = static_cast<uint8_t>(8 + coding);
      AddPayload(seeds, std::string(name) + "-windows", what, levels.shape, levels.vocab,
                 *EncodeWindows(levels, *model, 32, what));
    }
  }
  std::vector<uint16_t> rows;
  for (uint16_t i = 0; i < 16 * 8; ++i) rows.push_back(static_cast<uint16_t>(1 + i * 37 % 500));
  const std::vector<uint32_t> symbols = {0, 1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2, 1, 0};
  ByteWriter out;
  out.U8(16);
  out.U8(15);
  out.U8(7);
  for (const uint16_t weight : rows) out.U16(weight);
  out.Append(*EncodeRows(rows, 8, symbols));
  seeds.Add("payload", "rows", out.bytes());
}

void AddTables(Seeds& seeds) {
  uint8_t number = 0;
  for (const char* name : {"static", "mixing", "neural", "codeword"}) {
    Bytes tables = ReadAll(kGolden / "entropy" / (std::string(name) + ".tables"));
    tables.resize(tables.size() - 4);
    tables.insert(tables.begin(), number++);
    seeds.Add("tables", name, tables);
  }
}

void AddModels(Seeds& seeds) {
  const auto picture = MakeFakeModel("fake"), sound = MakeFakeAudioModel("fake-audio");
  seeds.Add("card", "fake", BytesOf(WriteCard(picture->card)));
  seeds.Add("card", "fake-audio", BytesOf(WriteCard(sound->card)));
  for (const auto& entry : fs::directory_iterator(kSource / "models/pretrained"))
    seeds.Add("card", entry.path().filename().string(), ReadAll(entry.path() / "card.json"));
  const Bytes values(48, 7);
  const auto several = WriteSafeTensors({{"a", {DType::kF32, {2, 3}, std::span(values).first(24)}},
                                         {"b.c", {DType::kF16, {4}, std::span(values).first(8)}},
                                         {"empty", {DType::kI64, {0, 9}, {}}}},
                                        {{"format", "pt"}});
  for (const auto& [name, file] : {std::pair{"several", *several}, std::pair{"steps", picture->weights}}) {
    Bytes whole = {0};
    whole.insert(whole.end(), file.begin(), file.end());
    seeds.Add("safetensors", std::string(name) + "-whole", whole);
    const size_t header = file[0] + 256u * file[1], data = file.size() - 8 - header;
    ByteWriter parts;
    parts.U8(1);
    parts.U16(static_cast<uint16_t>(data));
    parts.Append(std::span(file).subspan(8, header));
    seeds.Add("safetensors", std::string(name) + "-header", parts.bytes());
  }
}

void AddMedia(Seeds& seeds) {
  for (const char* extension : {".ppm", ".npy"}) {
    for (const int channels : {1, 3}) {
      const auto bytes = WriteImage(RandomImage(channels, 7, 5, channels == 1 ? 16 : 8), extension);
      if (bytes.ok()) seeds.Add("media", "picture-" + std::to_string(channels) + extension, *bytes);
    }
  }
  for (const char* files : {"tests/data/media/files", "tests/data/media/audio/files"}) {
    for (const auto& entry : fs::directory_iterator(kSource / files))
      seeds.Add("media", entry.path().filename().string(), ReadAll(entry.path()));
  }
  for (const SampleFormat sample :
       {SampleFormat::kU8, SampleFormat::kS16, SampleFormat::kS24, SampleFormat::kF32}) {
    AudioInfo info;
    info.rate = 24000;
    info.channels = 2;
    info.sample = sample;
    const auto path = seeds.Folder("media") / ("sound-" + std::to_string(static_cast<int>(sample)) + ".wav");
    auto writer = *CreateAudio(path.string(), ".wav", info);
    const std::vector<float> samples(64, 0.25f);
    if (!writer->Write(samples).ok() || !writer->Finish().ok()) fs::remove(path);
  }
}

// A ZIP archive of one stored file, as numpy.savez writes it.
Bytes Npz(std::string_view name, const Bytes& npy) {
  ByteWriter out;
  const auto header = [&](bool central) {
    out.U32(central ? 0x02014B50 : 0x04034B50);
    if (central) out.U16(20);
    for (const uint16_t field : {20, 0, 0, 0, 0}) out.U16(field);
    out.U32(0);
    out.U32(static_cast<uint32_t>(npy.size()));
    out.U32(static_cast<uint32_t>(npy.size()));
    out.U16(static_cast<uint16_t>(name.size()));
    out.U16(0);
    if (central) {
      for (int i = 0; i < 3; ++i) out.U16(0);
      out.U32(0);
      out.U32(0);
    }
    out.Append(name);
  };
  header(false);
  out.Append(npy);
  const size_t directory = out.size();
  header(true);
  const size_t size = out.size() - directory;
  out.U32(0x06054B50);
  for (const uint16_t field : {0, 0, 1, 1}) out.U16(field);
  out.U32(static_cast<uint32_t>(size));
  out.U32(static_cast<uint32_t>(directory));
  out.U16(0);
  return std::move(out).Take();
}

void AddActions(Seeds& seeds) {
  const Episode episode{"run", 3, 2, {0, 1, 2, 3, 4, 5}, {}};
  const Bytes npy = WriteActions(ClipOf(episode, 0));
  seeds.Add("actions", "run.npy", npy);
  seeds.Add("actions", "run.npz", Npz("run.npy", npy));
  const auto* values = reinterpret_cast<const uint8_t*>(episode.values.data());
  seeds.Add("actions", "run.safetensors",
            *WriteSafeTensors({{"run", {DType::kF32, {3, 2}, {values, 24}}}}, {}));
  for (const char* name : {"lerobot-one.parquet", "lerobot-two.parquet", "lerobot-plain.parquet"})
    seeds.Add("actions", name, ReadAll(kSource / "tests/golden/actions" / name));
  for (const char* name : {"datasets.parquet", "deltas.parquet", "flat.parquet", "lists.parquet",
                           "lists-pages.parquet", "nulls.parquet", "pages.parquet"})
    seeds.Add("parquet", name, ReadAll(kSource / "tests/golden/tables" / name));
}

void AddEcdc(Seeds& seeds) {
  for (const std::string name : {"ecdc", "ecdc_48khz"}) {
    const Bytes file = ReadAll(kSource / "tests/golden" / name / "sound.ecdc");
    constexpr size_t kJsonSize = 8;  // its last byte
    Bytes whole = {0}, parts = {1, file[kJsonSize]};
    whole.insert(whole.end(), file.begin(), file.end());
    parts.insert(parts.end(), file.begin() + kJsonSize + 1, file.end());
    seeds.Add("ecdc", name + "-whole", whole);
    seeds.Add("ecdc", name + "-parts", parts);
  }
}

void AddNoise(Seeds& seeds) {
  uint32_t state = 1;
  for (const char* target : {"round_trip", "sessions"}) {
    for (uint8_t i = 0; i < 16; ++i) {
      Bytes bytes(64 + 16 * i);
      for (uint8_t& byte : bytes) {
        state = state * 1664525u + 1013904223u;
        byte = static_cast<uint8_t>(state >> 24);
      }
      bytes[0] = i;
      seeds.Add(target, "noise-" + std::to_string(i), bytes);
    }
  }
}

}  // namespace
}  // namespace vqc

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  vqc::fuzz::Seeds seeds(argv[1]);
  vqc::AddStreams(seeds);
  vqc::AddPayloads(seeds);
  vqc::AddTables(seeds);
  vqc::AddModels(seeds);
  vqc::AddMedia(seeds);
  vqc::AddActions(seeds);
  vqc::AddEcdc(seeds);
  vqc::AddNoise(seeds);
  vqc::fuzz::AddSets(seeds);
  return 0;
}
