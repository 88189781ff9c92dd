// SPDX-License-Identifier: Apache-2.0
// vqcodec stream: sound that is encoded and decoded while it comes.
#include <unistd.h>

#include <array>
#include <memory>

#include "apps/vqcodec/command.h"
#include "apps/vqcodec/inputs.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/models.h"
#include "apps/vqcodec/records.h"
#include "apps/vqcodec/sound.h"
#include "base/printable.h"
#include "codec/container/live.h"
#include "data/media/audio/byte_source.h"
#include "tokenizers/architectures.h"

namespace vqc {
namespace {

struct StreamOptions {
  std::string input = "-";
  OutputOptions output;
  ModelOptions model;
  RawOptions raw;
  Limits limits;
  AudioOptions audio;
  std::string format = "wav", bits = "16";  // of what is decoded
  bool salvage = false, quiet = false;

  std::string Target() const { return output.file.empty() ? "-" : output.file; }
};

Status CheckTerminal(const StreamOptions& options) {
  if (options.output.force || options.Target() != "-" || !isatty(STDOUT_FILENO)) return {};
  return Error{ErrorCode::kUsage, "standard output is a terminal; name a file with --output, or use --force"};
}

Result<Bundle> LoadModel(const Result<ModelEntry>& entry, const StreamOptions& options) {
  if (!entry.ok()) return entry.error();
  // On a GPU networks of public checkpoints wait for the end of a sound.
  const bool whole = IsSoundArchitecture(entry->card.tokenizer);
  return LoadBundle(*entry, {whole ? "cpu" : options.model.device, 1, options.limits});
}

void Say(const StreamOptions& options, const std::string& text) {
  if (!options.quiet) std::fprintf(stderr, "vqcodec: %s\n", text.c_str());
}

Status EncodeLive(const StreamOptions& options) {
  VQC_TRY(CheckTerminal(options));
  VQC_ASSIGN(const auto raw, RawOf(options.raw));
  const std::string fallback(kDefaultAudioModel);
  VQC_ASSIGN(const Bundle bundle,
             LoadModel(FindModel(options.model.model.empty() ? fallback : options.model.model), options));
  VQC_ASSIGN(const auto reader, OpenAudio(options.input, raw, options.limits));
  const AudioInfo& info = reader->Info();
  AudioOptions audio = options.audio;
  audio.live = true;
  audio.frames = info.frames.value_or(0);
  VQC_ASSIGN(AudioEncoder encoder, AudioEncoder::Create(bundle, info.rate, info.channels, audio));
  VQC_ASSIGN(OutputFile file, OutputFile::Create(options.Target(), {.force = options.output.force}));
  // What makes one step of the model, so that nothing waits for more than it needs.
  const TokenizerInfo& model = bundle.tokenizer->Info();
  const double step = model.step * model.stride / model.rate * info.rate;
  const size_t frames = std::max<size_t>(1, static_cast<size_t>(step));
  std::vector<float> samples(frames * static_cast<size_t>(info.channels));
  for (;;) {
    VQC_ASSIGN(const size_t got, reader->Read(samples));
    if (got == 0) break;
    VQC_ASSIGN(const auto bytes,
               encoder.Push(std::span(samples).first(got * static_cast<size_t>(info.channels))));
    if (!bytes.empty()) VQC_TRY(file.Write(bytes));
  }
  VQC_ASSIGN(const auto bytes, encoder.Finish());
  VQC_TRY(file.Write(bytes));
  VQC_TRY(file.Commit());
  const AudioCounts& counts = encoder.Counts();
  const double seconds = static_cast<double>(counts.frames) / info.rate;
  Say(options,
      Fixed(seconds, 2) + " s, " + std::to_string(counts.chunks) + " chunks, " + SizeText(counts.bytes) +
          (seconds > 0 ? " (" + Fixed(8e-3 * static_cast<double>(counts.bytes) / seconds, 3) + " kbps)"
                       : ""));
  return {};
}

// The parts of decoding that begin with the head of the stream.
struct Decoding {
  Bundle bundle;
  std::unique_ptr<AudioDecoder> decoder;
  std::unique_ptr<AudioWriter> writer;

