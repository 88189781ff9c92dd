// SPDX-License-Identifier: Apache-2.0
// Size and speed of entropy coders on large streams, as one line of JSON a coder and stream:
//   coders_bench [--rounds 5] [--maps tokens.npy --vocab N] [--write FOLDER] [--only zipf1024] [--rows 16384]
// Every round runs all coders of a stream once, so that a slow spell of the machine meets them alike; times
// are CPU time of the one thread, the least of all rounds. What is decoded is compared with what was encoded.
// `table_bytes` are part of `bytes`. --write leaves the streams as .npy for bench/entropy/peers.py; --maps
// adds token maps of a model, little-endian uint16 or uint32, [n, h, w], as one chunk of n times.
#include <time.h>
#include <zstd.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <map>

#include "bench/entropy/npy.h"
#include "bench/entropy/rans64_baseline.h"
#include "bench/entropy/streams.h"
#include "entropy/priors.h"
#include "entropy/rans/band_split.h"
#include "entropy/rans/lanes.h"
#include "entropy/rans/symbols.h"
#include "entropy/row_coder.h"
#include "entropy/token_coder.h"
#ifdef VQC_HTSCODECS
#include <htscodecs/rANS_static4x16.h>
#endif

namespace vqc::bench {
namespace {

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Coder {
  std::string name;
  std::function<size_t()> encode;  // bytes
  std::function<bool()> decode;    // whether everything came back
  size_t table_bytes = 0;
  size_t bytes = 0;
  double encode_s = 1e9, decode_s = 1e9;
  bool right = true;
};

using Coders = std::vector<Coder>;
using Ids = std::vector<uint32_t>;

void Measure(Coders& coders, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (Coder& coder : coders) {
      double start = CpuSeconds();
      coder.bytes = coder.encode();
      coder.encode_s = std::min(coder.encode_s, CpuSeconds() - start);
      start = CpuSeconds();
      const bool right = coder.decode();
      coder.decode_s = std::min(coder.decode_s, CpuSeconds() - start);
      coder.right &= right;
    }
  }
}

// The stream under a table that both sides have; what choosing, storing and building it takes is the next
// one's.
Coder TableStream(const Ids& ids, uint32_t alphabet) {
  struct State {
    rans::BandTable table;
    rans::EncodeTable encode;
    rans::DecodeTable decode;
    std::vector<uint8_t> bytes;
    Ids out;
  };
  auto state = std::make_shared<State>();
  state->table = rans::ChooseTable(ids, alphabet);
  state->encode = rans::MakeEncodeTable(state->table, alphabet);
  state->decode = rans::MakeDecodeTable(state->table);
  state->out.resize(ids.size());
  ByteWriter table;
  rans::WriteTable(state->table, alphabet, table);
  const uint32_t lanes = rans::LanesFor(ids.size());
  Coder coder{"table, stream alone (" + std::string(rans::ChosenKernels().name) + ")",
              [state, &ids, lanes, stored = table.size()] {
                rans::LaneEncoder encoder(ids.size(), lanes);
                encoder.Encode(state->encode, ids);
                state->bytes = encoder.Finish();
                return state->bytes.size() + stored;
              },
              [state, lanes] {
                auto decoder = rans::LaneDecoder::Open(state->bytes, lanes);
                decoder->Decode(state->decode, state->out);
                return decoder->Finish().ok();
              }};
  coder.table_bytes = table.size();
  return coder;
}

Coder Prior(const std::string& name, const Tokens& tokens) {
  struct State {
    std::shared_ptr<const PriorModel> model;
    std::vector<uint8_t> bytes;
  };
  auto state = std::make_shared<State>();
  state->model = *MakePrior(name, {}, {});
  return {name + ", whole chunk",
          [state, &tokens] {
            state->bytes = *EncodeTokens(tokens, *state->model);
            return state->bytes.size();
          },
          [state, &tokens] {
            Limits limits;
            limits.max_chunk_bytes = UINT32_MAX;
            const auto back = DecodeTokens(tokens.shape, tokens.vocab, *state->model, state->bytes, limits);
            return back.ok() && back->ids == tokens.ids;
          }};
}

template <class Symbol>
Coder Rans64Of(const Ids& ids, uint32_t alphabet, uint32_t bits) {
  Ids counts(alphabet);
  for (const uint32_t id : ids) ++counts[id];
  std::vector<uint64_t> weights;
  for (const uint32_t count : counts) {
    if (count > 0) weights.push_back(count);
  }
  Ids frequencies(alphabet);
  const auto scaled = rans::ScaleTo(weights, bits);
  for (size_t i = 0, next = 0; i < alphabet; ++i) frequencies[i] = counts[i] > 0 ? scaled[next++] : 0;
  struct State {
    Rans64<Symbol> coder;
    std::vector<uint32_t> buffer;
    Ids out;
    const uint32_t* code = nullptr;
  };
  auto state = std::make_shared<State>(State{Rans64<Symbol>(frequencies, bits), {}, Ids(ids.size())});
  state->buffer.resize(state->coder.MaxBytes(ids.size()) / 4);
  return {"rans64 4-way, " + std::to_string(bits) + " bits, stream alone",
          [state, &ids] {
            state->code = state->coder.Encode(ids, state->buffer);
            return static_cast<size_t>(state->buffer.data() + state->buffer.size() - state->code) * 4;
          },
          [state, &ids] {
            state->coder.Decode(state->code, state->out);
            return state->out.back() == ids.back();
          }};
}

Coder Rans64For(const Ids& ids, uint32_t alphabet, uint32_t bits) {
  return alphabet <= 65536 ? Rans64Of<uint16_t>(ids, alphabet, bits)
                           : Rans64Of<uint32_t>(ids, alphabet, bits);
}

// As little-endian uint16, or uint32 where the alphabet needs it.
std::vector<uint8_t> RawBytes(const Ids& ids, size_t width) {
  std::vector<uint8_t> bytes;
  bytes.reserve(ids.size() * width);
  for (const uint32_t id : ids) {
    for (size_t i = 0; i < width; ++i) bytes.push_back(static_cast<uint8_t>(id >> (8 * i)));
  }
  return bytes;
}

struct ByteState {
  std::vector<uint8_t> raw, coded, back;
};

Coder Zstd(std::shared_ptr<ByteState> shared, int level) {
  auto state = std::make_shared<ByteState>();
  state->coded.resize(ZSTD_compressBound(shared->raw.size()));
  state->back.resize(shared->raw.size());
  auto size = std::make_shared<size_t>(0);
  return {"zstd -" + std::to_string(level),
          [=] {
            return *size = ZSTD_compress(state->coded.data(), state->coded.size(), shared->raw.data(),
                                         shared->raw.size(), level);
          },
          [=] {
            ZSTD_decompress(state->back.data(), state->back.size(), state->coded.data(), *size);
            return state->back == shared->raw;
          }};
}

#ifdef VQC_HTSCODECS
Coder Hts(std::shared_ptr<ByteState> shared, size_t width, int order) {
  const int flags = order | RANS_ORDER_X32 | RANS_ORDER_STRIPE | static_cast<int>(width) << 8;
  auto state = std::make_shared<ByteState>();
  const auto raw_size = static_cast<unsigned>(shared->raw.size());
  state->coded.resize(rans_compress_bound_4x16(raw_size, flags));
  state->back.resize(raw_size);
  auto size = std::make_shared<unsigned>(0);
  return {"htscodecs rANS 32x16, order " + std::to_string(order) + ", striped",
          [=] {
            *size = static_cast<unsigned>(state->coded.size());
            rans_compress_to_4x16(shared->raw.data(), raw_size, state->coded.data(), size.get(), flags);
            return size_t{*size};
          },
          [=] {
            unsigned back = raw_size;
            rans_uncompress_to_4x16(state->coded.data(), *size, state->back.data(), &back);
            return state->back == shared->raw;
          }};
}
#endif

void Print(const SymbolStream& stream, const Coder& coder) {
  const double n = static_cast<double>(stream.tokens.ids.size());
  const double net = 8.0 * static_cast<double>(coder.bytes - coder.table_bytes) / n;
  std::printf(
      "{\"stream\": \"%s\", \"symbols\": %.0f, \"entropy_bits\": %.4f, \"neighbour_entropy_bits\": %.4f, "
      "\"coder\": \"%s\", \"bits_per_symbol\": %.4f, \"over_entropy_without_table\": %.5f, \"bytes\": %zu, "
      "\"table_bytes\": %zu, \"encode_msym_per_s\": %.1f, \"decode_msym_per_s\": %.1f, \"right\": %s}\n",
      stream.name.c_str(), n, stream.entropy, stream.neighbour, coder.name.c_str(),
      8.0 * static_cast<double>(coder.bytes) / n, net / stream.entropy - 1, coder.bytes, coder.table_bytes,
      n / coder.encode_s / 1e6, n / coder.decode_s / 1e6, coder.right ? "true" : "false");
  std::fflush(stdout);
}

void MeasureStream(const SymbolStream& stream, int rounds) {
  const Ids& ids = stream.tokens.ids;
  const uint32_t alphabet = stream.tokens.vocab[0];
  const size_t width = alphabet <= 65536 ? 2 : 4;
  auto raw = std::make_shared<ByteState>();
  raw->raw = RawBytes(ids, width);
  Coders coders = {TableStream(ids, alphabet), Prior("table", stream.tokens),
                   Prior("blockwise", stream.tokens)};
  coders[1].table_bytes = coders[0].table_bytes;
  const uint32_t bits = alphabet <= 4096 ? 16 : alphabet <= 65536 ? 18 : 20;
  coders.push_back(Rans64For(ids, alphabet, bits));
  if (bits == 20) coders.push_back(Rans64For(ids, alphabet, 22));
  coders.push_back(Zstd(raw, 1));
  coders.push_back(Zstd(raw, 3));
#ifdef VQC_HTSCODECS
  coders.push_back(Hts(raw, width, 0));
  coders.push_back(Hts(raw, width, 1));
#endif
  Measure(coders, rounds);
  for (const Coder& coder : coders) Print(stream, coder);
}

// Rows of 1024 weights about as a network gives them: a few likely symbols, a long tail.
void MeasureRows(size_t count, int rounds) {
  constexpr size_t kWidth = 1024;
  std::mt19937_64 random(20240);
  std::vector<uint16_t> rows(count * kWidth);
  for (uint16_t& weight : rows) weight = static_cast<uint16_t>(1 + (random() >> (50 + random() % 12)));
  Ids symbols(count), out(count);
  double ideal = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint16_t* row = &rows[i * kWidth];
    const auto sum = std::accumulate(row, row + kWidth, uint64_t{0});
    uint64_t at = random() % sum;
    uint32_t symbol = 0;
    while (at >= row[symbol]) at -= row[symbol++];
    symbols[i] = symbol;
    ideal += std::log2(static_cast<double>(sum) / row[symbol]);
  }
  std::vector<uint8_t> bytes;
  Coders coders = {{"rows of 1024",
                    [&] {
                      bytes = *EncodeRows(rows, kWidth, symbols);
                      return bytes.size();
                    },
                    [&] { return DecodeRows(bytes, rows, kWidth, out).ok() && out == symbols; }}};
  Measure(coders, rounds);
  SymbolStream stream{"rows1024", {{1, 1, 1, static_cast<uint32_t>(count)}, {kWidth}, symbols}};
  stream.entropy = ideal / static_cast<double>(count);
  Print(stream, coders[0]);
}

