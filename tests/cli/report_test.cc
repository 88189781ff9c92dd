// SPDX-License-Identifier: Apache-2.0
// vqcodec eval --report. The page itself is tried in headless Chromium where there is one.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

class ReportTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    AddModel("other", 0.5f);
    for (int i = 0; i < 3; ++i) Write("p/<" + std::to_string(i) + ">.ppm", Ppm(200 + 8 * i, 180, 5 * i));
    Write("p/bad.ppm", "P6\n64 48\n255\nshort");
    report_ = {"eval",           "-r", "p",     "-m", "image-f16,other", "--report", "out",
               "--report-items", "2",  "--json"};
  }
  std::vector<std::string> report_;
};

TEST_F(ReportTest, HasAllFiguresInEachForm) {
  const Ran ran = Run(report_);
  EXPECT_EQ(ran.exit_code, 1) << ran.err;  // bad.ppm, twice
  EXPECT_EQ(Files("out"),
            (std::vector<std::string>{"figures.csv", "figures.json", "figures.md", "index.html"}));
  const auto figures = nlohmann::json::parse(Read("out/figures.json"));
  EXPECT_EQ(figures["results"], ran.Json()["results"]);
  EXPECT_EQ(figures["models"].size(), 2u);
  EXPECT_EQ(figures["models"][1]["mean"], ran.Json()["models"][1]["mean"]);
  EXPECT_NE(figures["command_line"].get<std::string>().find("eval -r p -m image-f16,other"),
            std::string::npos);
  for (const char* key : {"version", "processor", "cores", "system", "time", "model other"}) {
    EXPECT_TRUE(figures["environment"][key].is_string()) << key;
  }
  const std::string csv = Read("out/figures.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 8);
  EXPECT_NE(csv.find("p/bad.ppm,,,"), std::string::npos) << csv;
  EXPECT_NE(Read("out/figures.md").find("| mean of 3 | vqcodec | other |"), std::string::npos)
      << Read("out/figures.md");
  const std::string page = Read("out/index.html");
  EXPECT_EQ(page.find("<0>"), std::string::npos);  // names of files are no markup
  EXPECT_EQ(page.find("http://", page.find("</style>")), page.find("http://www.w3.org/2000/svg"));
  EXPECT_EQ(page.find("https://"), std::string::npos);
}

TEST_F(ReportTest, TwoRunsGiveEqualTables) {
  ASSERT_EQ(Run(report_).exit_code, 1);
  auto first = nlohmann::json::parse(Read("out/figures.json"));
  report_.insert(report_.end(), {"--force", "-j", "1"});
  ASSERT_EQ(Run(report_).exit_code, 1);
  auto second = nlohmann::json::parse(Read("out/figures.json"));
  const auto without_times = [](nlohmann::json& records) {
    for (auto& record : records) {
      for (auto* object : {&record, record.contains("mean") ? &record["mean"] : &record}) {
        for (const char* key :
             {"seconds_encode", "seconds_encode_network", "seconds_decode", "seconds_decode_network",
              "seconds_metrics", "peak_memory_encode", "peak_memory_decode"}) {
          object->erase(key);
        }
      }
    }
    return records;
  };
  EXPECT_EQ(without_times(first["results"]), without_times(second["results"]));
  EXPECT_EQ(without_times(first["models"]), without_times(second["models"]));
}

TEST_F(ReportTest, IsNotOverwrittenUnasked) {
  Write("out/figures.md", "mine");
  const Ran ran = Run(report_);
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_NE(ran.err.find("--force"), std::string::npos);
  EXPECT_EQ(Read("out/figures.md"), "mine");
  Write("file", "");
  EXPECT_EQ(Run({"eval", "-r", "p", "--report", "file/out"}).exit_code, 3);
}

TEST_F(ReportTest, PageWorksInABrowser) {
  const std::string browser = Browser();
  if (browser.empty()) GTEST_SKIP() << "there is no Chromium (apt-get install chromium)";
  ASSERT_EQ(Run(report_).exit_code, 1);
  EXPECT_EQ(std::system(BrowserTest(browser, "out/index.html").c_str()), 0);
}

}  // namespace
}  // namespace vqc