  Status Begin(const StreamHeader& header, uint32_t chunk_frames, const StreamOptions& options) {
    VQC_ASSIGN(bundle, LoadModel(options.model.model.empty() ? FindModel(header.model_key)
                                                             : FindModel(options.model.model),
                                 options));
    VQC_ASSIGN(AudioDecoder made, AudioDecoder::Create(header, chunk_frames, bundle, options.limits));
    decoder = std::make_unique<AudioDecoder>(std::move(made));
    AudioInfo info;
    info.rate = static_cast<int>(header.rate);
    info.channels = static_cast<int>(header.channels);
    info.sample = SampleOfBits(options.bits);
    VQC_ASSIGN(writer,
               CreateAudio(options.Target(), "." + options.format, info, {.force = options.output.force}));
    return {};
  }
};

Status DecodeLive(const StreamOptions& options) {
  VQC_TRY(CheckTerminal(options));
  VQC_ASSIGN(const auto source, ByteSource::Open(options.input));
  StreamReader reader(options.limits, options.salvage);
  Decoding decoding;
  std::vector<std::string> defects;  // beside those of the reader
  const AudioDecoder::Sink sink = [&](std::span<const float> samples) {
    return decoding.writer->Write(samples);
  };
  const auto named = [&](Error error) {
    error.message = source->name() + ": " + error.message;
    return error;
  };
  std::array<uint8_t, 4096> bytes{};
  for (bool more = true; more;) {
    VQC_ASSIGN(const size_t got, source->ReadAvailable(bytes));
    more = got > 0;
    if (more) reader.Push(std::span(bytes).first(got));
    if (!more) reader.Close();
    for (;;) {
      auto chunk = reader.Next();
      if (!chunk.ok()) return named(chunk.error());
      if (reader.Header() && !decoding.decoder) {
        VQC_TRY(decoding.Begin(*reader.Header(), reader.ChunkFrames(), options));
      }
      if (!*chunk) break;
      const Status pushed = DecodeChunk(*decoding.decoder, **chunk, options.salvage, defects, sink);
      if (!pushed.ok()) return named(pushed.error());
    }
  }
  if (!decoding.decoder) return named({ErrorCode::kCorruptData, "is cut off in the head of the stream"});
  VQC_TRY(decoding.decoder->Finish(sink));
  VQC_TRY(decoding.writer->Finish());
  defects.insert(defects.begin(), reader.Defects().begin(), reader.Defects().end());
  if (!defects.empty())
    defects.push_back(MadeUpText(decoding.decoder->ConcealedFrames(), reader.Header()->rate));
  for (const std::string& defect : defects) Say(options, "salvaged, but " + defect);
  return {};
}

template <Status (*Run)(const StreamOptions&)>
RunCommand Runner(std::shared_ptr<StreamOptions> options) {
  return [options]() -> int {
    HandleInterrupts();
    const Status done = Run(*options);
    return done.ok() ? 0 : Fail("stream", done.error());
  };
}

void AddCommon(CLI::App& app, StreamOptions& options, const std::string& what) {
  app.add_option("IN", options.input, what + " (default -, standard input)")->type_name("");
  app.add_option("-o,--output", options.output.file, "Write to FILE (default: standard output)")
      ->type_name("FILE")
      ->group("Output");
  app.add_flag("-f,--force", options.output.force, "Overwrite the output; write binary data to a terminal")
      ->group("Output");
  app.add_flag("-q,--quiet", options.quiet, "Print errors only")->group("Report");
}

}  // namespace

RunCommand AddStream(CLI::App& parent) {
  CLI::App* app = AddCommand(
      parent, "stream", "Encode and decode sound while it comes, from pipe to pipe",
      "arecord -f S16_LE -r 24000 | vqcodec stream encode >talk.vqc\n"
      "vqcodec stream encode --format s16le --rate 16000 <talk.raw | vqcodec stream decode | aplay");
  app->require_subcommand(1);
  auto encode = std::make_shared<StreamOptions>(), decode = std::make_shared<StreamOptions>();
  encode->audio.chunk_seconds = 0.1;

  CLI::App* encoding = AddCommand(*app, "encode", "Encode sound; what is complete is written at once",
                                  "arecord -f S16_LE -r 24000 | vqcodec stream encode >talk.vqc");
  AddCommon(*encoding, *encode, "Sound, or samples with --format");
  AddRawOptions(*encoding, encode->raw);
  AddModelOptions(*encoding, encode->model, std::string(kDefaultAudioModel));
  encoding->add_option("--levels", encode->audio.levels, "Keep the first N levels of tokens (default: all)")
      ->type_name("N")
      ->group("Model")
      ->check(CLI::Range(1, 64).description(""));
  encoding
      ->add_option("--chunk", encode->audio.chunk_seconds,
                   "Seconds that are coded and written together: less is sooner, and takes 12 bytes a chunk "
                   "(default 0.1)")
      ->type_name("SECONDS")
      ->group("Model")
      ->check(CLI::Range(0.001, 3600.0).description(""));
  AddLimitOptions(*encoding, encode->limits);

  CLI::App* decoding = AddCommand(*app, "decode", "Decode sound; what is complete is written at once",
                                  "vqcodec stream decode <talk.vqc | aplay");
  AddCommon(*decoding, *decode, "A stream");
  AddChoice(*decoding, "--format", decode->format, {"wav", "raw"}, "With a header or without (default wav)")
      ->group("Output");
  AddChoice(*decoding, "--bits", decode->bits, {"16", "24", "float"}, "Samples (default 16)")
      ->group("Output");
  AddModelOptions(*decoding, decode->model, "the one that the stream names");
  decoding->add_flag("--salvage", decode->salvage, "Fill damaged parts with what was heard before")
      ->group("Run");
  AddLimitOptions(*decoding, decode->limits);

  return [encoding, run_encode = Runner<&EncodeLive>(encode), run_decode = Runner<&DecodeLive>(decode)] {
    return encoding->parsed() ? run_encode() : run_decode();
  };
}

}  // namespace vqc