Status WriteNpy(const std::string& path, const Ids& ids) {
  std::string head =
      "{'descr': '<u4', 'fortran_order': False, 'shape': (" + std::to_string(ids.size()) + ",), }";
  head.resize((head.size() + 10) / 64 * 64 + 64 - 10 - 1, ' ');
  head += '\n';
  std::ofstream file(path, std::ios::binary);
  file.write("\x93NUMPY\x01\x00", 8);
  file.put(static_cast<char>(head.size() & 0xFF)).put(static_cast<char>(head.size() >> 8));
  file << head;
  const auto bytes = RawBytes(ids, 4);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (file.good()) return {};
  return Error{ErrorCode::kOutput, path + " cannot be written"};
}

Status Run(const std::map<std::string, std::string>& options) {
  const auto option = [&](const std::string& name, const std::string& otherwise) {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second;
  };
  const int rounds = std::stoi(option("--rounds", "5"));
  const std::function<SymbolStream()> streams[] = {[] { return Zipf(1024); }, [] { return Zipf(16384); },
                                                   [] { return Zipf(262144); },
                                                   [] { return Zipf(1024, 0.3); }};
  const char* names[] = {"zipf1024", "zipf16384", "zipf262144", "map1024"};
  const std::string only = option("--only", "");
  for (size_t i = 0; i < std::size(names); ++i) {
    if (!only.empty() && only != names[i]) continue;
    const SymbolStream stream = streams[i]();
    if (const std::string folder = option("--write", ""); !folder.empty()) {
      VQC_TRY(WriteNpy(folder + "/" + stream.name + ".npy", stream.tokens.ids));
    }
    MeasureStream(stream, rounds);
  }
  if (const std::string path = option("--maps", ""); !path.empty()) {
    VQC_ASSIGN(const Maps maps, ReadNpy(path));
    TokenShape shape{1, maps.shape[0], 1, maps.shape.back()};
    if (maps.shape.size() > 2) shape.h = maps.shape[1];
    SymbolStream stream{"maps",
                        {shape, {static_cast<uint32_t>(std::stoul(option("--vocab", "65536")))}, maps.ids}};
    stream.entropy = EntropyOf(stream.tokens.ids);
    VQC_TRY(CheckTokens(stream.tokens));
    MeasureStream(stream, rounds);
  }
  if (only.empty() || only == "rows1024") MeasureRows(std::stoul(option("--rows", "16384")), rounds);
  return {};
}

}  // namespace
}  // namespace vqc::bench

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  const vqc::Status status = vqc::bench::Run(options);
  if (!status.ok()) std::fprintf(stderr, "coders_bench: %s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
