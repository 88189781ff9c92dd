// SPDX-License-Identifier: Apache-2.0
#include "training/processes.h"

#include <torch/torch.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "base/printable.h"
#include "models/device.h"
#include "training/nccl.h"

namespace vqc {
namespace {

constexpr std::chrono::minutes kPatience{30};  // with processes that do not come along
constexpr std::chrono::seconds kFarewell{60};  // until all have left
constexpr size_t kPiece = 4 << 20;             // bytes; a TCPStore takes values of at most 8 MiB
constexpr int64_t kKept = 1024;                // agreements; no process falls behind that many steps

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

Result<int64_t> NumberIn(const char* name, int64_t low, int64_t high) {
  const std::string text = Variable(name);
  const bool number =
      !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
  const int64_t value = number ? std::stoll(text) : -1;
  if (number && value >= low && value <= high) return value;
  return Error{ErrorCode::kUsage, std::string(name) + " is \"" + Printable(text) + "\"; it must be from " +
                                      std::to_string(low) + " to " + std::to_string(high) +
                                      " where WORLD_SIZE is set, as torchrun does it"};
}

// What processes tell each other through the store of the first, or of torchrun.
class Board {
 public:
  Board(const std::string& host, int64_t port, int64_t rank, int64_t count) : rank_(rank), count_(count) {
    c10d::TCPStoreOptions options;
    const bool torchrun = Variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
    options.port = static_cast<uint16_t>(port);
    options.isServer = rank == 0 && !torchrun;
    options.numWorkers = torchrun ? std::nullopt : std::optional<size_t>(count);
    options.waitWorkers = !torchrun;
    options.timeout = kPatience;
    store_ = c10::make_intrusive<c10d::TCPStore>(host, options);
    prefix_ = "vqcodec/" + Variable("TORCHELASTIC_RESTART_COUNT") + "/";
  }
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;
  // The one that holds the store leaves last.
  ~Board() {
    try {
      Put("left/" + std::to_string(rank_), {1});
      if (rank_ != 0) return;
      std::vector<std::string> all;
      for (int64_t rank = 0; rank < count_; ++rank) all.push_back(prefix_ + "left/" + std::to_string(rank));
      store_->wait(all, kFarewell);
    } catch (const std::exception&) {  // the others failed, and say so themselves
    }
  }

  int64_t rank() const { return rank_; }
  int64_t count() const { return count_; }
  void Put(const std::string& key, const std::vector<uint8_t>& value) { store_->set(prefix_ + key, value); }
  std::vector<uint8_t> Get(const std::string& key) { return store_->get(prefix_ + key); }
  std::vector<std::vector<uint8_t>> GetAll(std::vector<std::string> keys) {
    for (std::string& key : keys) key = prefix_ + key;
    return store_->multiGet(keys);
  }
  void Drop(const std::string& key) { store_->deleteKey(prefix_ + key); }

  double Agree(double value) {
    const std::string key = "agree/" + std::to_string(agreed_);
    if (rank_ == 0) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
      Put(key, {bytes, bytes + sizeof value});
      if (agreed_ >= kKept) Drop("agree/" + std::to_string(agreed_ - kKept));
    } else {
      const auto bytes = Get(key);
      TORCH_CHECK(bytes.size() == sizeof value, "another process sent ", bytes.size(), " bytes");
      std::memcpy(&value, bytes.data(), sizeof value);
    }
    ++agreed_;
    return value;
  }

 private:
  int64_t rank_, count_, agreed_ = 0;
  c10::intrusive_ptr<c10d::TCPStore> store_;
  std::string prefix_;
};

class CpuProcesses : public Processes {
 public:
  explicit CpuProcesses(std::unique_ptr<Board> board)
      : Processes(board->rank(), board->count()), board_(std::move(board)) {}

  void Sum(const std::vector<torch::Tensor>& tensors) override {
    if (tensors.empty()) return;
    std::vector<torch::Tensor> flat;
    for (const torch::Tensor& tensor : tensors) flat.push_back(tensor.detach().reshape({-1}));
    const auto parts = Gather(torch::cat(flat));
    auto sum = parts[0];
    for (size_t i = 1; i < parts.size(); ++i) sum.add_(parts[i]);
    int64_t at = 0;
    for (const torch::Tensor& tensor : tensors) {
      tensor.detach().copy_(sum.slice(0, at, at + tensor.numel()).view(tensor.sizes()));
      at += tensor.numel();
    }
  }

