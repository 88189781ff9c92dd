// SPDX-License-Identifier: Apache-2.0
// The report of an evaluation: a folder with index.html, which needs no other file and no network, and the
// same figures as figures.json, figures.csv and figures.md.
#pragma once

#include <string>
#include <vector>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/figures.h"
#include "base/result.h"

namespace vqc {

struct Report {
  Modality modality = Modality::kImage;
  std::vector<Json> results;  // of all items, with "error"
  std::vector<Json> models;   // {codec, setting, model, mean, levels: [{..., counts: [[rank, times], ...]}]}
  std::vector<Column> columns;      // of the tables
  std::vector<Column> metrics;      // of the plots
  std::vector<Json> shown;          // ShownPicture() or ShownSound() with "result", an index into `results`
  Json originals = Json::object();  // of sound: ShownSound() by input
  Json curves = Json::array();      // {reference, test, metrics: CurveDeltas()}
  Json environment;                 // names and values, for people
};

// Makes the folder. kExists where it holds a report and `force` is not set, kOutput where it cannot be made.
Status PrepareReport(const std::string& folder, bool force);

Status WriteReport(const Report& report, const std::string& folder, bool force);

// Version, processor, cores, system, time.
Json EnvironmentRecord();
// The words this process was started with, quoted for a shell.
std::string CommandLine();

}  // namespace vqc
