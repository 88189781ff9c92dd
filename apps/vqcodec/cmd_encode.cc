// SPDX-License-Identifier: Apache-2.0
// vqcodec encode: picture -> clip -> tokens -> bytes -> file. Sound: apps/vqcodec/sound.h.
#include <charconv>
#include <memory>

#include "apps/vqcodec/actions.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/inputs.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/media_inputs.h"
#include "apps/vqcodec/models.h"
#include "apps/vqcodec/records.h"
#include "apps/vqcodec/sound.h"
#include "base/stopwatch.h"
#include "codec/alpha.h"
#include "codec/codec.h"
#include "codec/ladder.h"
#include "data/actions/episodes.h"
#include "data/media/audio/audio.h"
#include "data/media/media.h"

namespace vqc {
namespace {

struct EncodeOptions {
  InputOptions input;
  OutputOptions output;
  ModelOptions model;
  RunOptions run;
  Limits limits;
  std::string alpha = "keep";
  RateOptions rate;
  double max_bpp = 0;   // bits per pixel of the whole file; 0: no bound
  double rung_bpp = 0;  // the same, by a lower rung of the model's ladder
  PayloadOptions payload;
  ActionOptions actions;
  uint32_t window_bits = 0;
  bool verify = false;
  RawOptions raw;
  AudioOptions audio;
};

struct Work {
  Job job;
  Clip clip;
  Stopwatch watch;
};

// What is left to tell of a picture whose samples are gone.
struct PictureFacts {
  uint32_t width = 1, height = 1, channels = 1, bit_depth = 8;
  uint64_t Pixels() const { return uint64_t{width} * height; }
};

PictureFacts FactsOf(const Clip& clip) {
  return {static_cast<uint32_t>(clip.width), static_cast<uint32_t>(clip.height),
          static_cast<uint32_t>(clip.channels), static_cast<uint32_t>(clip.bit_depth)};
}

// The file's tokens against those that went in, read as a stranger's file is read.
Status Verify(const EncodedClip& encoded, const Bundle& bundle, const Limits& limits) {
  VQC_ASSIGN(const Stream stream, ReadStream(encoded.bytes, limits));
  VQC_ASSIGN(const Tokens tokens, ReadTokens(stream, stream.chunks.front(), bundle, limits));
  if (tokens == encoded.tokens) return {};
  return Error{ErrorCode::kInternal,
               "--verify: the tokens did not come back as they went in; please report this file"};
}

RateOptions RateOf(const PictureFacts& facts, const EncodeOptions& options) {
  const auto bytes = [&](double bpp) {
    return std::max<uint64_t>(1, static_cast<uint64_t>(bpp * static_cast<double>(facts.Pixels()) / 8));
  };
  RateOptions rate = options.rate;
  if (options.max_bpp > 0) rate.max_bytes = bytes(options.max_bpp);
  if (options.rung_bpp > 0) rate.rung_bytes = bytes(options.rung_bpp);
  return rate;
}

Result<ItemReport> FinishEncoding(Work& work, const Bundle& bundle, const EncodeOptions& options) {
  const PictureFacts facts = FactsOf(work.clip);
  VQC_ASSIGN(const EncodedClip encoded,
             EncodeImage(std::move(work.clip), bundle, RateOf(facts, options), options.payload));
  if (options.verify) VQC_TRY(Verify(encoded, bundle, options.limits));
  VQC_TRY(WriteOutput(work.job.output, encoded.bytes, options.output));
  const double seconds = work.watch.Seconds();

  ItemReport report;
  report.record = ModelRecord(bundle.card);
  report.record.update(PictureRecord(facts.width, facts.height, facts.channels, facts.bit_depth));
  report.record.update(TokensRecord(encoded.tokens.shape, encoded.tokens.vocab));
  report.record.update(SizeRecord(encoded.payload_bytes, encoded.bytes.size(), facts.Pixels()));
  report.record["seconds"] = seconds;
  report.record["seconds_network"] = encoded.network_seconds;
  if (encoded.rate_weight > 0) report.record["lambda"] = encoded.rate_weight;
  if (bundle.ladder) report.record["rung"] = encoded.rung;
  if (options.verify) report.record["verified"] = true;
  report.note = InputName(work.job.input) + " -> " + work.job.output + ": " + std::to_string(facts.width) +
                " x " + std::to_string(facts.height) + ", " + std::to_string(encoded.tokens.shape.Count()) +
                " tokens, " + SizeText(encoded.bytes.size()) + " (" + Fixed(report.record["bpp"], 4) +
                " bpp), " + Fixed(seconds, 2) + " s";
  return report;
}

Result<Clip> ReadPicture(const std::vector<uint8_t>& bytes, const std::string& path,
                         const EncodeOptions& options) {
  VQC_ASSIGN(Clip clip, ReadImage(bytes, InputName(path), options.limits));
  if (options.alpha == "keep" || !clip.HasAlpha()) return clip;
  const std::string colour = options.alpha == "flatten" ? "white" : options.alpha.substr(8);
  VQC_ASSIGN(const Colour background, ParseColour(colour));
  return FlattenAlpha(std::move(clip), background);
}

ActionEncoding ActionsOf(const EncodeOptions& options) {
  return {options.actions, options.payload, options.output, options.limits};
}

// The first part of the work on one input; `models` starts to load what it needs.
Result<BatchPlan::Finish> BeginEncoding(const Job& job, const EncodeOptions& options,
                                        const std::optional<RawAudio>& raw, DefaultModels& models) {
  const Stopwatch watch;
  VQC_ASSIGN(AnyMedia media, OpenAnyMedia(job.input, raw, options.limits));
  if (media.audio) {
    VQC_ASSIGN(const BundleFuture model, models.Get(Modality::kAudio));
    const std::shared_ptr<AudioReader> reader = std::move(media.audio);
    AudioOptions audio = options.audio;
    audio.prior = options.payload.prior;
    return BatchPlan::Finish([&options, job, watch, reader, model, audio]() -> Result<ItemReport> {
      if (!model.get().ok()) return model.get().error();
      return EncodeSound(*reader, job, *model.get(), audio, options.output, watch);
    });
  }
  if (options.model.model.empty() && LooksLikeEpisodes(media.other)) {
    VQC_ASSIGN(const BundleFuture model, models.Get(Modality::kAction));
    return BeginEncodingActions(job, std::move(media.other), model, ActionsOf(options));
  }
  VQC_ASSIGN(const BundleFuture model, models.Get(Modality::kImage));
  auto work = std::make_shared<Work>();
  work->job = job;
  work->watch = watch;
  VQC_ASSIGN(work->clip, ReadPicture(media.other, job.input, options));
  return BatchPlan::Finish([&options, work, model]() -> Result<ItemReport> {
    if (!model.get().ok()) return model.get().error();
    return FinishEncoding(*work, *model.get(), options);
  });
}

int RunEncode(const EncodeOptions& options) {
  HandleInterrupts();
  if (!options.model.model.empty()) {
    const auto entry = FindModel(options.model.model);
    if (entry.ok() && entry->card.modality == Modality::kAction) {
      return RunEncodeActions(options.input, options.model, options.run, ActionsOf(options), *entry);
    }
  }
  const auto inputs = FindInputs(options.input, &IsReadableMedia);
  if (!inputs.ok()) return Fail("encode", inputs.error());
  const auto jobs = PlanJobs(*inputs, options.output, ".vqc");
  if (!jobs.ok()) return Fail("encode", jobs.error());
  if (Status apart = KeepApart(*jobs, options.run); !apart.ok()) return Fail("encode", apart.error());

  const auto raw = RawOf(options.raw);
  if (!raw.ok()) return Fail("encode", raw.error());

  DefaultModels models(options.model.model,
                       OptionsOf(options.model, ThreadsOf(options.run, jobs->size()), options.limits));
  // The model is looked up first, so that a wrong name is one error and not one for each input.
  if (AnyToRun(*jobs) && !options.model.model.empty()) {
    if (const auto model = models.Get(Modality::kImage); !model.ok()) return Fail("encode", model.error());
  }
  BatchPlan plan = PlanOfJobs("encode", *jobs);
  plan.ready = [&] { return models.Ready(); };
  plan.begin = [&](size_t i) -> Result<BatchPlan::Finish> {
    const Job& job = (*jobs)[i];
    if (job.refusal) return *job.refusal;
    if (job.skip) return BatchPlan::Finish(&SkippedItem);
    return BeginEncoding(job, options, *raw, models);
  };
  return RunBatch(plan, options.run);
}

std::string CheckAlpha(std::string& value) {
  if (value == "keep" || value == "flatten") return {};
  if (value.starts_with("flatten=") && ParseColour(value.substr(8)).ok()) return {};
  return value + " is not keep, flatten or flatten=COLOR (#rrggbb, white, black, gray)";
}

std::string CheckWindows(std::string& value) {
  uint64_t bits = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bits);
  const bool number = error == std::errc() && end == value.data() + value.size();
  if (number && (bits == 0 || (bits % 8 == 0 && bits / 8 >= kMinWindowBytes && bits / 8 <= kMaxWindowBytes)))
    return {};
  return value + " is not 0 or a multiple of 8 from " + std::to_string(8 * kMinWindowBytes) + " to " +
         std::to_string(8 * kMaxWindowBytes);
}

}  // namespace