  std::vector<torch::Tensor> Gather(const torch::Tensor& tensor) override {
    const auto own = tensor.detach().contiguous();
    const auto* bytes = static_cast<const uint8_t*>(own.const_data_ptr());
    const size_t size = own.nbytes();
    if (size == 0)
      return std::vector<torch::Tensor>(static_cast<size_t>(count()), own);  // no round: nobody waits
    std::vector<torch::Tensor> all;
    for (int64_t from = 0; from < count(); ++from) all.push_back(torch::empty_like(own));
    for (size_t at = 0; at < size; at += kPiece) {
      board_->Put(Key(round_, rank(), at), {bytes + at, bytes + std::min(size, at + kPiece)});
    }
    for (size_t at = 0; at < size; at += kPiece) {
      std::vector<std::string> keys;
      for (int64_t from = 0; from < count(); ++from) keys.push_back(Key(round_, from, at));
      const auto pieces = board_->GetAll(keys);
      for (size_t from = 0; from < pieces.size(); ++from) {
        TORCH_CHECK(pieces[from].size() == std::min(size, at + kPiece) - at, "process ", from, " sent ",
                    pieces[from].size(), " bytes in round ", round_, "; all processes must be started alike");
        std::memcpy(static_cast<uint8_t*>(all[from].mutable_data_ptr()) + at, pieces[from].data(),
                    pieces[from].size());
      }
    }
    // Whoever has come to this round has read all of the last one.
    for (size_t at = 0; at < last_size_; at += kPiece) board_->Drop(Key(round_ - 1, rank(), at));
    last_size_ = size;
    ++round_;
    return all;
  }

  double Agree(double value) override { return board_->Agree(value); }

 private:
  static std::string Key(int64_t round, int64_t rank, size_t at) {
    return std::to_string(round) + "/" + std::to_string(rank) + "/" + std::to_string(at);
  }

  std::unique_ptr<Board> board_;
  int64_t round_ = 0;
  size_t last_size_ = 0;
};

class GpuProcesses : public Processes {
 public:
  GpuProcesses(std::unique_ptr<Board> board, std::unique_ptr<NcclGroup> group)
      : Processes(board->rank(), board->count()), board_(std::move(board)), group_(std::move(group)) {}

  void Sum(const std::vector<torch::Tensor>& tensors) override { group_->Sum(tensors); }
  std::vector<torch::Tensor> Gather(const torch::Tensor& tensor) override {
    return group_->Gather(tensor).unbind(0);
  }
  double Agree(double value) override { return board_->Agree(value); }

 private:
  std::unique_ptr<Board> board_;
  std::unique_ptr<NcclGroup> group_;
};

class Alone : public Processes {
 public:
  Alone() : Processes(0, 1) {}
};

Result<std::unique_ptr<NcclGroup>> JoinNccl(Board& board, torch::Device device) {
  NcclId id{};
  if (board.rank() == 0) {
    VQC_ASSIGN(id, NewNcclId());
    board.Put("nccl", {id.begin(), id.end()});
  } else {
    const auto bytes = board.Get("nccl");
    TORCH_CHECK(bytes.size() == id.size(), "another process sent ", bytes.size(), " bytes");
    std::copy(bytes.begin(), bytes.end(), id.begin());
  }
  return NcclGroup::Join(id, board.rank(), board.count(), device);
}

}  // namespace

Result<std::unique_ptr<Processes>> Processes::Meet(torch::Device device) {
  if (Variable("WORLD_SIZE").empty()) return std::unique_ptr<Processes>(std::make_unique<Alone>());
  VQC_ASSIGN(const int64_t count, NumberIn("WORLD_SIZE", 1, 65536));
  if (count == 1) return std::unique_ptr<Processes>(std::make_unique<Alone>());
  VQC_ASSIGN(const int64_t rank, NumberIn("RANK", 0, count - 1));
  VQC_ASSIGN(const int64_t port, NumberIn("MASTER_PORT", 1, 65535));
  const std::string host = Variable("MASTER_ADDR");
  if (host.empty()) return Error{ErrorCode::kUsage, "MASTER_ADDR is not set; torchrun sets it"};
  try {
    auto board = std::make_unique<Board>(host, port, rank, count);
    if (device.is_cpu()) return std::unique_ptr<Processes>(std::make_unique<CpuProcesses>(std::move(board)));
    VQC_ASSIGN(auto group, JoinNccl(*board, device));
    return std::unique_ptr<Processes>(std::make_unique<GpuProcesses>(std::move(board), std::move(group)));
  } catch (const std::exception& e) {
    const std::string text = e.what();
    return Error{ErrorCode::kResource, "meeting the other processes at " + Printable(host) + ":" +
                                           std::to_string(port) + ": " + text.substr(0, text.find('\n'))};
  }
}

void Processes::TakeFirst(const std::vector<torch::Tensor>& tensors) {
  if (count_ == 1) return;
  const torch::NoGradGuard no_grad;
  for (const torch::Tensor& tensor : tensors) torch::Tensor(tensor).copy_(Gather(tensor).front());
}

std::vector<CodebookSums> Processes::Merge(const std::vector<CodebookSums>& seen) {
  if (count_ == 1) return seen;
  std::vector<CodebookSums> all = seen;
  for (CodebookSums& sums : all) {
    Sum({sums.counts, sums.sums});
    MergeCandidates(Gather(sums.candidates), Gather(sums.keys), sums);
  }
  return all;
}

Result<c10::Device> ResolveDeviceOfProcess(const std::string& device) {
  const bool several = !Variable("WORLD_SIZE").empty() && Variable("WORLD_SIZE") != "1";
  if (!several || (device != "cuda" && device != "auto")) return ResolveDevice(device);
  VQC_ASSIGN(const int64_t local, NumberIn("LOCAL_RANK", 0, 1023));
  const auto own = ResolveDevice("cuda:" + std::to_string(local));
  return own.ok() || device == "cuda" ? own : ResolveDevice("cpu");
}

}  // namespace vqc
