// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/media_inputs.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "apps/vqcodec/records.h"
#include "data/media/audio/audio.h"
#include "data/media/media.h"

namespace vqc {

namespace {

bool IsReadable(std::span<const MediaFormat> formats, std::string_view extension) {
  if (extension.empty()) return false;
  for (const MediaFormat& format : formats) {
    for (std::string_view rest = format.extensions; format.reads && !rest.empty();) {
      const size_t end = std::min(rest.find(' '), rest.size());
      if (rest.substr(0, end) == extension) return true;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return false;
}

}  // namespace

bool IsReadableImage(std::string_view extension) { return IsReadable(MediaFormats(), extension); }

bool IsReadableMedia(std::string_view extension) {
  // Samples without a header are no file that is found in a folder.
  const bool raw = extension == ".raw" || extension == ".pcm";
  return IsReadableImage(extension) || (!raw && IsReadable(AudioFormats(), extension));
}

Result<Clip> ReadWholeImage(const std::string& path, const Limits& limits) {
  VQC_ASSIGN(const auto reader, OpenMedia(path, limits));
  VQC_ASSIGN(auto clip, reader->Next(std::numeric_limits<int>::max()));
  if (!clip) return Error{ErrorCode::kInput, InputName(path) + ": holds no picture"};
  return std::move(*clip);
}

Result<Colour> ParseColour(std::string_view text) {
  if (text == "white") return Colour{1, 1, 1};
  if (text == "black") return Colour{-1, -1, -1};
  if (text == "gray") return Colour{0, 0, 0};
  uint32_t value = 0;
  if (text.size() == 7 && text[0] == '#') {
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + 7, value, 16);
    if (error == std::errc() && end == text.data() + 7) {
      const auto sample = [value](int shift) {
        return static_cast<float>((value >> shift & 255) / 127.5 - 1.0);
      };
      return Colour{sample(16), sample(8), sample(0)};
    }
  }
  return Error{ErrorCode::kUsage, std::string(text) + " is not a colour; give #rrggbb, white, black or gray"};
}

BatchPlan PlanOfJobs(const std::string& command, const std::vector<Job>& jobs) {
  BatchPlan plan;
  plan.command = command;
  plan.count = jobs.size();
  plan.name = [&jobs](size_t i) { return InputName(jobs[i].input); };
  plan.head = [&jobs](size_t i) { return Json{{"input", jobs[i].input}, {"output", jobs[i].output}}; };
  return plan;
}

bool AnyToRun(const std::vector<Job>& jobs) {
  return std::any_of(jobs.begin(), jobs.end(), [](const Job& job) { return !job.refusal && !job.skip; });
}

Status KeepApart(const std::vector<Job>& jobs, const RunOptions& options) {
  if (!options.json && !options.jsonl) return {};
  for (const Job& job : jobs) {
    if (job.output == "-" || job.output == "/dev/stdout") {
      return Error{ErrorCode::kUsage,
                   "the report and the output would both go to standard output; name an --output"};
    }
  }
  return {};
}

Result<ItemReport> SkippedItem() {
  ItemReport report;
  report.record["skipped"] = true;
  report.skipped = true;
  return report;
}

}  // namespace vqc
