// SPDX-License-Identifier: Apache-2.0
// What a run of `eval --state FILE` has measured, so that the same command goes on where it was stopped.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/vqcodec/batch.h"
#include "base/result.h"
#include "base/tokens.h"

namespace vqc {

struct MeasuredItem {
  Json record;
  Tokens tokens;  // no ids where another codec was measured
  // Of pictures that a classifier judged, what it makes of the original and then of what was decoded.
  std::vector<float> features = {};
};

// A text file: a line that says what it is, then one JSON object a line, written when its item is done. What
// a stop left of a line is cut off.
class EvalJournal {
 public:
  // Makes the file where there is none. Errors: kUsage (another file), kInput (cannot be read), kOutput
  // (cannot be written).
  static Result<EvalJournal> Open(const std::string& path);

  // The item that was measured under this name before.
  const MeasuredItem* Find(const std::string& item) const;
  // On return the line is with the operating system: it outlives this process. Not for several threads at
  // once.
  Status Add(const std::string& item, const MeasuredItem& measured);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::map<std::string, MeasuredItem> items_;
  std::unique_ptr<std::FILE, Close> file_;
};

// A name of the item for the journal: what `codec` says of model or codec and its setting, with the input's
// path, size and time of change. Nothing for what is no regular file: it is measured anew.
std::optional<std::string> JournalName(const Json& codec, const std::string& path);

}  // namespace vqc
