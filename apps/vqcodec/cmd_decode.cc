// SPDX-License-Identifier: Apache-2.0
// vqcodec decode: file -> bytes -> tokens -> clip -> picture.
#include <filesystem>
#include <memory>

#include "apps/vqcodec/actions.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/inputs.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/media_inputs.h"
#include "apps/vqcodec/models.h"
#include "apps/vqcodec/records.h"
#include "apps/vqcodec/sound.h"
#include "base/file.h"
#include "base/stopwatch.h"
#include "codec/codec.h"
#include "data/media/media.h"

namespace vqc {
namespace {

struct DecodeCommandOptions {
  InputOptions input;
  OutputOptions output;
  ModelOptions model;
  std::string decoder;  // name or folder; empty: the model's own
  RunOptions run;
  Limits limits;
  std::string format;       // an extension with or without its dot; empty: told by the output's name
  std::string bits = "16";  // of the samples of a sound
  bool salvage = false;
};

struct Work {
  Job job;
  Stream stream;
  uint64_t file_bytes = 0;
  uint32_t chunk_frames = 1;  // of sound
  std::vector<std::string> defects;
  BundleFuture model;
  Stopwatch watch;
};

// ".png": of --format, else of --output; empty: neither says.
std::string ToldExtension(const DecodeCommandOptions& options) {
  if (!options.format.empty()) return (options.format[0] == '.' ? "" : ".") + options.format;
  const std::string extension = std::filesystem::path(options.output.file).extension().string();
  const bool named = !options.output.file.empty() && options.output.file != "-" && !extension.empty();
  return named && !options.output.file.starts_with("/dev/") ? extension : "";
}

std::string DefaultExtension(Modality modality) {
  return modality == Modality::kAudio ? ".wav" : modality == Modality::kAction ? ".npy" : ".png";
}

// Says of a damaged stream what can be done about it.
Error WithHint(Error error, const DecodeCommandOptions& options) {
  if (error.code == ErrorCode::kCorruptData && !options.salvage)
    error.message += "; fetch it again, or try --salvage";
  return error;
}

Result<Work> ReadWork(const Job& job, const DecodeCommandOptions& options, ModelCache& models) {
  Work work;
  work.job = job;
  VQC_ASSIGN(const auto bytes, ReadFile(job.input, options.limits.max_input_bytes, "max_input_bytes"));
  work.file_bytes = bytes.size();
  if (options.salvage) {
    SalvageReport report;
    VQC_ASSIGN(work.stream, SalvageStream(bytes, options.limits, report));
    work.defects = std::move(report.defects);
  } else {
    VQC_ASSIGN(work.stream, ReadStream(bytes, options.limits));
  }
  VQC_ASSIGN(work.chunk_frames, ChunkFramesOf(bytes, work.stream));
  VQC_ASSIGN(work.model, models.Get(options.model.model, work.stream.header.model_key));
  return work;
}

// Tokens that are not known as [first, end) in raster order.
Json MadeUp(const std::vector<uint8_t>& known) {
  Json ranges = Json::array();
  for (size_t i = 0; i < known.size(); ++i) {
    if (known[i]) continue;
    if (ranges.empty() || ranges.back()[1] != i) ranges.push_back({i, i});
    ranges.back()[1] = i + 1;
  }
  return ranges;
}

Result<ItemReport> FinishDecoding(const Work& work, const DecodeCommandOptions& options) {
  const Result<Bundle>& bundle = work.model.get();
  if (!bundle.ok()) return bundle.error();
  const Modality modality = work.stream.header.modality;
  const std::string told = ToldExtension(options);
  const std::string extension = told.empty() ? DefaultExtension(modality) : told;
  if (modality == Modality::kAudio) {
    const SoundToDecode what{work.stream,  work.chunk_frames, work.file_bytes, options.salvage,
                             work.defects, extension,         options.bits};
    return DecodeSound(what, work.job, *bundle, options.output, options.limits, work.watch);
  }
  if (modality == Modality::kAction) {
    if (extension != ".npy") {
      return Error{ErrorCode::kUsage, "actions are written as .npy; name the output so, or add --format npy"};
    }
    const ActionsToDecode what{work.stream, work.file_bytes, work.defects};
    return DecodeActionFile(what, work.job, *bundle, options.output, options.limits);
  }
  VQC_ASSIGN(DecodedClip decoded,
             DecodeImage(work.stream, *bundle, {.salvage = options.salvage, .limits = options.limits}));
  VQC_ASSIGN(const auto bytes, WriteImage(decoded.clip, extension));
  decoded.clip = Clip();  // its memory is not needed while the file is written
  VQC_TRY(WriteOutput(work.job.output, bytes, options.output));
  const double seconds = work.watch.Seconds();

  std::vector<std::string> defects = work.defects;
  defects.insert(defects.end(), decoded.defects.begin(), decoded.defects.end());
  const StreamHeader& header = work.stream.header;
  ItemReport report;
  report.record = ModelRecord(bundle->card);
  if (!bundle->decoder.empty()) report.record["decoder"] = bundle->decoder;
  report.record.update(PictureRecord(header.width, header.height, header.channels, header.bit_depth));
  report.record.update(TokensRecord(decoded.tokens.shape, decoded.tokens.vocab));
  report.record.update(SizeRecord(work.stream.chunks.front().payload.size(), work.file_bytes,
                                  uint64_t{header.width} * header.height));
  report.record["crc_ok"] = defects.empty();
  report.record["seconds"] = seconds;
  report.record["seconds_network"] = decoded.network_seconds;
  report.note = InputName(work.job.input) + " -> " + work.job.output + ": " + std::to_string(header.width) +
                " x " + std::to_string(header.height) + ", " + Fixed(seconds, 2) + " s";
  if (!defects.empty()) {
    report.record["defects"] = defects;
    report.record["made_up"] = MadeUp(decoded.known);
    report.exit_code = kExitSomeFailed;
    for (const std::string& defect : defects) report.warnings.push_back("salvaged, but " + defect);
  }
  return report;
}

int RunDecode(const DecodeCommandOptions& options) {
  HandleInterrupts();
  const auto inputs = FindInputs(options.input, &IsStreamExtension);
  if (!inputs.ok()) return Fail("decode", inputs.error());
  const auto jobs = PlanJobs(*inputs, options.output, [&](const InputFile& input) {
    const std::string told = ToldExtension(options);
    return told.empty() ? DefaultExtension(ModalityOfStream(input.path)) : told;
  });
  if (!jobs.ok()) return Fail("decode", jobs.error());
  if (Status apart = KeepApart(*jobs, options.run); !apart.ok()) return Fail("decode", apart.error());

  BundleOptions how = OptionsOf(options.model, ThreadsOf(options.run, jobs->size()), options.limits);
  how.decoder = options.decoder;
  ModelCache models(how);
  BatchPlan plan = PlanOfJobs("decode", *jobs);
  plan.begin = [&](size_t i) -> Result<BatchPlan::Finish> {
    const Job& job = (*jobs)[i];
    if (job.refusal) return *job.refusal;
    if (job.skip) return BatchPlan::Finish(&SkippedItem);
    auto read = ReadWork(job, options, models);
    if (!read.ok()) return WithHint(read.error(), options);
    auto work = std::make_shared<Work>(std::move(*read));
    return BatchPlan::Finish([&, work]() -> Result<ItemReport> {
      auto report = FinishDecoding(*work, options);
      if (!report.ok()) return WithHint(report.error(), options);
      return report;
    });
  };
  return RunBatch(plan, options.run);
}

}  // namespace

RunCommand AddDecode(CLI::App& parent) {
  auto options = std::make_shared<DecodeCommandOptions>();
  CLI::App* app =
      AddCommand(parent, "decode", "Decode .vqc files into pictures and sound",
                 "vqcodec decode photo.vqc -o seen.png     # the format is told by the name\n"
                 "vqcodec decode tokens/*.vqc -O seen --format jpg\n"
                 "vqcodec decode -r tokens -O seen --skip-existing\n"
                 "vqcodec decode photo.vqc -o seen.png --decoder perceptual  # the same tokens, sharper\n"
                 "vqcodec decode talk.vqc -o talk.flac     # sound, at its own rate; WAV if not said\n"
                 "vqcodec decode - -o - --format ppm <a.vqc >a.ppm\n"
                 "vqcodec decode damaged.vqc -o what-is-left.png --salvage");
  AddInputOptions(*app, options->input, "Streams that vqcodec encode wrote");
  AddOutputOptions(*app, options->output);
  app->add_option("--format", options->format,
                  "Format of the pictures: png, ppm, npy, jpg, webp, tiff or bmp; of sound: wav, flac, ogg, "
                  "opus, aiff, "
                  "caf, w64 or raw (default: that of --output, else png and wav)")
      ->type_name("EXT")
      ->group("Output");
  AddChoice(*app, "--bits", options->bits, {"16", "24", "float"}, "Samples of sound (default 16)")
      ->group("Output");
  AddModelOptions(*app, options->model, "the one that the stream names");
  AddNetworkOptions(*app, options->model);
  app->add_option("--decoder", options->decoder,
                  "Name or folder of another decoder for the model's tokens (default: own, the model's)")
      ->type_name("DECODER")
      ->group("Model");
  app->add_flag(
         "--salvage", options->salvage,
         "Decode what can be had of damaged streams, lost tokens made up; exit status 1, defects listed")
      ->group("Run");
  AddRunOptions(*app, options->run);
  AddLimitOptions(*app, options->limits);
  return [options] { return RunDecode(*options); };
}

}  // namespace vqc