RunCommand AddEncode(CLI::App& parent) {
  auto options = std::make_shared<EncodeOptions>();
  CLI::App* app =
      AddCommand(parent, "encode", "Encode pictures, sound and actions into .vqc files of tokens",
                 "vqcodec encode photo.png                 # writes photo.vqc beside it\n"
                 "vqcodec encode *.jpg -O tokens -j 4      # four at once, into the folder tokens\n"
                 "vqcodec encode -r photos -O tokens --skip-existing\n"
                 "vqcodec encode talk.wav -o talk.vqc      # sound: WAV, FLAC, Ogg, MP3, MP4 and more\n"
                 "vqcodec encode - -o - <a.png >a.vqc      # as part of a pipe\n"
                 "vqcodec encode logo.png --alpha flatten=#ffffff --verify\n"
                 "vqcodec encode episode.npy               # actions: floats [steps, dimensions]\n"
                 "vqcodec encode set.parquet --episode episode_000007 -m my-actions --source robot\n"
                 "vqcodec encode photo.png --bpp 0.02      # on the highest rung that fits\n"
                 "vqcodec encode photo.png --windows 1024  # damage costs single windows, not the picture");
  AddInputOptions(*app, options->input,
                  "Pictures and sound, of any format that vqcodec list names, and actions");
  AddRawOptions(*app, options->raw);
  AddOutputOptions(*app, options->output);
  app->add_option(
         "--alpha", options->alpha,
         "keep stores alpha losslessly beside the tokens (default); flatten puts the picture on COLOR "
         "(#rrggbb, white, black or gray; default white)")
      ->type_name("keep|flatten[=COLOR]")
      ->group("Model")
      ->check(CLI::Validator(&CheckAlpha, ""));
  AddModelOptions(*app, options->model,
                  std::string(kDefaultImageModel) + " for pictures, " + std::string(kDefaultAudioModel) +
                      " for sound, " + std::string(kDefaultActionModel) + " for actions");
  AddNetworkOptions(*app, options->model);
  app->add_option("--levels", options->audio.levels,
                  "Sound: keep the first N levels of tokens; fewer are smaller and less exact (default: all)")
      ->type_name("N")
      ->group("Model")
      ->check(CLI::Range(1, 64).description(""));
  app->add_option(
         "--chunk", options->audio.chunk_seconds,
         "Sound: seconds that are coded on their own, so that damage costs no more (default: 1 or more, as "
         "many as make 1200 bytes)")
      ->type_name("SECONDS")
      ->group("Model")
      ->check(CLI::Range(0.001, 3600.0).description(""));
  app->add_option("--lambda", options->rate.weight,
                  "Weight of a bit when tokens are chosen: higher is smaller and less exact (default 0: the "
                  "nearest tokens)")
      ->type_name("X")
      ->group("Model")
      ->check(CLI::Range(0.0, 100.0).description(""));
  auto* max_bytes = app->add_option("--max-bytes", options->rate.max_bytes,
                                    "Size of each file at most; tokens are changed as little as it takes")
                        ->type_name("N")
                        ->group("Model")
                        ->check(CLI::Range(uint64_t{1}, UINT64_MAX).description(""));
  app->add_option("--max-bpp", options->max_bpp, "The same in bits per pixel")
      ->type_name("X")
      ->group("Model")
      ->check(CLI::Range(1e-6, 1e6).description(""))
      ->excludes(max_bytes);
  auto* rung = app->add_option("--rung", options->rate.rung,
                               "Rung of a model that has a ladder, from 1, the smallest files; vqcodec info "
                               "MODEL tells of them (default: the highest)")
                   ->type_name("N")
                   ->group("Model")
                   ->check(CLI::Range(size_t{1}, kMaxRungs + 1).description(""));
  app->add_option("--bpp", options->rung_bpp,
                  "The highest rung on which a file takes at most X bits per pixel")
      ->type_name("X")
      ->group("Model")
      ->check(CLI::Range(1e-6, 1e6).description(""))
      ->excludes(rung);
  app->add_option(
         "--prior", options->payload.prior,
         "What codes the tokens: auto takes the smallest (default); the model's own prior or uniform, "
         "adaptive, table or blockwise; vqcodec list tells of them")
      ->type_name("NAME")
      ->group("Model");
  app->add_option(
         "--windows", options->window_bits,
         "Code the tokens in windows of so many bits, each of which can be decoded when the others are "
         "damaged; a multiple of 8, e.g. 1024 (default 0: no windows)")
      ->type_name("BITS")
      ->check(CLI::Validator(&CheckWindows, ""))
      ->group("Model");
  app->add_flag("--verify", options->verify, "Decode the tokens of each file again and compare")
      ->group("Run");
  AddActionOptions(*app, options->actions);
  app->add_option("--episode", options->actions.episode, "Which episode of a file with several")
      ->type_name("NAME")
      ->group("Actions");
  AddRunOptions(*app, options->run);
  AddLimitOptions(*app, options->limits);
  return [options] {
    options->payload.window_bytes = options->window_bits / 8;
    return RunEncode(*options);
  };
}

}  // namespace vqc
