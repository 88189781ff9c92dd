// SPDX-License-Identifier: Apache-2.0
// vqcodec doctor: whether an installation is whole, and what it will use.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/options.h"
#include "apps/vqcodec/records.h"
#include "apps/vqcodec/version.h"
#include "base/dynamic_part.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/parallel.h"
#include "codec/audio.h"
#include "codec/codec.h"
#include "entropy/neural_kernels.h"
#include "entropy/rans/kernels.h"
#include "models/store.h"
#include "quantizers/search/isa.h"
#include "tokenizers/torch_part.h"

namespace vqc {
namespace {

struct DoctorOptions {
  bool quick = false, json = false;
};

// "ok", "missing" (something that the program does without), "wrong".
struct Finding {
  std::string section, name, state, text;
};
using Findings = std::vector<Finding>;

struct PartRow {
  const char *library, *symbol, *what;
};
constexpr PartRow kParts[] = {
    {"vqcodec_torch", "vqc_torch_part", "networks"},
    {"vqcodec_media", "vqc_media_part", "PNG and JPEG"},
    {"vqcodec_opencv", "vqc_opencv_part", "WebP, TIFF and BMP"},
    {"vqcodec_audio", "vqc_audio_part", "FLAC, Ogg, Opus, AIFF, MP3, and other rates"},
    {"vqcodec_ffmpeg", "vqc_ffmpeg_part", "sound tracks of MP4, Matroska and others"},
    {"vqcodec_hdf5", "vqc_hdf5_part", "actions from HDF5"},
    {"vqcodec_cuda", "vqc_cuda_part", "search for codewords on GPUs"},
};

void LookAtProcessor(Findings& found) {
  const char* asked = std::getenv("VQCODEC_ISA");
  const std::string why = asked && *asked ? " (VQCODEC_ISA=" + std::string(asked) + ")" : "";
  found.push_back({"processor", "cores", "ok", std::to_string(CoreCount())});
  found.push_back({"processor", "rANS", "ok", std::string(rans::ChosenKernels().name) + why});
  found.push_back({"processor", "neural prior", "ok", ChosenNeuralKernels().name + why});
  found.push_back({"processor", "search", "ok", std::string(NameOf(BestIsa()))});
}

// A part that was not built is missing, one that is there and cannot be loaded is wrong.
void LookAtParts(Findings& found) {
  for (const PartRow& part : kParts) {
    const auto loaded = LoadPart(part.library, part.symbol);
    Finding finding{"part", part.library, "ok", part.what};
    if (!loaded.ok()) {
      const std::string& why = loaded.error().message;
      bool there = false;
      for (size_t line = why.find('\n'); line != std::string::npos; line = why.find('\n', line + 1)) {
        const std::string one = why.substr(line + 1, why.find('\n', line + 1) - line - 1);
        if (one.ends_with(": not there")) continue;
        there = true;
        finding.text += ";" + one;
      }
      finding.state = there ? "wrong" : "missing";
    } else if (std::string_view(part.library) == "vqcodec_torch") {
      if (const auto torch = LoadTorchPart(); torch.ok()) finding.text += ", libtorch " + (*torch)->version();
    }
    found.push_back(std::move(finding));
  }
}

// A picture with slopes and edges.
Clip ProbePicture() {
  Clip clip;
  clip.channels = 3;
  clip.height = clip.width = 64;
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < 64; ++y) {
      for (int x = 0; x < 64; ++x) {
        clip.data.push_back(
            static_cast<float>((x * (c + 1) + y * (3 - c) + (x / 16 % 2) * 64) % 256) / 127.5f - 1);
      }
    }
  }
  return clip;
}

Status TestPicture(const Bundle& bundle) {
  VQC_ASSIGN(const EncodedClip encoded, EncodeImage(ProbePicture(), bundle));
  VQC_ASSIGN(const Stream stream, ReadStream(encoded.bytes, {}));
  VQC_ASSIGN(const DecodedClip decoded, DecodeImage(stream, bundle, {}));
  if (decoded.tokens == encoded.tokens) return {};
  return Error{ErrorCode::kInternal, "a picture's tokens do not come back from its stream"};
}

Status TestSound(const Bundle& bundle) {
  const int rate = static_cast<int>(bundle.tokenizer->Info().rate);
  std::vector<float> samples(static_cast<size_t>(rate) / 2);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = 0.5f * std::sin(static_cast<float>(i) * 0.05f);
  VQC_ASSIGN(AudioEncoder encoder, AudioEncoder::Create(bundle, rate, 1));
  VQC_ASSIGN(std::vector<uint8_t> bytes, encoder.Push(samples));
  VQC_ASSIGN(const auto end, encoder.Finish());
  bytes.insert(bytes.end(), end.begin(), end.end());
  VQC_ASSIGN(const Stream stream, ReadStream(bytes, {}));
  VQC_ASSIGN(AudioDecoder decoder, AudioDecoder::Create(stream.header, ChunkFramesOf(stream), bundle));
  size_t heard = 0;
  const auto sink = [&heard](std::span<const float> got) -> Status {
    heard += got.size();
    return {};
  };
  for (const Chunk& chunk : stream.chunks) VQC_TRY(decoder.Push(chunk, sink));
  VQC_TRY(decoder.Finish(sink));
  if (heard == samples.size()) return {};
  return Error{ErrorCode::kInternal, "half a second of sound does not come back whole"};
}

