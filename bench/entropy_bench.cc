// SPDX-License-Identifier: Apache-2.0
// Bits a token and speed of every prior on token maps, as JSON:
//   entropy_bench --train train.npy --test test.npy (--factors 8,8,8,5,5,5 | --vocab 1024)
//                 [--train-end N] [--test-begin N] [--prior NAME] [--model FOLDER]
// Maps are .npy files of little-endian uint16 or int32/uint32, [n, h, w] or [n, t]. "ideal" is the sum of
// -log2 p, "coded" the real bytes; "cold" is a trained prior without its tables. "order-0" is one table a
// digit, fitted on the training maps. --model measures the priors of a model, the earlier ones too, and no
// others.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>

#include "bench/entropy/npy.h"
#include "codec/bundle.h"
#include "entropy/priors.h"
#include "entropy/token_coder.h"

namespace vqc {
namespace {

using bench::Maps;
using bench::ReadNpy;

std::vector<Tokens> Cut(const Maps& maps, uint32_t vocab, size_t begin, size_t end) {
  std::vector<Tokens> cut;
  TokenShape shape{1, 1, 1, maps.shape.back()};
  if (maps.shape.size() > 2) shape.h = maps.shape[1];
  for (size_t i = begin; i < std::min<size_t>(end, maps.shape[0]); ++i) {
    const auto first = maps.ids.begin() + static_cast<ptrdiff_t>(i * shape.Count());
    cut.push_back({shape, {vocab}, {first, first + static_cast<ptrdiff_t>(shape.Count())}});
  }
  return cut;
}

// 0 for a model that codes whole chunks.
Result<double> IdealBits(const Tokens& tokens, const PriorModel& model) {
  if (model.Coder()) return 0.0;
  const auto prior = model.NewPrior();
  VQC_TRY(prior->Begin(tokens.shape, tokens.vocab));
  double bits = 0;
  std::vector<uint32_t> values;
  while (true) {
    VQC_ASSIGN(const Group group, prior->NextGroup());
    if (group.parts.empty()) return bits;
    values.clear();
    for (size_t i = 0; i < group.parts.size(); ++i) {
      values.push_back(tokens.ids[group.parts[i].token] / group.parts[i].divisor % group.parts[i].radix);
      bits += kTableBits - std::log2(group.tables[i].Of(values[i]).size);
    }
    prior->Observe(values);
  }
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Status Measure(const std::string& name, const PriorModel& model, const std::vector<Tokens>& test,
               size_t table_bytes, double train_seconds) {
  double ideal = 0, bytes = 0, encode = 0, decode = 0, tokens = 0;
  for (const Tokens& map : test) {
    VQC_ASSIGN(const double bits, IdealBits(map, model));
    ideal += bits;
    double start = Now();
    VQC_ASSIGN(const auto coded, EncodeTokens(map, model));
    encode += Now() - start;
    start = Now();
    VQC_ASSIGN(const Tokens back, DecodeTokens(map.shape, map.vocab, model, coded, {}));
    decode += Now() - start;
    if (back != map) return Error{ErrorCode::kInternal, name + " did not decode to what was encoded"};
    bytes += static_cast<double>(coded.size());
    tokens += static_cast<double>(map.ids.size());
  }
  std::printf(
      "{\"prior\": \"%s\", \"ideal_bits_per_token\": %.4f, \"coded_bits_per_token\": %.4f, "
      "\"encode_tokens_per_s\": %.0f, \"decode_tokens_per_s\": %.0f, \"table_bytes\": %zu, "
      "\"train_s\": %.1f}\n",
      name.c_str(), ideal / tokens, bytes * 8 / tokens, tokens / encode, tokens / decode, table_bytes,
      train_seconds);
  std::fflush(stdout);
  return {};
}

// Bits a token with one table a digit.
double OrderZeroBits(const std::vector<Digit>& plan, const std::vector<Tokens>& train,
                     const std::vector<Tokens>& test) {
  double bits = 0, count = 0;
  std::vector<std::vector<double>> seen;
  for (const Digit& digit : plan) {
    auto& values = seen.emplace_back(digit.radix, 0.5);
    double total = 0.5 * digit.radix;
    for (const Tokens& map : train) {
      for (const uint32_t id : map.ids) ++values[id / digit.divisor % digit.radix];
      total += static_cast<double>(map.ids.size());
    }
    for (double& value : values) value = -std::log2(value / total);
  }
  for (const Tokens& map : test) {
    for (const uint32_t id : map.ids) {
      for (size_t k = 0; k < plan.size(); ++k) bits += seen[k][id / plan[k].divisor % plan[k].radix];
    }
    count += static_cast<double>(map.ids.size());
  }
  return bits / count;
}

Status MeasureModel(const std::string& folder, const std::vector<Tokens>& test) {
  VQC_ASSIGN(const ModelEntry entry, FindModel(folder));
  VQC_ASSIGN(const Bundle bundle, LoadPriorOnly(entry));
  VQC_TRY(Measure(entry.card.name + " " + entry.card.prior, *bundle.prior, test, 0, 0));
  for (const BundlePrior& earlier : bundle.earlier) {
    VQC_TRY(Measure(entry.card.name + " earlier " + earlier.name, *earlier.model, test, 0, 0));
  }
  return {};
}

Status Run(const std::map<std::string, std::string>& options) {
  const auto option = [&](const std::string& name, const std::string& otherwise) {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second;
  };
  Factors factors(1);
  uint64_t vocab = 1;
  for (const char* at = option("--factors", "").c_str(); *at;) {
    char* end = nullptr;
    factors[0].push_back(static_cast<uint32_t>(std::strtoul(at, &end, 10)));
    vocab *= factors[0].back();
    at = *end ? end + 1 : end;
  }
  if (factors[0].empty()) vocab = std::stoul(option("--vocab", "65536"));
  VQC_ASSIGN(const Maps train_maps, ReadNpy(option("--train", "")));
  VQC_ASSIGN(const Maps test_maps, ReadNpy(option("--test", option("--train", ""))));
  const auto train =
      Cut(train_maps, static_cast<uint32_t>(vocab), 0, std::stoul(option("--train-end", "4294967295")));
  const auto test =
      Cut(test_maps, static_cast<uint32_t>(vocab), std::stoul(option("--test-begin", "0")), SIZE_MAX);
  const std::vector<uint32_t> one_vocab = {static_cast<uint32_t>(vocab)};
  VQC_ASSIGN(const DigitPlan plan, MakeDigitPlan(factors, one_vocab));
  std::printf("{\"prior\": \"order-0\", \"ideal_bits_per_token\": %.4f}\n",
              OrderZeroBits(plan[0], train, test));
  if (const std::string model = option("--model", ""); !model.empty()) return MeasureModel(model, test);
  for (const PriorRow& row : Priors()) {
    const std::string name(row.name);
    // Its network is not trained here.
    if (name == "neural" && option("--prior", "") != name) continue;
    if (option("--prior", name) != name) continue;
    std::vector<uint8_t> tables;
    double seconds = 0;
    if (row.trained) {
      const double start = Now();
      VQC_ASSIGN(const auto trainer, MakePriorTrainer(name, factors));
      for (const Tokens& map : train) VQC_TRY(trainer->Add(map));
      VQC_ASSIGN(tables, trainer->Finish());
      seconds = Now() - start;
      if (const auto cold = MakePrior(name, factors, {}); cold.ok()) {
        VQC_TRY(Measure(name + " cold", **cold, test, 0, 0));
      }
    }
    VQC_ASSIGN(const auto model, MakePrior(name, factors, tables));
    VQC_TRY(Measure(name, *model, test, tables.size(), seconds));
  }
  return {};
}

}  // namespace
}  // namespace vqc

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  const vqc::Status status = vqc::Run(options);
  if (!status.ok()) std::fprintf(stderr, "entropy_bench: %s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
