// SPDX-License-Identifier: Apache-2.0
// vqcodec info: what is in a stream, a model or a decoder. Never loads libtorch.
#include <filesystem>
#include <memory>

#include "apps/vqcodec/command.h"
#include "apps/vqcodec/info_lines.h"
#include "apps/vqcodec/inputs.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/model_outline.h"
#include "apps/vqcodec/records.h"
#include "base/file.h"
#include "base/printable.h"
#include "codec/action.h"
#include "codec/audio_grid.h"
#include "codec/codec.h"
#include "codec/rungs.h"
#include "models/decoder.h"
#include "tokenizers/action/action_config.h"
#include "tokenizers/outline.h"

namespace vqc {
namespace {

struct InfoOptions {
  InputOptions input;
  RunOptions run;
  Limits limits;
  bool check = false;
};

// Entropy decodes every chunk, compares the checksums of the tokens, and their size with their entropy.
Status CheckTokensOf(const Stream& stream, const ModelEntry& entry, const Limits& limits,
                     ItemReport& report) {
  VQC_ASSIGN(const Bundle bundle, LoadPriorOnly(entry, limits));
  double order0 = 0, coded = 0;
  for (const Chunk& chunk : stream.chunks) {
    VQC_ASSIGN(const Tokens tokens, ReadTokens(stream, chunk, bundle, limits));
    order0 += Order0Bits(tokens);
    coded += 8.0 * static_cast<double>(chunk.payload.size());
  }
  report.record["tokens_ok"] = true;
  report.record["bits_order0"] = order0;
  report.text += Line("check", "the tokens have the checksum that the stream states");
  report.text +=
      Line("entropy", Fixed(order0 / 8, 0) + " bytes of order 0, the payload has " + Fixed(coded / 8, 0));
  return {};
}

// Of all payloads; 0 where the tokens are not known.
Result<uint64_t> TableBytes(const Stream& stream, const Bundle& bundle) {
  uint64_t bytes = 0;
  for (const Chunk& chunk : stream.chunks) {
    const auto payload = PayloadOf(stream, chunk, bundle);
    if (!payload.ok()) return uint64_t{0};
    VQC_ASSIGN(const size_t tables, TableBytesOf(*payload));
    bytes += tables;
  }
  return bytes;
}

uint64_t FramesOf(const Stream& stream) {
  return stream.chunks.empty() ? 0 : stream.chunks.back().first_frame + stream.chunks.back().frames;
}

double SecondsOf(const Stream& stream) {
  return stream.header.rate > 0 ? static_cast<double>(FramesOf(stream)) / stream.header.rate : 0;
}

Status AddSoundFacts(const Stream& stream, const Bundle& known, ItemReport& report) {
  const auto grid = GridOf(known);
  if (!grid.ok()) {
    report.text += Line("tokens", "not known: " + grid.error().message);
    return {};
  }
  VQC_ASSIGN(const auto vocab, VocabOfStream(stream.header, *grid));
  uint64_t tokens = 0;
  for (const Chunk& chunk : stream.chunks) {
    VQC_ASSIGN(const PayloadView payload, AudioPayload(stream.header, chunk, known));
    tokens += payload.shape.Count();
  }
  report.record["tokens"] = tokens;
  report.record["levels"] = vocab.size();
  report.record["codebook_sizes"] = vocab;
  report.text += Line("tokens", std::to_string(tokens) + " (levels: " + std::to_string(vocab.size()) + ", " +
                                    Fixed(grid->TimesPerSecond(), 1) + " a second, level and " +
                                    (grid->channels > 1 ? "sound)" : "channel)"));
  report.text += Line("vocabulary", Joined(vocab));
  return {};
}

// Of a stream of actions. Only `check` loads the tokenizer, which knows how many tokens a chunk has.
Status AddActionFacts(const Stream& stream, const ModelEntry& entry, const InfoOptions& options,
                      ItemReport& report) {
  VQC_ASSIGN(const ActionConfig config, ParseActionConfig(entry.card.config));
  const auto vocab = VocabOf(entry.card);
  const size_t source = stream.header.width - 1, dropped = stream.header.height - 1;
  if (source >= config.sources.size() || dropped >= vocab.size())
    return Error{ErrorCode::kCorruptData, "the stream names a source or levels that its model does not have"};
  const int chunks = config.Chunks(static_cast<int>(FramesOf(stream)));
  report.record["source"] = config.sources[source].name;
  report.record["levels"] = vocab.size() - dropped;
  report.record["codebook_sizes"] = std::vector<uint32_t>(vocab.begin(), vocab.end() - dropped);
  report.text += Line("source", config.sources[source].name);
  report.text += Line("tokens", std::to_string(chunks) + " chunks of " + std::to_string(config.chunk) +
                                    " steps, levels: " + std::to_string(vocab.size() - dropped));
  if (!options.check) return {};
  VQC_ASSIGN(const Bundle bundle, LoadBundle(entry, {.limits = options.limits}));
  VQC_ASSIGN(const DecodedClip decoded, DecodeActions(stream, bundle, {.limits = options.limits}));
  report.record["tokens"] = decoded.tokens.ids.size();
  report.record["tokens_ok"] = true;
  report.text += Line("check", "the tokens have the checksum that the stream states");
  return {};
}

// What only the model's card can tell of a stream.
Status AddModelFacts(const Stream& stream, const InfoOptions& options, ItemReport& report,
                     uint64_t& table_bytes) {
  const auto entry = FindModel(stream.header.model_key);
  if (!entry.ok()) {
    if (options.check) return entry.error();
    report.record["model"] = nullptr;
    report.record["model_hash"] = HexKey(stream.header.model_key);
    report.text += Line("model", "not here; its key is " + HexKey(stream.header.model_key));
    return {};
  }
  report.record.update(ModelRecord(entry->card));
  report.text += Line("model", entry->card.name + " (key " + HexKey(stream.header.model_key) + ")");
  Bundle known{entry->card, nullptr, nullptr};
  VQC_ASSIGN(known.ladder, Ladder::Open(*entry, options.limits));
  if (stream.header.modality == Modality::kAudio) {
    VQC_TRY(AddSoundFacts(stream, known, report));
    if (!options.check) return {};
    return CheckTokensOf(stream, *entry, options.limits, report);
  }
  if (stream.header.modality == Modality::kAction) return AddActionFacts(stream, *entry, options, report);
  const auto shape = ShapeOfStream(stream.header, known);
  if (!shape.ok()) {
    report.text += Line("tokens", "not known: " + shape.error().message);
  } else {
    auto vocab = VocabOf(entry->card);
    VQC_ASSIGN(const uint32_t rung, RungOf(stream.chunks.front(), known));
    if (rung < RungsOf(known)) vocab = {static_cast<uint32_t>(known.ladder->At(rung).ids.size())};
    report.record.update(TokensRecord(*shape, vocab));
    if (known.ladder) {
      report.record["rung"] = rung;
      report.text += Line("rung", std::to_string(rung) + " of " + std::to_string(RungsOf(known)));
    }
    report.text +=
        Line("tokens", std::to_string(shape->Count()) + " (" + std::to_string(shape->w) + " x " +
                           std::to_string(shape->h) + ", levels: " + std::to_string(shape->levels) + ")");
    report.text += Line("vocabulary", Joined(vocab));
  }
  VQC_ASSIGN(table_bytes, TableBytes(stream, known));
  if (!options.check) return {};
  return CheckTokensOf(stream, *entry, options.limits, report);
}

void AddLayout(const StreamLayout& layout, uint64_t table_bytes, uint64_t file_bytes, const Stream& stream,
               ItemReport& report) {
  const Modality modality = stream.header.modality;
  const std::pair<const char*, uint64_t> parts[] = {
      {"header", layout.header_bytes}, {"chunk_heads", layout.chunk_head_bytes},
      {"tables", table_bytes},         {"payload", layout.payload_bytes - table_bytes},
      {"side", layout.side_bytes},     {"checks", layout.check_bytes}};
  Json bits = Json::object();
  std::string text;
  for (const auto& [name, bytes] : parts) {
    bits[name] = 8 * bytes;
    text += (text.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(bytes);
  }
  report.record["format_version"] = layout.version;
  std::string rate;
  if (modality == Modality::kAudio) {
    report.record.update(SoundSizeRecord(layout.payload_bytes, file_bytes, SecondsOf(stream)));
    rate = Fixed(report.record["kbps"], 3) + " kbps";
  } else if (modality == Modality::kAction) {
    report.record["bits_payload"] = 8 * layout.payload_bytes;
    report.record["bits_total"] = 8 * file_bytes;
    rate = Fixed(8.0 * static_cast<double>(file_bytes) / static_cast<double>(FramesOf(stream)), 1) +
           " bits a step";
  } else {
    const uint64_t pixels = uint64_t{stream.header.width} * stream.header.height;
    report.record.update(SizeRecord(layout.payload_bytes, file_bytes, pixels));
    rate = Fixed(report.record["bpp"], 4) + " bpp";
  }
  report.record["bits_parts"] = bits;
  report.text += Line("size", SizeText(file_bytes) + ", " + rate);
  report.text += Line("bytes of parts", text);
}

// With --verbose: every field in the order of the bytes.
Status AddFields(std::span<const uint8_t> bytes, const Limits& limits, ItemReport& report) {
  VQC_ASSIGN(const auto fields, DescribeStream(bytes, limits));
  report.record["fields"] = Json::array();
  for (const FieldText& field : fields) {
    report.record["fields"].push_back(
        {{"offset", field.offset}, {"bytes", field.size}, {"name", field.name}, {"value", field.value}});
    const std::string place = std::to_string(field.offset) + " + " + std::to_string(field.size);
    report.text += Line("byte " + place, field.name + ": " + field.value);
  }
  return {};
}

// Size and kind of the picture, sound or actions.
void AddMediaFacts(const Stream& stream, ItemReport& report) {
  const StreamHeader& header = stream.header;
  if (header.modality == Modality::kAudio) {
    report.record.update(SoundRecord(header.rate, header.channels, FramesOf(stream)));
    report.record["chunks"] = stream.chunks.size();
    report.text += Line("sound", Fixed(SecondsOf(stream), 3) + " s, " + std::to_string(FramesOf(stream)) +
                                     " frames of " + std::to_string(header.channels) + " channels, " +
                                     Fixed(header.rate, 0) + " Hz");
    report.text += Line("chunks", std::to_string(stream.chunks.size()));
    return;
  }
  if (header.modality == Modality::kAction) {
    report.record["steps"] = FramesOf(stream);
    report.record["dimensions"] = header.channels;
    report.text += Line("actions", std::to_string(FramesOf(stream)) + " steps of " +
                                       std::to_string(header.channels) + " dimensions");
    return;
  }
  report.record.update(PictureRecord(header.width, header.height, header.channels, header.bit_depth));
  static constexpr const char* kChannels[] = {"", "gray", "gray + alpha", "RGB", "RGB + alpha"};
  report.text += Line("picture", std::to_string(header.width) + " x " + std::to_string(header.height) + ", " +
                                     kChannels[header.channels <= 4 ? header.channels : 0] + ", " +
                                     std::to_string(header.bit_depth) + " bits");
}

Result<ItemReport> StreamInfo(const std::string& path, const InfoOptions& options) {
  VQC_ASSIGN(const auto bytes, ReadFile(path, options.limits.max_input_bytes, "max_input_bytes"));
  VQC_ASSIGN(const Stream stream, ReadStream(bytes, options.limits));
  VQC_ASSIGN(const StreamLayout layout, LayoutOf(bytes, options.limits));
  const StreamHeader& header = stream.header;
  ItemReport report;
  report.text = InputName(path) + ": stream, format version " + std::to_string(layout.version) + "\n";
  report.record["kind"] = "stream";
  report.record["modality"] = NameOf(header.modality);
  AddMediaFacts(stream, report);
  uint64_t table_bytes = 0;
  VQC_TRY(AddModelFacts(stream, options, report, table_bytes));
  report.record["prior"] = NameOfCoding(header.coding);
  report.record["profile"] = header.profile;
  report.text += Line("prior", NameOfCoding(header.coding));
  AddLayout(layout, table_bytes, bytes.size(), stream, report);
  report.record["crc_ok"] = true;
  if (options.run.verbose) VQC_TRY(AddFields(bytes, options.limits, report));
  return report;
}

std::string TextOf(const Json& about, const char* key) {
  if (!about.contains(key)) return "not stated";
  return about[key].is_string() ? about[key].get<std::string>() : JsonLine(about[key]);
}

Result<uint64_t> WeightBytes(const std::string& folder) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(folder + "/model.safetensors", error);
  if (!error) return bytes;
  return Error{ErrorCode::kModel, Printable(folder) + "/model.safetensors: cannot be read: " +
                                      error.message() + "; fetch or train the model anew"};
}

// A folder with the card of a decoder.
Result<ItemReport> DecoderInfo(const std::string& folder, const DecoderCard& card,
                               const InfoOptions& options) {
  VQC_ASSIGN(const uint64_t weights, WeightBytes(folder));
  std::string model = "not here";
  for (const ModelEntry& entry : ListModels()) {
    if (entry.card.model_id == card.decodes) model = entry.card.name;
  }
  ItemReport report;
  report.record = {{"kind", "decoder"},
                   {"decoder", card.name},
                   {"decodes", HexOf(card.decodes)},
                   {"decoder_id", HexOf(card.decoder_id)},
                   {"bytes_weights", weights},
                   {"folder", folder},
                   {"about", card.about}};
  report.text = card.name + ": decoder\n" + Line("folder", Printable(folder)) +
                Line("decodes", model + " (model id " + HexOf(card.decodes) + ")") +
                Line("weights", SizeText(weights)) + Line("licence", TextOf(Json(card.about), "license")) +
                Line("decoder id", HexOf(card.decoder_id));
  if (options.check) {
    VQC_TRY(OpenDecoder({folder, card}, options.limits));
    report.record["weights_ok"] = true;
    report.text += Line("check", "the weights are those of the card");
  }
  return report;
}

Result<ItemReport> ModelInfo(const std::string& name, const InfoOptions& options) {
  const auto decoder = ReadDecoderCard(name + "/card.json");
  if (decoder.ok()) return DecoderInfo(name, *decoder, options);
  VQC_ASSIGN(const ModelEntry entry, FindModel(name));
  const ModelCard& card = entry.card;
  VQC_ASSIGN(const uint64_t weights, WeightBytes(entry.folder));
  ItemReport report;
  report.record["kind"] = "model";
  report.record.update(ModelRecord(card));
  const Json about = Json(card.about);
  const std::vector<uint32_t> vocab = VocabOf(card);
  report.text = card.name + ": model\n" + Line("folder", Printable(entry.folder)) +
                Line("modality", std::string(NameOf(card.modality))) + Line("tokenizer", card.tokenizer) +
                Line("vocabulary", vocab.empty() ? "not stated" : Joined(vocab));
  report.record["folder"] = entry.folder;
  report.record["tokenizer"] = card.tokenizer;
  report.record["levels"] = vocab.size();
  report.record["codebook_sizes"] = vocab;
  VQC_TRY(AddOutline(entry, options.limits, report));
  report.record["prior"] = card.prior;
  report.record["bytes_weights"] = weights;
  report.record["model_id"] = HexOf(card.model_id);
  report.record["prior_id"] = HexOf(card.prior_id);
  report.record["about"] = about;
  report.text += Line("prior", card.prior) + Line("weights", SizeText(weights)) +
                 Line("licence", TextOf(about, "license")) + Line("model id", HexOf(card.model_id)) +
                 Line("prior id", HexOf(card.prior_id)) + Line("key", HexKey(card.Key()));
  for (const DecoderEntry& other : ListDecoders(entry)) {
    VQC_ASSIGN(const uint64_t bytes, WeightBytes(other.folder));
    report.record["decoders"].push_back({{"decoder", other.card.name}, {"bytes_weights", bytes}});
    report.text += Line("decoder", other.card.name + ", " + SizeText(bytes));
  }
  if (options.check) {
    VQC_TRY(LoadPriorOnly(entry, options.limits));
    report.record["weights_ok"] = true;
    report.text += Line("check", "weights and prior are those of the card");
  }
  return report;
}

// A name is a model's where no file has it, or where it is a folder with a card.
bool NamesModel(const std::string& name) {
  std::error_code error;
  if (name == "-") return false;
  if (std::filesystem::is_directory(name, error)) return std::filesystem::exists(name + "/card.json", error);
  return !std::filesystem::exists(name, error) && name.find('/') == std::string::npos &&
         !name.ends_with(".vqc");
}

int RunInfo(const InfoOptions& options) {
  HandleInterrupts();
  const auto inputs = FindInputs(options.input, &IsStreamExtension);
  if (!inputs.ok()) return Fail("info", inputs.error());
  RunOptions run = options.run;
  run.jobs = 1;
  BatchPlan plan;
  plan.command = "info";
  plan.count = inputs->size();
  plan.name = [&](size_t i) { return InputName((*inputs)[i].path); };
  plan.head = [&](size_t i) { return Json{{"input", (*inputs)[i].path}}; };
  plan.begin = [&](size_t i) -> Result<BatchPlan::Finish> {
    const std::string path = (*inputs)[i].path;
    return BatchPlan::Finish(
        [&options, path] { return NamesModel(path) ? ModelInfo(path, options) : StreamInfo(path, options); });
  };
  plan.summary_text = [](const std::vector<Json>&) { return std::string(); };
  return RunBatch(plan, run);
}

}  // namespace

RunCommand AddInfo(CLI::App& parent) {
  auto options = std::make_shared<InfoOptions>();
  options->run.progress = "never";
  CLI::App* app =
      AddCommand(parent, "info", "Show what is in .vqc files and models",
                 "vqcodec info photo.vqc                   # sizes, model, tokens, bytes of each part\n"
                 "vqcodec info image-f16                   # a model, by its name or folder\n"
                 "vqcodec info *.vqc --check --json");
  AddInputOptions(*app, options->input, "Streams, model names or model folders");
  app->add_flag("--check", options->check, "Decode the tokens of streams, and verify the weights of models")
      ->group("Run");
  AddReportOptions(*app, options->run);
  AddLimitOptions(*app, options->limits);
  return [options] { return RunInfo(*options); };
}

}  // namespace vqc
