// SPDX-License-Identifier: Apache-2.0
// What eval does alike with pictures and sound: every contender on every item, with table, state and report.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/eval_journal.h"
#include "apps/vqcodec/figures.h"
#include "apps/vqcodec/inputs.h"
#include "base/clip.h"
#include "eval/token_statistics.h"

namespace vqc {

struct EvalOptions {
  std::string classifier, lpips;  // of pictures: files of weights of what judges them; empty for none
  std::string decoders;   // of pictures: names or folders with commas between them; empty: the models' own
  std::string levels;     // of sound: numbers with commas between them; empty: all
  std::string rungs;      // of pictures, the same; empty: the highest
  std::string against;    // other codecs, names with commas between them
  std::string report;     // folder; empty for none
  int report_items = -1;  // that the page shows of each model; -1: as many as are usual
  bool force = false;
  std::string state;  // file in which finished items are kept; empty for none
};

// A model, or another codec at one quality, on all items.
struct Contender {
  std::string codec, setting;  // together the name; settings of one codec are points of one curve
  Json identity;               // what its figures depend on, for the state
  std::string described;       // hash of the model or settings of the codec, for the report
  bool is_model = true;
  bool on_page = true;            // its items are shown in the report
  std::function<Status()> ready;  // waits until it can measure; empty: it can at once

  struct How {
    bool alone = false;    // nothing else runs: memory can be measured
    Json* page = nullptr;  // where not null, it gets what the page shows of the item
  };
  std::function<Result<MeasuredItem>(const Clip& item, const How& how)> measure;

  std::string Name() const { return is_model && codec == "vqcodec" ? setting : codec + " " + setting; }
};

struct EvalPlan {
  Modality modality = Modality::kImage;
  std::vector<Column> columns;
  std::vector<MetricInfo> metrics;  // of them, what is plotted against the rate
  std::vector<InputFile> inputs;
  std::vector<Contender> contenders;
  Json environment = Json::object();  // more lines for the report: codecs that could not be had, and why
  size_t shown = 0;                   // so many first items are on the page
  std::function<Result<Clip>(const std::string& path)> read;
  std::function<Json(const Clip& original)> original;  // for the page, once an item; may be empty
  // Figures of a contender's items together, from their MeasuredItem::features; may be empty.
  std::function<Json(const std::vector<std::vector<float>>& features)> of_all;
};

// Prepares folder and state, measures, and prints; returns the exit status.
int RunEvaluation(EvalPlan plan, const EvalOptions& options, const RunOptions& run);

// "a,b" as {"a", "b"}, an empty text as one empty name.
std::vector<std::string> NamesIn(const std::string& list);
// "2,4" as {2, 4}, each at most `most`, and none twice. kUsage says what is no number from 1 on; `what` they
// are is the option's name.
Result<std::vector<uint32_t>> NumbersIn(const std::string& list, uint32_t most, const std::string& what);

}  // namespace vqc
