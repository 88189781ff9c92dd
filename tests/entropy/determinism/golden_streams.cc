// SPDX-License-Identifier: Apache-2.0
// Encodes and decodes the golden streams of tests/golden/v1/entropy/streams/, and says how many came out
// otherwise:
//   golden_streams FOLDER_OF_GOLDENS [--threads N] [--update] [--tokens FILE]
// --update writes goldens that are missing; those that are there are frozen (tests/structure/frozen.py).
// FOLDER_OF_GOLDENS is tests/golden/v1/entropy, which also has the tables of the trained priors. Every thread
// does all streams. Without a test framework, so that it builds in seconds with any compiler and any flags
// (matrix.py).
#include <atomic>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "entropy/priors.h"
#include "entropy/rans/kernels.h"
#include "entropy/row_coder.h"
#include "entropy/token_coder.h"
#include "entropy/windows.h"
#include "tests/entropy/rans/symbol_streams.h"
#include "tests/entropy/token_maps.h"

namespace vqc {
namespace {

using Bytes = std::vector<uint8_t>;
const std::vector<uint32_t> kSmall = {4, 3};

Bytes ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Golden {
  std::string name;
  std::string prior;  // empty: rows
  Tokens tokens;
  uint32_t window_bytes = 0;
  std::vector<uint16_t> rows;  // of the symbols in tokens.ids
};

Tokens Skewed(TokenShape shape, uint32_t vocab, uint32_t seed) {
  return {shape, std::vector<uint32_t>(shape.levels, vocab), SkewedSymbols(vocab, shape.Count(), seed)};
}

// Every third token repeats the one to the left, every fifth the one above.
Tokens Repeating(TokenShape shape, uint32_t vocab, uint32_t seed) {
  Tokens tokens = Skewed(shape, vocab, seed);
  const size_t column = shape.levels, row = column * shape.w;
  for (size_t i = row; i < tokens.ids.size(); ++i) {
    if (i * 2654435761u % 3 == 0) tokens.ids[i] = tokens.ids[i - column];
    if (i * 2654435761u % 5 == 0) tokens.ids[i] = tokens.ids[i - row];
  }
  return tokens;
}

std::vector<Golden> AllGoldens() {
  std::vector<Golden> all;
  const auto add = [&all](const std::string& prior, const std::string& map, Tokens tokens,
                          uint32_t window = 0) {
    all.push_back({prior + (window ? "-windows-" : "-") + map, prior, std::move(tokens), window, {}});
  };
  // Those of tests/entropy/golden_test.cc, which lie a folder higher.
  for (const char* prior :
       {"uniform", "adaptive", "static", "mixing", "neural", "table", "blockwise", "codeword"}) {
    const std::string above = std::string("../") + prior;
    all.push_back({above + "-0", prior, SmoothMap({1, 1, 12, 10}, kSmall, 50), 0, {}});
    all.push_back({above + "-1", prior, RandomMap({1, 1, 5, 9}, {12}, 51), 0, {}});
    all.push_back({above + "-2", prior, SmoothMap({1, 3, 4, 4}, kSmall, 52), 0, {}});
    all.push_back({above + "-3", prior, {{1, 1, 1, 1}, {12}, {7}}, 0, {}});
  }
  for (const char* prior : {"uniform", "adaptive"}) {
    const std::string above = std::string("../") + prior;
    all.push_back({above + "-generic", prior, RandomMap({3, 20, 1, 1}, {1000, 17, 1u << 20}, 53), 0, {}});
  }
  for (const char* prior : {"uniform", "adaptive", "static", "mixing", "neural", "table", "blockwise",
                            "codeword"}) {  // vocabularies of 12
    add(prior, "smooth", SmoothMap({1, 1, 24, 31}, kSmall, 60));
    add(prior, "random", RandomMap({1, 1, 17, 5}, {12}, 61));
    add(prior, "frames", SmoothMap({1, 5, 6, 7}, kSmall, 62));
    add(prior, "sequence", SmoothMap({1, 200, 1, 1}, kSmall, 63));
  }
  for (const char* prior : {"uniform", "adaptive", "static", "mixing", "neural", "codeword"}) {
    add(prior, "smooth", SmoothMap({1, 1, 16, 16}, kSmall, 64), 32);
    add(prior, "frames", SmoothMap({1, 3, 6, 7}, kSmall, 65), 100);
  }
  for (const char* prior : {"uniform", "adaptive", "table", "blockwise"}) {
    add(prior, "levels", RandomMap({4, 60, 1, 1}, {1000, 1, 17, 1u << 20}, 66));
    add(prior, "large-vocabulary", Skewed({1, 1, 60, 50}, 64000, 67));
    add(prior, "zeros", {{1, 1, 40, 40}, {300}, std::vector<uint32_t>(1600, 0)});
  }
  for (const char* prior : {"table", "blockwise"}) {  // enough for 32 lanes
    add(prior, "wide", Skewed({1, 1, 181, 190}, 100, 68));
    add(prior, "wide-1024", Skewed({1, 1, 200, 200}, 1024, 69));
    add(prior, "wide-even", RandomMap({1, 1, 181, 182}, {5}, 70));
    add(prior, "wide-repeating", Repeating({1, 2, 160, 160}, 200, 71));
    add(prior, "frames-and-levels", Repeating({8, 400, 1, 1}, 64, 72));
  }
  for (const uint32_t width : {2u, 300u, 1024u}) {
    std::mt19937 random(width);
    Golden golden{"rows-" + std::to_string(width), "", {{1, 1, 1, 200}, {width}, {}}, 0, {}};
    for (size_t i = 0; i < 200; ++i) {
      for (uint32_t k = 0; k < width; ++k) golden.rows.push_back(static_cast<uint16_t>(1 + random() % 60000));
      golden.tokens.ids.push_back(random() % width);
    }
    all.push_back(std::move(golden));
  }
  return all;
}

constexpr uint32_t kSalt = 8;

Result<Bytes> Encode(const Golden& golden, const PriorModel* model) {
  if (!model) return EncodeRows(golden.rows, golden.tokens.vocab[0], golden.tokens.ids);
  if (golden.window_bytes > 0) return EncodeWindows(golden.tokens, *model, golden.window_bytes, kSalt);
  return EncodeTokens(golden.tokens, *model);
}

Result<Tokens> Decode(const Golden& golden, const PriorModel* model, const Bytes& bytes) {
  const TokenShape& shape = golden.tokens.shape;
  if (!model) {
    Tokens tokens{shape, golden.tokens.vocab, std::vector<uint32_t>(golden.tokens.ids.size())};
    VQC_TRY(DecodeRows(bytes, golden.rows, tokens.vocab[0], tokens.ids));
    return tokens;
  }
  if (golden.window_bytes > 0)
    return DecodeWindows(shape, golden.tokens.vocab, *model, bytes, kSalt, Limits{});
  return DecodeTokens(shape, golden.tokens.vocab, *model, bytes, Limits{});
}

// What is not as it should be; empty if all is.
std::string Check(const Golden& golden, const std::filesystem::path& folder, bool update) {
  std::shared_ptr<const PriorModel> model;
  if (!golden.prior.empty()) {
    const Bytes tables = ReadAll(folder / (golden.prior + ".tables"));
    const bool small = golden.tokens.vocab[0] == 12;
    auto made = MakePrior(golden.prior, small ? Factors{kSmall} : Factors{}, tables);
    if (!made.ok()) return made.error().message;
    model = *made;
  }
  const auto bytes = Encode(golden, model.get());
  if (!bytes.ok()) return bytes.error().message;
  const auto path = folder / "streams" / (golden.name + ".bin");
  if (update && !std::filesystem::exists(path)) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes->data()), static_cast<std::streamsize>(bytes->size()));
  }
  const Bytes expected = ReadAll(path);
  if (*bytes != expected) return "other bytes";
  const auto back = Decode(golden, model.get(), expected);
  if (!back.ok()) return back.error().message;
  return *back == golden.tokens ? "" : "other tokens";
}

