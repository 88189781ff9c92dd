// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer:
//   TARGET [--mutations N] [--seconds N] [--seed N] FILE_OR_FOLDER...
// Every file is run as it is, and then N times with random damage, the same in every run of the same seed;
// and again, with other damage, until the seconds are over. When the target aborts, crashes or works for half
// a minute, the bytes are left in ./failed-input, which it takes as an argument.
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

#include "tests/fuzz/fuzz_input.h"

namespace {

using Bytes = std::vector<uint8_t>;
Bytes current;

void KeepInput(int signal_number) {
  const int file = open("failed-input", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const bool kept = file >= 0 && write(file, current.data(), current.size()) >= 0;
  constexpr std::string_view kText = "failed; the bytes are in ./failed-input\n";
  if (kept && write(STDERR_FILENO, kText.data(), kText.size()) < 0) _exit(1);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

Bytes ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Damage(Bytes& bytes, const Bytes& other, std::mt19937& random) {
  const auto place = [&](size_t size) { return size == 0 ? 0 : random() % size; };
  const auto at = [&](size_t i) { return bytes.begin() + static_cast<ptrdiff_t>(i); };
  switch (random() % 7) {
    case 0:
      if (!bytes.empty()) bytes[place(bytes.size())] ^= static_cast<uint8_t>(1u << random() % 8);
      return;
    case 1:
      if (!bytes.empty()) bytes[place(bytes.size())] = static_cast<uint8_t>(random());
      return;
    case 2:
      bytes.insert(at(place(bytes.size() + 1)), static_cast<uint8_t>(random()));
      return;
    case 3:
      bytes.resize(place(bytes.size() + 1));
      return;
    case 4: {
      const size_t from = place(bytes.size());
      bytes.erase(at(from), at(std::min(bytes.size(), from + 1 + random() % 8)));
      return;
    }
    case 5: {  // extreme numbers, where sizes may stand
      static constexpr uint8_t kExtremes[] = {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF};
      const size_t from = place(bytes.size()), count = 1 + random() % 8;
      const uint8_t value = kExtremes[random() % std::size(kExtremes)];
      for (size_t i = from; i < std::min(bytes.size(), from + count); ++i) bytes[i] = value;
      return;
    }
    default: {  // a piece of another input
      const size_t from = place(other.size()), to = std::min(other.size(), from + random() % 64);
      bytes.insert(at(place(bytes.size() + 1)), other.begin() + static_cast<ptrdiff_t>(from),
                   other.begin() + static_cast<ptrdiff_t>(to));
      return;
    }
  }
}

void Run(Bytes bytes) {
  current = std::move(bytes);
  // Of work; what only waits, for a busy machine too, has longer.
  const itimerval work{.it_interval = {}, .it_value = {.tv_sec = 30, .tv_usec = 0}};
  setitimer(ITIMER_PROF, &work, nullptr);
  alarm(600);
  LLVMFuzzerTestOneInput(current.data(), current.size());
}

}  // namespace

int main(int argc, char** argv) {
  int mutations = 0;
  long seconds = 0;
  uint32_t seed_number = 1;
  std::vector<std::filesystem::path> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--mutations" && i + 1 < argc) {
      mutations = std::atoi(argv[++i]);
    } else if (argument == "--seconds" && i + 1 < argc) {
      seconds = std::atol(argv[++i]);
    } else if (argument == "--seed" && i + 1 < argc) {
      seed_number = static_cast<uint32_t>(std::atol(argv[++i]));
    } else if (std::filesystem::is_directory(argument)) {
      for (const auto& entry : std::filesystem::directory_iterator(argument)) paths.push_back(entry.path());
    } else {
      paths.emplace_back(argument);
    }
  }
  std::sort(paths.begin(), paths.end());
  if (paths.empty()) return std::fprintf(stderr, "no inputs\n"), 2;
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM, SIGPROF})
    signal(number, KeepInput);
  std::vector<Bytes> seeds;
  for (const auto& path : paths) seeds.push_back(ReadAll(path));
  std::mt19937 random(seed_number);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  uint64_t executions = 0;
  do {
    for (const Bytes& seed : seeds) {
      Run(seed);
      for (int i = 0; i < mutations; ++i) {
        Bytes bytes = seed;
        for (uint32_t count = 1 + random() % 4; count > 0; --count)
          Damage(bytes, seeds[random() % seeds.size()], random);
        Run(std::move(bytes));
      }
      executions += 1 + static_cast<uint64_t>(mutations);
    }
  } while (std::chrono::steady_clock::now() < end);
  std::printf("%zu inputs, %llu executions\n", seeds.size(), static_cast<unsigned long long>(executions));
  return 0;
}
