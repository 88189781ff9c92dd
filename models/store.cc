// SPDX-License-Identifier: Apache-2.0
#include "models/store.h"

#include <dlfcn.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "base/folder.h"
#include "base/printable.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;

std::string CardPath(const std::string& folder) { return folder + "/" + std::string(kCardFile); }

bool Exists(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0;
}

struct BadCard {
  std::string folder_name;
  Error error;
};

struct Listing {
  std::vector<ModelEntry> models;  // sorted by name, names unique
  std::vector<BadCard> bad;
};

// A folder that is missing or may not be listed holds no models.
Listing ListAll() {
  Listing listing;
  for (const std::string& root : ModelFolders()) {
    const auto names = NamesInFolder(root);
    if (!names.ok()) continue;
    for (const std::string& name : *names) {
      const std::string folder = root + "/" + name;
      if (!Exists(CardPath(folder))) continue;
      auto card = ReadCard(CardPath(folder));
      if (card.ok()) {
        listing.models.push_back({folder, std::move(*card)});
      } else {
        listing.bad.push_back({name, std::move(card).error()});
      }
    }
  }
  const auto by_name = [](const ModelEntry& a, const ModelEntry& b) { return a.card.name < b.card.name; };
  const auto same_name = [](const ModelEntry& a, const ModelEntry& b) { return a.card.name == b.card.name; };
  auto& models = listing.models;
  std::stable_sort(models.begin(), models.end(), by_name);
  models.erase(std::unique(models.begin(), models.end(), same_name), models.end());
  return listing;
}

std::string Names(const std::vector<ModelEntry>& models) {
  if (models.empty()) {
    std::string folders;
    for (const std::string& folder : ModelFolders())
      folders += (folders.empty() ? "" : ", ") + Printable(folder);
    return "no models were found in " + folders + "; name the folder that holds them in VQCODEC_MODELS";
  }
  std::string names = "known are";
  for (const ModelEntry& model : models) names += (&model == &models[0] ? " " : ", ") + model.card.name;
  return names;
}

// Single-character edits between two names, neighbours swapped counting as two.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// "; did you mean NAME?" where a name is near enough, otherwise empty.
std::string Suggestion(const std::string& name, const std::vector<ModelEntry>& models) {
  if (name.size() > 64) return "";
  const ModelEntry* nearest = nullptr;
  size_t best = std::max<size_t>(name.size() / 3, 2) + 1;
  for (const ModelEntry& model : models) {
    const size_t distance = EditDistance(name, model.card.name);
    if (distance < best) {
      best = distance;
      nearest = &model;
    }
  }
  return nearest ? "; did you mean " + nearest->card.name + "?" : "";
}

Result<ModelEntry> OpenFolder(std::string folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  if (!Exists(CardPath(folder))) {
    const char* why =
        !Exists(folder) ? "there is no such folder" : "is no model's folder: it has no card.json";
    return Error{ErrorCode::kModel,
                 Printable(folder) + ": " + why + "; `vqcodec list` shows the models that have a name"};
  }
  VQC_ASSIGN(ModelCard card, ReadCard(CardPath(folder)));
  return ModelEntry{std::move(folder), std::move(card)};
}

}  // namespace

std::vector<std::string> ModelFolders() {
  std::vector<std::string> folders;
  if (const char* given = std::getenv("VQCODEC_MODELS")) {
    std::string_view rest = given;
    while (!rest.empty()) {
      const size_t colon = std::min(rest.find(':'), rest.size());
      if (colon > 0) folders.emplace_back(rest.substr(0, colon));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  Dl_info self{};
  if (dladdr(reinterpret_cast<const void*>(&ModelFolders), &self) && self.dli_fname) {
    std::error_code error;
    const auto library = fs::canonical(self.dli_fname, error);
    if (!error) folders.push_back((library.parent_path().parent_path() / "share/vqcodec/models").string());
  }
  folders.emplace_back(VQCODEC_SOURCE_MODELS);
  return folders;
}

std::vector<ModelEntry> ListModels(std::vector<std::string>* bad) {
  Listing listing = ListAll();
  if (bad) {
    for (BadCard& card : listing.bad) bad->push_back(std::move(card.error.message));
  }
  return std::move(listing.models);
}

Result<ModelEntry> FindModel(const std::string& name_or_folder) {
  if (name_or_folder.find('/') != std::string::npos) return OpenFolder(name_or_folder);
  Listing listing = ListAll();
  for (const std::string& folder : ModelFolders()) {
    for (ModelEntry& model : listing.models) {
      if (model.card.name == name_or_folder && model.folder.starts_with(folder + "/"))
        return std::move(model);
    }
    // A damaged model is an error, not passed over for another of its name in a later folder.
    const std::string path = folder + "/" + name_or_folder;
    if (name_or_folder.empty() || name_or_folder.front() == '.' || !Exists(CardPath(path))) continue;
    VQC_TRY(ReadCard(CardPath(path)));
  }
  for (BadCard& card : listing.bad) {
    if (card.folder_name == name_or_folder) return std::move(card.error);
  }
  std::string message = "there is no model " +
                        (name_or_folder.empty() ? "without a name" : Printable(name_or_folder)) + "; " +
                        Names(listing.models) + Suggestion(name_or_folder, listing.models);
  if (!name_or_folder.empty() && Exists(CardPath(name_or_folder))) {
    message += "; for the folder of this name say ./" + Printable(name_or_folder);
  }
  return Error{ErrorCode::kModel, std::move(message)};
}

Result<ModelEntry> FindModel(const ModelKey& key) {
  Listing listing = ListAll();
  for (ModelEntry& model : listing.models) {
    if (model.card.Knows(key)) return std::move(model);
  }
  std::string message = "no model has the key " + HexOf(key) + "; " + Names(listing.models);
  if (!listing.bad.empty())
    message += "; and there is one that cannot be read: " + listing.bad[0].error.message;
  if (!listing.models.empty()) message += "; name the folder that holds it in VQCODEC_MODELS";
  return Error{ErrorCode::kModel, std::move(message)};
}

}  // namespace vqc