template <class T>
std::string ListOf(const std::vector<T>& values) {
  std::string text;
  for (const T value : values) text += (text.empty() ? "" : ",") + std::to_string(value);
  return "[" + text + "]";
}

bool WriteTokens(const std::filesystem::path& path) {
  std::ofstream file(path);
  for (const Golden& golden : AllGoldens()) {
    const Tokens& tokens = golden.tokens;
    const TokenShape& shape = tokens.shape;
    file << "{\"name\":\"" << golden.name << "\",\"prior\":\"" << golden.prior
         << "\",\"shape\":" << ListOf<uint32_t>({shape.levels, shape.t, shape.h, shape.w})
         << ",\"vocab\":" << ListOf(tokens.vocab) << ",\"window\":" << golden.window_bytes
         << ",\"rows\":" << ListOf(golden.rows) << ",\"ids\":" << ListOf(tokens.ids) << "}\n";
  }
  return file.good();
}

int Run(const std::filesystem::path& folder, int threads, bool update) {
  if (update) std::filesystem::create_directories(folder / "streams");
  const std::vector<Golden> goldens = AllGoldens();
  std::atomic<int> mismatches = 0;
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      for (const Golden& golden : goldens) {
        const std::string wrong = Check(golden, folder, update);
        if (wrong.empty()) continue;
        ++mismatches;
        std::fprintf(stderr, "%s: %s\n", golden.name.c_str(), wrong.c_str());
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  const std::string_view isa = rans::ChosenKernels().name;
  std::printf("%zu streams, %d threads, %.*s: %d mismatches\n", goldens.size(), threads,
              static_cast<int>(isa.size()), isa.data(), mismatches.load());
  return mismatches == 0 ? 0 : 1;
}

}  // namespace
}  // namespace vqc

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  int threads = 1;
  bool update = false;
  for (int i = 2; i < argc; ++i) {
    if (std::strcmp(argv[i], "--update") == 0) update = true;
    if (std::strcmp(argv[i], "--tokens") == 0 && i + 1 < argc) return vqc::WriteTokens(argv[i + 1]) ? 0 : 1;
    if (std::strcmp(argv[i], "--threads") == 0 && i + 1 < argc) threads = std::atoi(argv[++i]);
  }
  return vqc::Run(argv[1], threads, update);
}