// Identities of all models, and a trip through the network and back of those whose network can be had.
Finding LookAtModel(const ModelEntry& entry, const std::string& device, bool networks) {
  Finding finding{"model", entry.card.name, "ok", "as its card says"};
  const Status tested = Guard(entry.card.name, [&]() -> Status {
    if (!networks) {
      finding.text += "; its network was not tried";
      VQC_ASSIGN(const Bundle bundle, LoadPriorOnly(entry));
      return {};
    }
    BundleOptions how;
    how.device = device;
    VQC_ASSIGN(const Bundle bundle, LoadBundle(entry, how));
    const uint32_t profile = bundle.tokenizer->Info().profile & 0xFFFF;
    char text[64];
    std::snprintf(text, sizeof text, ", numerics profile %04x on %s", profile, device.c_str());
    finding.text += text;
    if (entry.card.modality == Modality::kImage) return TestPicture(bundle);
    return entry.card.modality == Modality::kAudio ? TestSound(bundle) : Status();
  });
  if (!tested.ok()) {
    finding.state = "wrong";
    finding.text = tested.error().message;
  }
  return finding;
}

void LookAtModels(const DoctorOptions& options, Findings& found) {
  std::vector<std::string> bad;
  const auto models = ListModels(&bad);
  for (const std::string& line : bad) found.push_back({"model", "a card", "wrong", line});
  const bool networks = !options.quick && LoadTorchPart().ok();
  // The GPU first, since libtorch looks for one when it first computes. Sound is computed without libtorch, so a
  // picture's network tells.
  const auto picture = std::find_if(models.begin(), models.end(), [](const ModelEntry& entry) {
    return entry.card.modality == Modality::kImage;
  });
  std::optional<Finding> gpu;
  if (networks && picture != models.end()) {
    gpu = LookAtModel(*picture, "cuda", true);
    gpu->section = "device";
    gpu->name = "cuda";
    if (gpu->state == "wrong") gpu->state = "missing";
  }
  for (const ModelEntry& entry : models) found.push_back(LookAtModel(entry, "cpu", networks));
  if (models.empty()) {
    found.push_back({"model", "none", "missing", "no model was found; name their folder in VQCODEC_MODELS"});
  }
  if (gpu) found.push_back(std::move(*gpu));
}

void LookAtFolder(Findings& found) {
  const std::string path = ".vqcodec-doctor-" + std::to_string(getpid());
  const Status written = WriteFileAtomically(path, std::string_view("vqcodec doctor\n"));
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  found.push_back({"folder", "current", written.ok() ? "ok" : "missing",
                   written.ok() ? "outputs can be written to it" : written.error().message});
}

int RunDoctor(const DoctorOptions& options) {
  Findings found;
  LookAtProcessor(found);
  LookAtParts(found);
  LookAtModels(options, found);
  LookAtFolder(found);
  size_t wrong = 0;
  for (const Finding& finding : found) wrong += finding.state == "wrong";
  if (options.json) {
    Json json = {{"version", VersionText()}, {"wrong", wrong}, {"findings", Json::array()}};
    for (const Finding& finding : found) {
      json["findings"].push_back({{"section", finding.section},
                                  {"name", finding.name},
                                  {"state", finding.state},
                                  {"text", finding.text}});
    }
    std::printf("%s\n", JsonLine(json).c_str());
  } else {
    std::printf("%s\n\n", VersionText().c_str());
    for (const Finding& finding : found) {
      std::printf("%-8s %-10s %-16s %s\n", finding.state.c_str(), finding.section.c_str(),
                  finding.name.c_str(), finding.text.c_str());
    }
    std::printf("\n%s\n", wrong == 0 ? "nothing is wrong" : (std::to_string(wrong) + " wrong").c_str());
  }
  return wrong == 0 ? kExitOk : kExitSomeFailed;
}

}  // namespace

RunCommand AddDoctor(CLI::App& parent) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* app = AddCommand(parent, "doctor", "Check the installation: processor, parts, models, devices",
                             "vqcodec doctor\n"
                             "vqcodec doctor --quick --json          # without running the networks");
  app->add_flag("--quick", options->quick, "Do not run the networks of the models")->group("Run");
  app->add_flag("--json", options->json, "Print one JSON object")->group("Report");
  return [options] { return RunDoctor(*options); };
}

}  // namespace vqc
