// SPDX-License-Identifier: Apache-2.0
// Many inputs through one command: a few worker threads, each with one input in hand, so that memory is
// bounded by the number of workers; what is reported, and where.
//
//   messages, progress, summaries: standard error.  results: standard output, in the order of the inputs
//   (--jsonl: in the order in which they are done).
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/vqcodec/options.h"
#include "base/result.h"

namespace vqc {

using Json = nlohmann::ordered_json;

// What became of one input.
struct ItemReport {
  Json record = Json::object();  // added to the item's `head`
  std::string note;              // a line for standard error: always for a single input, else with --verbose
  std::string text;              // the result itself, for standard output (not with --json)
  std::vector<std::string> warnings;  // lines for standard error, in any case
  int exit_code = 0;                  // for what is done, yet not as it should be (salvage)
  bool skipped = false;
};

struct BatchPlan {
  std::string command;
  size_t count = 0;
  std::function<std::string(size_t)> name;  // of item i, for messages
  std::function<Json(size_t)> head;         // first keys of its record
  // The first part of the work on item i, done while the model is still loading. Returns the second part.
  using Finish = std::function<Result<ItemReport>()>;
  std::function<Result<Finish>(size_t)> begin;
  std::function<Status()> ready;  // what all items wait for between the parts; its error ends the batch
  std::string header;             // printed before the first `text`
  // Added to the --json object after the counts; `records` are all items in order.
  std::function<Json(const std::vector<Json>& records)> summary;
  std::function<std::string(const std::vector<Json>& records)>
      summary_text;  // for standard error or, with `text`, out
  // Called once after the last item, before summaries are printed; its error is the exit status.
  std::function<Status(const std::vector<Json>& records)> finish;
};

// Runs the plan and returns the exit status: 0, that of the only failure kind where every input failed alike,
// or kExitSomeFailed.
int RunBatch(const BatchPlan& plan, const RunOptions& options);

// "vqcodec: NAME: what; what to do", on one line, without control characters. The name is left out where the
// message has it already.
std::string ErrorLine(const std::string& name, const Error& error);
// Prints it and returns its exit status.
int Fail(const std::string& name, const Error& error);

// A JSON value on one line, bytes that are not UTF-8 replaced.
std::string JsonLine(const Json& value);

}  // namespace vqc
