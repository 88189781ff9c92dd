// SPDX-License-Identifier: Apache-2.0
// vqcodec list: the tables of the program. Quantizers are in the torch part, which is loaded on request only.
#include <cstdio>
#include <memory>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/records.h"
#include "data/media/audio/audio.h"
#include "data/media/media.h"
#include "entropy/priors.h"
#include "eval/metrics.h"
#include "eval/sound_metrics.h"
#include "models/decoder.h"
#include "models/store.h"
#include "tokenizers/outline.h"
#include "tokenizers/torch_part.h"

namespace vqc {
namespace {

struct ListOptions {
  bool quantizers = false, all = false, json = false;
};

// A section: records with the same keys, which are the columns for people.
struct Section {
  std::string title;
  std::vector<Json> rows;
};

Section ListedModels(std::vector<std::string>& bad) {
  Section section{"models", {}};
  for (const ModelEntry& entry : ListModels(&bad)) {
    Json vocab = VocabOf(entry.card), decoders = Json::array({kOwnDecoder});
    for (const DecoderEntry& other : ListDecoders(entry)) decoders.push_back(other.card.name);
    section.rows.push_back({{"name", entry.card.name},
                            {"modality", NameOf(entry.card.modality)},
                            {"codebook_sizes", std::move(vocab)},
                            {"prior", entry.card.prior},
                            {"decoders", std::move(decoders)},
                            {"folder", entry.folder}});
  }
  return section;
}

Section ListedPriors() {
  Section section{"priors", {}};
  for (const PriorRow& row : Priors()) {
    section.rows.push_back(
        {{"name", row.name}, {"trained", row.trained ? "trained" : "as is"}, {"summary", row.summary}});
  }
  return section;
}

Section ListedFormats() {
  Section section{"formats", {}};
  const auto add = [&section](const MediaFormat& format, const char* part) {
    const char* ways = format.reads && format.writes ? "reads, writes" : format.reads ? "reads" : "writes";
    section.rows.push_back({{"name", format.name},
                            {"extensions", format.extensions},
                            {"can", ways},
                            {"part", format.needs_part ? part : "built in"}});
  };
  for (const MediaFormat& format : MediaFormats()) add(format, "media part");
  for (const MediaFormat& format : AudioFormats()) add(format, "sound part");
  return section;
}

Section ListedMetrics() {
  Section section{"metrics", {}};
  for (const MetricRow& row : Metrics()) {
    section.rows.push_back({{"name", row.name}, {"unit", row.unit}, {"summary", row.summary}});
  }
  for (const SoundMetricRow& row : SoundMetrics()) {
    section.rows.push_back({{"name", row.name}, {"unit", row.unit}, {"summary", row.summary}});
  }
  return section;
}

std::string TextOf(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string TextOf(const Section& section) {
  std::string text = section.title + "\n";
  std::vector<size_t> widths;
  for (const Json& row : section.rows) {
    size_t i = 0;
    for (const auto& [key, value] : row.items()) {
      if (i == widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], TextOf(value).size());
      ++i;
    }
  }
  for (const Json& row : section.rows) {
    std::string line;
    size_t i = 0;
    for (const auto& [key, value] : row.items()) {
      std::string cell = TextOf(value);
      cell.resize(std::max(cell.size(), widths[i++]), ' ');
      line += "  " + cell;
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  if (section.rows.empty()) text += "  none\n";
  return text;
}

Result<Section> ListedQuantizers() {
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  Section section{"quantizers", {}};
  for (const std::string& line : part->quantizers()) {
    const size_t end = std::min(line.find(' '), line.size());
    const size_t summary = std::min(line.find_first_not_of(' ', end), line.size());
    section.rows.push_back({{"name", line.substr(0, end)}, {"summary", line.substr(summary)}});
  }
  return section;
}

int RunList(const ListOptions& options) {
  std::vector<std::string> bad;
  std::vector<Section> sections = {ListedModels(bad), ListedPriors(), ListedFormats(), ListedMetrics()};
  if (options.quantizers || options.all) {
    auto quantizers = ListedQuantizers();
    if (!quantizers.ok()) return Fail("list", quantizers.error());
    sections.push_back(std::move(*quantizers));
  }
  for (const std::string& line : bad)
    std::fprintf(stderr, "%s\n", ErrorLine("", {ErrorCode::kModel, line}).c_str());
  if (options.json) {
    Json all = Json::object();
    for (const Section& section : sections) all[section.title] = section.rows;
    all["unreadable_models"] = bad;
    std::printf("%s\n", JsonLine(all).c_str());
    return kExitOk;
  }
  std::string text;
  for (const Section& section : sections) text += (text.empty() ? "" : "\n") + TextOf(section);
  if (sections.back().title != "quantizers") {
    text += "\nquantizers are in the torch part, which takes a moment to load: vqcodec list --quantizers\n";
  }
  std::fputs(text.c_str(), stdout);
  return kExitOk;
}

}  // namespace

RunCommand AddList(CLI::App& parent) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* app = AddCommand(parent, "list", "List models, priors, formats, metrics and quantizers",
                             "vqcodec list\n"
                             "vqcodec list --all --json");
  app->add_flag("--quantizers", options->quantizers, "Quantizers too, for which libtorch is loaded")
      ->group("Report");
  app->add_flag("--all", options->all, "Everything, quantizers too")->group("Report");
  app->add_flag("--json", options->json, "Print one JSON object")->group("Report");
  return [options] { return RunList(*options); };
}

}  // namespace vqc
