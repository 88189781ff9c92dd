// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/batch.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/progress.h"
#include "base/stopwatch.h"

namespace vqc {
namespace {

class BatchRun {
 public:
  BatchRun(const BatchPlan& plan, const RunOptions& options)
      : plan_(plan),
        options_(options),
        progress_(options.quiet ? "never" : options.progress, plan.count),
        records_(plan.count),
        texts_(plan.count) {}

  int Run() {
    if (!Machine()) Print(plan_.header);
    const size_t workers = std::min(plan_.count, static_cast<size_t>(options_.Workers()));
    std::vector<std::thread> others;
    for (size_t i = 1; i < workers; ++i) others.emplace_back([this] { Work(); });
    Work();
    for (std::thread& other : others) other.join();
    progress_.Clear();
    if (fatal_) return Abandon();
    Summarize();
    return ExitStatus();
  }

 private:
  void Work() {
    while (const std::optional<size_t> item = Take()) {
      Result<ItemReport> report = RunItem(*item);
      const std::lock_guard lock(mutex_);
      if (fatal_) return;
      Finish(*item, std::move(report));
    }
  }

  std::optional<size_t> Take() {
    const std::lock_guard lock(mutex_);
    if (fatal_ || stopped_ || next_ == plan_.count) return std::nullopt;
    return next_++;
  }

  Result<ItemReport> RunItem(size_t i) {
    try {
      VQC_ASSIGN(const BatchPlan::Finish finish, plan_.begin(i));
      if (plan_.ready) {
        if (Status ready = plan_.ready(); !ready.ok()) {
          const std::lock_guard lock(mutex_);
          if (!fatal_) fatal_ = ready.error();
          return std::move(ready).error();
        }
      }
      return finish();
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::kResource, "there is not enough memory; use fewer --jobs or a smaller input"};
    } catch (const std::exception& thrown) {
      return Error{ErrorCode::kInternal, thrown.what()};
    }
  }

  // REQUIRES: the lock is held.
  void Finish(size_t i, Result<ItemReport> report) {
    progress_.Clear();
    Json record = plan_.head(i);
    int exit_code = kExitOk;
    if (report.ok()) {
      record.update(report->record);
      exit_code = report->exit_code;
      texts_[i] = std::move(report->text);
      if (report->skipped) ++skipped_;
      const bool noted = options_.verbose || (plan_.count == 1 && !options_.quiet && !Machine());
      if (noted && !report->note.empty()) std::fprintf(stderr, "%s\n", report->note.c_str());
      for (const std::string& warning : report->warnings) {
        std::fprintf(stderr, "%s\n", ErrorLine(plan_.name(i), {ErrorCode::kCorruptData, warning}).c_str());
      }
      record["error"] = nullptr;
    } else {
      exit_code = ExitCodeOf(report.error().code);
      const std::string line = ErrorLine(plan_.name(i), report.error());
      std::fprintf(stderr, "%s\n", line.c_str());
      record["error"] = line;
      texts_[i] = "";
    }
    record["exit_code"] = exit_code;
    if (exit_code != kExitOk) {
      ++failures_[exit_code];
      if (options_.fail_fast) stopped_ = true;
    }
    if (options_.jsonl) Print(JsonLine(record) + "\n");
    records_[i] = std::move(record);
    ++done_;
    PrintTexts();
    progress_.Update(done_);
  }

  int Abandon() {
    const int exit_code = Fail(plan_.command, *fatal_);
    const Json all = {
        {"command", plan_.command}, {"error", ErrorLine("", *fatal_)}, {"exit_code", exit_code}};
    if (Machine()) Print(JsonLine(all) + "\n");
    return exit_code;
  }

  // Results leave in the order of the inputs.
  void PrintTexts() {
    for (; printed_ < plan_.count && texts_[printed_]; ++printed_) {
      if (!Machine()) Print(*texts_[printed_]);
      texts_[printed_]->clear();
    }
  }

  void Print(const std::string& text) {
    if (text.empty()) return;
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  void Summarize() {
    std::vector<Json> records;
    for (Json& record : records_) {
      if (!record.is_null()) records.push_back(std::move(record));  // null: not begun, after --fail-fast
    }
    if (plan_.finish) {
      if (const Status finished = plan_.finish(records); !finished.ok()) {
        finish_exit_code_ = Fail(plan_.command, finished.error());
      }
    }
    if (options_.json) {
      Json all = {{"command", plan_.command}, {"results", records}};
      all["ok"] = done_ - Failed() - skipped_;
      all["failed"] = Failed();
      all["skipped"] = skipped_;
      all["not_begun"] = plan_.count - done_;
      all["seconds"] = watch_.Seconds();
      if (plan_.summary) all.update(plan_.summary(records));
      Print(JsonLine(all) + "\n");
    }
    if (Machine() || options_.quiet) return;
    if (plan_.summary_text) Print(plan_.summary_text(records));
    if (plan_.count > 1 && !plan_.summary_text) {
      std::fprintf(stderr, "%s: %zu done, %zu failed, %zu skipped, %.2f s\n", plan_.command.c_str(),
                   done_ - Failed() - skipped_, Failed(), skipped_, watch_.Seconds());
    }
  }

  size_t Failed() const {
    size_t failed = 0;
    for (const auto& [code, count] : failures_) failed += count;
    return failed;
  }

  int ExitStatus() const {
    if (finish_exit_code_ != kExitOk) return finish_exit_code_;
    if (failures_.empty()) return kExitOk;
    const auto& [code, count] = *failures_.begin();
    return count == plan_.count ? code : kExitSomeFailed;
  }

  bool Machine() const { return options_.json || options_.jsonl; }

  const BatchPlan& plan_;
  const RunOptions& options_;
  const Stopwatch watch_;
  std::mutex mutex_;  // of everything below
  Progress progress_;
  size_t next_ = 0, done_ = 0, skipped_ = 0, printed_ = 0;
  bool stopped_ = false;
  std::optional<Error> fatal_;
  int finish_exit_code_ = kExitOk;
  std::map<int, size_t> failures_;  // exit code -> inputs
  std::vector<Json> records_;
  std::vector<std::optional<std::string>> texts_;
};

}  // namespace

int RunBatch(const BatchPlan& plan, const RunOptions& options) { return BatchRun(plan, options).Run(); }

std::string ErrorLine(const std::string& name, const Error& error) {
  std::string line = "vqcodec: ";
  if (error.message.find(name) == std::string::npos) line += name + ": ";
  line += error.message;
  std::string clean;
  for (const char c : line) {
    if (c == ' ' && clean.ends_with("; ")) continue;
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      clean += "; ";
    } else if (byte >= 0x20 && byte != 0x7F) {
      clean += c;
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02X", byte);
      clean += escaped;
    }
  }
  return clean;
}

int Fail(const std::string& name, const Error& error) {
  std::fprintf(stderr, "%s\n", ErrorLine(name, error).c_str());
  return ExitCodeOf(error.code);
}

std::string JsonLine(const Json& value) {
  return value.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace);
}

}  // namespace vqc
