// SPDX-License-Identifier: Apache-2.0
// Memory that cannot be had: each reader and writer that needs no network is run with its n-th allocation
// failing, for every n until none is left, once alone and once with all after it. What comes back is
// kResource or the right result, and nothing is left allocated. What was read from JSON is emptied before it
// is destroyed (base/json.h); a card or a plan that is destroyed otherwise takes memory for that.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "base/folder.h"
#include "base/json.h"
#include "base/safetensors.h"
#include "base/within_memory.h"
#include "codec/audio.h"
#include "codec/codec.h"
#include "data/media/audio/audio.h"
#include "data/media/media.h"
#include "data/tokens/journal.h"
#include "entropy/token_coder.h"
#include "entropy/windows.h"
#include "models/card.h"
#include "models/decoder.h"
#include "tests/base/temp_folder.h"
#include "tests/entropy/token_maps.h"
#include "tests/support/failing_allocations.h"
#include "tests/support/fake_audio_model.h"
#include "tests/support/fake_bundle.h"
#include "tests/support/random_clip.h"

namespace vqc {
namespace {

using testing::Allocations;
using Bytes = std::vector<uint8_t>;

// `work` returns whether its result was right, or its error.
void Sweep(const std::string& name, const std::function<Result<bool>()>& work) {
  const auto first = work();  // what is made once and kept
  ASSERT_TRUE(first.ok() && *first) << name;
  Allocations::Arm(1L << 40, false);
  (void)work();
  const long calls = (1L << 40) - Allocations::until;
  Allocations::Disarm();
  ASSERT_GT(calls, 0) << name;
  long points = 0;
  for (const bool all : {false, true}) {
    for (long n = 1; n <= calls; ++n, ++points) {
      const long before = Allocations::live;
      bool sound = false, failed = false;
      try {
        Allocations::Arm(n, all);
        const auto result = work();
        Allocations::Disarm();
        failed = Allocations::failed;
        sound = result.ok() ? *result : result.error().code == ErrorCode::kResource;
        if (!sound && !result.ok()) ADD_FAILURE() << name << ": " << result.error().message;
      } catch (...) {
        Allocations::Disarm();
        failed = true;
      }
      ASSERT_TRUE(sound) << name << ", allocation " << n << (all ? " and all after it" : "");
      ASSERT_TRUE(failed) << name << ": allocation " << n << " did not fail";
      ASSERT_EQ(Allocations::live, before) << name << ", allocation " << n << ": something is left";
    }
  }
  std::printf("%s: %ld allocations, %ld failures\n", name.c_str(), calls, points);
}

template <class T>
Result<bool> Same(const Result<T>& found, const T& expected) {
  if (!found.ok()) return found.error();
  return *found == expected;
}

TEST(Allocations, OfTheContainer) {
  const Bundle bundle = FakeBundle();
  Stream sound;
  sound.header = {.modality = Modality::kAudio, .channels = 1, .rate = 24000, .levels = 2};
  for (uint64_t i = 0; i < 3; ++i) sound.chunks.push_back({i * 100, 100, Bytes(50, 7), 5, {}});
  sound.chunks[1].side[SideData::kAlpha] = Bytes(9, 1);
  const Bytes whole = *WriteStream(sound);
  Bytes damaged = whole;
  damaged[60] ^= 1;
  Sweep("WriteStream", [&] { return Same(WriteStream(sound), whole); });
  Sweep("ReadStream", [&]() -> Result<bool> {
    VQC_ASSIGN(const Stream stream, ReadStream(whole, {}));
    return stream.chunks.size() == 3;
  });
  Sweep("ReadStream, damaged", [&]() -> Result<bool> {
    const auto stream = ReadStream(damaged, {});
    if (stream.ok()) return false;
    if (stream.error().code == ErrorCode::kResource) return stream.error();
    return stream.error().code == ErrorCode::kCorruptData;
  });
  for (const Bytes& bytes : {whole, damaged}) {
    Sweep("SalvageStream", [&]() -> Result<bool> {
      SalvageReport report;
      VQC_ASSIGN(const Stream stream, SalvageStream(bytes, {}, report));
      return stream.chunks.size() == (bytes == whole ? 3u : 2u);
    });
  }
  Sweep("DescribeStream", [&]() -> Result<bool> {
    VQC_ASSIGN(const auto fields, DescribeStream(whole, {}));
    return fields.size() > 20;
  });
}

TEST(Allocations, OfPictures) {
  const Bundle bundle = FakeBundle();
  const Clip clip = RandomImage(4, 24, 40);
  for (const PayloadOptions& options : {PayloadOptions{"auto", 0}, PayloadOptions{"adaptive", 24}}) {
    const Bytes whole = EncodeImage(clip, bundle, {}, options)->bytes;
    Sweep("EncodeImage", [&]() -> Result<bool> {
      VQC_ASSIGN(Clip copy, WithinMemory([&]() -> Result<Clip> { return clip; }));
      VQC_ASSIGN(const auto encoded, EncodeImage(std::move(copy), bundle, {}, options));
      return encoded.bytes == whole;
    });
    const Stream stream = *ReadStream(whole, {});
    const Clip expected = DecodeImage(stream, bundle, {})->clip;
    for (const bool salvage : {false, true}) {
      Sweep("DecodeImage", [&]() -> Result<bool> {
        VQC_ASSIGN(const auto decoded, DecodeImage(stream, bundle, {.salvage = salvage, .limits = {}}));
        return decoded.clip.data == expected.data && decoded.defects.empty();
      });
    }
  }
}

TEST(Allocations, OfSound) {
  const Bundle bundle = FakeAudioBundle();
  const std::vector<float> samples(6000, 0.25f);
  const auto encode = [&]() -> Result<Bytes> {
    VQC_ASSIGN(auto encoder, AudioEncoder::Create(bundle, 24000, 2, {.chunk_seconds = 0.05, .live = true}));
    VQC_ASSIGN(Bytes bytes, encoder.Push(samples));
    VQC_ASSIGN(const Bytes end, encoder.Finish());
    bytes.insert(bytes.end(), end.begin(), end.end());
    return bytes;
  };
  const Bytes whole = *encode();
  Sweep("AudioEncoder", [&] { return WithinMemory([&] { return Same(encode(), whole); }); });
  const Stream stream = *ReadStream(whole, {});
  Sweep("AudioDecoder", [&]() -> Result<bool> {
    VQC_ASSIGN(auto decoder, AudioDecoder::Create(stream.header, ChunkFramesOf(stream), bundle, {}));
    size_t count = 0;
    const auto sink = [&](std::span<const float> got) -> Status {
      count += got.size();
      return {};
    };
    for (const Chunk& chunk : stream.chunks) VQC_TRY(decoder.Push(chunk, sink));
    VQC_TRY(decoder.Finish(sink));
    return count == samples.size();
  });
}

TEST(Allocations, OfTokens) {
  for (const char* name : {"uniform", "adaptive", "table", "blockwise"}) {
    const Tokens tokens = RandomMap({2, 3, 5, 4}, {1000, 17}, 3);
    const auto model = *MakePrior(name, {}, {});
    const Bytes whole = *EncodeTokens(tokens, *model);
    Sweep(std::string("EncodeTokens, ") + name, [&] { return Same(EncodeTokens(tokens, *model), whole); });
    Sweep(std::string("DecodeTokens, ") + name,
          [&] { return Same(DecodeTokens(tokens.shape, tokens.vocab, *model, whole, {}), tokens); });
    if (model->Coder()) continue;
    const Bytes windows = *EncodeWindows(tokens, *model, 32, 1);
    Sweep(std::string("EncodeWindows, ") + name,
          [&] { return Same(EncodeWindows(tokens, *model, 32, 1), windows); });
    Sweep(std::string("SalvageWindows, ") + name, [&]() -> Result<bool> {
      VQC_ASSIGN(const auto salvaged, SalvageWindows(tokens.shape, tokens.vocab, *model, windows, 1, {}));
      return salvaged.tokens == tokens && salvaged.damaged == 0;
    });
  }
}

TEST(Allocations, OfWeights) {
  const auto model = MakeFakeModel("fake");
  ASSERT_TRUE(model.ok());
  Sweep("SafeTensors", [&]() -> Result<bool> {
    VQC_ASSIGN(Bytes copy, WithinMemory([&]() -> Result<Bytes> { return model->weights; }));
    VQC_ASSIGN(const auto file, SafeTensors::Parse(std::move(copy), "fake"));
    return WithinMemory([&]() -> Result<bool> { return file.Get("steps").ok(); });
  });
  Bytes garbage = model->weights;
  garbage[8] = 'x';
  Sweep("SafeTensors, damaged", [&]() -> Result<bool> {
    VQC_ASSIGN(Bytes copy, WithinMemory([&]() -> Result<Bytes> { return garbage; }));
    const auto file = SafeTensors::Parse(std::move(copy), "fake");
    if (file.ok()) return false;
    if (file.error().code == ErrorCode::kResource) return file.error();
    return file.error().code == ErrorCode::kModel;
  });
}

TEST(Allocations, OfCards) {
  const auto model = MakeFakeModel("fake");
  ASSERT_TRUE(model.ok());
  ModelCard card = model->card;
  card.config["list"] = {1, 2.5, nullptr, {{"nested", {"text", true}}}};
  card.earlier_priors = {{"static", Sha256{1}}};
  const testing::TempFolder folder;
  const std::string path = folder.Path("card.json"), decoder_path = folder.Path("decoder.json");
  testing::Put(path, WriteCard(card));
  Sweep("ReadCard", [&]() -> Result<bool> {
    VQC_ASSIGN(ModelCard read, ReadCard(path));
    const EmptiedAtEnd config(read.config), about(read.about);
    return read.config == card.config && read.about == card.about && read.model_id == card.model_id;
  });
  const std::string unknown = WriteCard(card).replace(2, 0, R"("more": [{}],)");
  Sweep("ParseCard, refused", [&]() -> Result<bool> {
    auto read = ParseCard(unknown, "card.json");
    if (read.ok()) return false;
    if (read.error().code == ErrorCode::kResource) return read.error();
    return read.error().code == ErrorCode::kModel;
  });
  DecoderCard decoder;
  decoder.name = "sharp";
  decoder.network = {{"widths", {4, 8}}};
  decoder.about = {{"license", "CC0-1.0"}};
  testing::Put(decoder_path, WriteDecoderCard(decoder));
  Sweep("ReadDecoderCard", [&]() -> Result<bool> {
    VQC_ASSIGN(DecoderCard read, ReadDecoderCard(decoder_path));
    const EmptiedAtEnd network(read.network), about(read.about);
    return read.network == decoder.network && read.about == decoder.about;
  });
}

TEST(Allocations, OfSetsOfTokens) {
  const testing::TempFolder folder;
  const std::string where = folder.Path("");
  TokenSet set;
  set.format = "jsonl";
  set.model = "fake";
  set.layout = {Modality::kAudio, {1024, 17}};
  set.items = 5;
  set.shard_items = 2;
  set.options["background"] = {{"colour", {255, 0, 128}}};
  std::vector<ShardRecord> records;
  for (uint64_t i = 0; i < set.Shards(); ++i) {
    records.push_back({i, 2, 70, {{"00000" + std::to_string(i) + ".jsonl", 900, Sha256{9}}}, {}});
  }
  records[1].skipped = {{"b", "b.wav", "no sound"}, {"c", "c.wav", "no sound either"}};
  const auto same = [&](const std::vector<ShardRecord>& read) {
    return std::ranges::equal(read, records, [](const ShardRecord& a, const ShardRecord& b) {
      return a.shard == b.shard && a.tokens == b.tokens && a.files.size() == b.files.size() &&
             a.skipped.size() == b.skipped.size();
    });
  };
  testing::Put(folder.Path(kPlanFile), set.ToJson().dump());
  ASSERT_TRUE(WriteManifest(where, set, records).ok());
  {
    auto journal = Journal::Open(where, 0, 1);
    ASSERT_TRUE(journal.ok());
    for (const ShardRecord& record : records) ASSERT_TRUE(journal->Append(record).ok());
  }
  Sweep("ReadTokenSet", [&]() -> Result<bool> {
    VQC_ASSIGN(TokenSet read, ReadTokenSet(where));
    const EmptiedAtEnd options(read.options);
    return read == set;
  });
  Sweep("ReadManifest", [&]() -> Result<bool> {
    VQC_ASSIGN(const auto read, ReadManifest(where, set));
    return same(read);
  });
  Sweep("ReadJournals", [&]() -> Result<bool> {
    VQC_ASSIGN(const auto read, ReadJournals(where));
    return same(read);
  });
  Sweep("Journal::Open", [&]() -> Result<bool> {
    VQC_ASSIGN(const auto journal, Journal::Open(where, 0, 1));
    return true;
  });
}

TEST(Allocations, OfFolders) {
  const testing::TempFolder folder;
  for (const char* name : {"a", "b/c", "b/d/e"}) testing::Put(folder.Path(name), "");
  Sweep("FilesBelow", [&] {
    return WithinMemory([&]() -> Result<bool> {
      VQC_ASSIGN(const auto files, FilesBelow(folder.path()));
      return files.size() == 3 && files.back() == folder.Path("b/d/e");
    });
  });
}

TEST(Allocations, OfMedia) {
  for (const char* extension : {".ppm", ".npy"}) {
    const Clip clip = RandomImage(3, 9, 7);
    const Bytes bytes = *WriteImage(clip, extension);
    Sweep(std::string("WriteImage, ") + extension, [&] { return Same(WriteImage(clip, extension), bytes); });
    Sweep(std::string("ReadImage, ") + extension, [&]() -> Result<bool> {
      VQC_ASSIGN(const Clip read, ReadImage(bytes, "picture", {}));
      return read.data == clip.data;
    });
  }
  const testing::TempFolder folder;
  AudioInfo info;
  info.rate = 24000;
  info.channels = 1;
  const std::vector<float> samples(300, 0.5f);
  std::vector<float> read(300);
  const std::string path = folder.Path("a.wav");
  Sweep("CreateAudio", [&]() -> Result<bool> {
    VQC_ASSIGN(const auto writer, CreateAudio(path, ".wav", info, {.force = true}));
    VQC_TRY(writer->Write(samples));
    VQC_TRY(writer->Finish());
    return true;
  });
  Sweep("OpenAudio", [&]() -> Result<bool> {
    VQC_ASSIGN(const auto reader, OpenAudio(path, {}, {}));
    VQC_ASSIGN(const size_t frames, reader->Read(read));
    return frames == 300 && read == samples;
  });
}

}  // namespace
}  // namespace vqc
