// SPDX-License-Identifier: Apache-2.0
#include "models/store.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

using testing::Put;
using testing::TempFolder;

// Two folders of models, named in VQCODEC_MODELS.
class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    setenv("VQCODEC_MODELS", (first_.path() + "::/nowhere/at/all:" + second_.path()).c_str(), 1);
  }
  ~StoreTest() override { unsetenv("VQCODEC_MODELS"); }

  static ModelCard Card(const std::string& name, uint8_t id) {
    ModelCard card;
    card.name = name;
    card.tokenizer = "image";
    card.prior = "uniform";
    card.factors = {{8}};
    card.model_id.fill(id);
    return card;
  }
  static void Add(const TempFolder& root, const std::string& folder, const ModelCard& card) {
    Put(root.Path(folder + "/card.json"), WriteCard(card));
  }
  static bool Has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  TempFolder first_, second_;
};

TEST_F(StoreTest, NamesAreLookedUpInOrder) {
  Add(first_, "zeta-test", Card("zeta-test", 1));
  Add(first_, "a-folder-of-another-name", Card("alpha-test", 2));
  Add(second_, "alpha-test", Card("alpha-test", 3));
  Add(second_, "beta-test", Card("beta-test", 4));
  Put(first_.Path("notes.txt"), "no model");
  Put(first_.Path("empty/readme"), "no model either");

  const auto alpha = FindModel("alpha-test");
  ASSERT_TRUE(alpha.ok()) << alpha.error().message;
  EXPECT_EQ(alpha->card.model_id[0], 2);
  EXPECT_EQ(alpha->folder, first_.Path("a-folder-of-another-name"));
  EXPECT_TRUE(FindModel("beta-test").ok());

  std::vector<std::string> names, bad;
  for (const ModelEntry& model : ListModels(&bad)) names.push_back(model.card.name);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const char* name : {"alpha-test", "beta-test", "zeta-test"}) {
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
  }
  EXPECT_TRUE(bad.empty());
}

TEST_F(StoreTest, KeysAreLookedUp) {
  const ModelCard card = Card("alpha-test", 2);
  Add(first_, "alpha-test", card);
  const auto found = FindModel(card.Key());
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->card.name, "alpha-test");
  const auto missing = FindModel(ModelKey{1, 2, 3, 4, 5, 6, 7, 8});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kModel);
  EXPECT_TRUE(Has(missing.error().message, "0102030405060708")) << missing.error().message;
  EXPECT_TRUE(Has(missing.error().message, "alpha-test"));
  EXPECT_TRUE(Has(missing.error().message, "VQCODEC_MODELS"));
}

TEST_F(StoreTest, AFolderIsNamedByAPath) {
  Add(first_, "alpha-test", Card("alpha-test", 2));
  for (const std::string tail : {"", "/", "//"}) {
    const auto found = FindModel(first_.Path("alpha-test") + tail);
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(found->folder, first_.Path("alpha-test"));
  }
  EXPECT_TRUE(Has(FindModel(first_.Path("gone")).error().message, "no such folder"));
  EXPECT_TRUE(Has(FindModel(first_.path() + "/").error().message, "has no card.json"));
  EXPECT_TRUE(
      Has(FindModel("../no-such-model").error().message, "../no-such-model: there is no such folder"));
}

TEST_F(StoreTest, AnUnknownNameListsTheKnownOnesAndTheNearest) {
  Add(first_, "alpha-test", Card("alpha-test", 2));
  Add(first_, "omega-test", Card("omega-test", 3));
  const auto missing = FindModel("alpa-test");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kModel);
  EXPECT_TRUE(Has(missing.error().message, "no model alpa-test")) << missing.error().message;
  EXPECT_TRUE(Has(missing.error().message, "omega-test"));
  EXPECT_TRUE(Has(missing.error().message, "did you mean alpha-test?")) << missing.error().message;
  EXPECT_FALSE(Has(FindModel("something-else-altogether").error().message, "did you mean"));
}

TEST_F(StoreTest, HostileNamesAreOnlyNames) {
  Add(first_, "alpha-test", Card("alpha-test", 2));
  for (const std::string& name : {std::string(".."), std::string("."), std::string(), std::string("a\nb"),
                                  std::string(100000, 'x'), std::string("card.json"), std::string("*")}) {
    const auto found = FindModel(name);
    ASSERT_FALSE(found.ok()) << name;
    EXPECT_EQ(found.error().code, ErrorCode::kModel);
    EXPECT_EQ(found.error().message.find('\n'), std::string::npos);
    EXPECT_LT(found.error().message.size(), 4000u);
  }
}

TEST_F(StoreTest, ADamagedCardIsReportedAndExplained) {
  Add(first_, "alpha-test", Card("alpha-test", 2));
  Put(first_.Path("broken/card.json"), "{\"card_version\":9}");
  std::vector<std::string> bad;
  ListModels(&bad);
  ASSERT_EQ(bad.size(), 1u);
  EXPECT_TRUE(Has(bad[0], first_.Path("broken/card.json"))) << bad[0];
  EXPECT_TRUE(Has(FindModel("broken").error().message, "card_version 9"))
      << FindModel("broken").error().message;
  EXPECT_TRUE(Has(FindModel(ModelKey{}).error().message, "broken/card.json"));
  EXPECT_TRUE(FindModel("alpha-test").ok());
}

TEST_F(StoreTest, TheFoldersAreTheGivenOnesThenOurs) {
  const auto folders = ModelFolders();
  ASSERT_EQ(folders.size(), 5u);
  EXPECT_EQ(folders[0], first_.path());
  EXPECT_EQ(folders[2], second_.path());
  EXPECT_TRUE(folders[3].ends_with("/share/vqcodec/models"));
  EXPECT_EQ(folders[4], std::string(VQC_SOURCE_DIR) + "/models/pretrained");
}

}  // namespace
}  // namespace vqc
