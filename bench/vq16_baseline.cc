// SPDX-License-Identifier: Apache-2.0
// The peer that our speed figures are given against: a network of the VQ-16 shape (taming-transformers' VQGAN
// as LlamaGen sizes it), with random weights, on libtorch's own CPU kernels - the ones that PyTorch runs.
//
//   vq16_baseline [--threads N] [--runs N] [--width W] [--height H]
//
// It maps a picture to the same token grid as our f16 models: one token a 16 x 16 patch. Speed does not
// depend on the values of weights or pixels, so a seed stands in for training. It prints one line of JSON;
// times are the medians of the runs in seconds, after one run that is not counted.
//
// Shape: 3 -> 128 channels at full size, widths 128 x (1, 1, 2, 2, 4), two residual blocks a level in the
// encoder and three in the decoder, attention at the lowest level and between the two middle blocks, z 256,
// 16,384 codes of 8.

#include <torch/torch.h>
#include <torch/version.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>
#include <string>
#include <vector>

namespace {
namespace nn = torch::nn;
using torch::Tensor;

constexpr int kBase = 128, kLatent = 256, kCodes = 16384, kCodeDim = 8;
constexpr int64_t kParameters = 71883403;  // 71.9 M: a slip in the layers below would change it
constexpr int kLevels = 5, kWidth[kLevels] = {128, 128, 256, 256, 512};

nn::Conv2d Conv(int in, int out, int size) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, size).padding(size / 2));
}
nn::GroupNorm Norm(int channels) { return nn::GroupNorm(nn::GroupNormOptions(32, channels).eps(1e-6)); }

// Two 3 x 3 convolutions around a skip; the skip is a 1 x 1 convolution where the width changes.
struct ResBlockImpl : nn::Module {
  ResBlockImpl(int in, int out)
      : norm1(register_module("norm1", Norm(in))),
        norm2(register_module("norm2", Norm(out))),
        conv1(register_module("conv1", Conv(in, out, 3))),
        conv2(register_module("conv2", Conv(out, out, 3))) {
    if (in != out) skip = register_module("skip", Conv(in, out, 1));
  }
  Tensor forward(const Tensor& x) {
    const Tensor h = conv2(torch::silu(norm2(conv1(torch::silu(norm1(x))))));
    return (skip.is_empty() ? x : skip(x)) + h;
  }
  nn::GroupNorm norm1, norm2;
  nn::Conv2d conv1, conv2, skip{nullptr};
};
TORCH_MODULE(ResBlock);

// One head over all positions.
struct AttentionImpl : nn::Module {
  explicit AttentionImpl(int channels)
      : norm(register_module("norm", Norm(channels))),
        q(register_module("q", Conv(channels, channels, 1))),
        k(register_module("k", Conv(channels, channels, 1))),
        v(register_module("v", Conv(channels, channels, 1))),
        out(register_module("out", Conv(channels, channels, 1))) {}
  Tensor forward(const Tensor& x) {  // [B,C,H,W]
    const Tensor h = norm(x);
    const Tensor rows = q(h).flatten(2).transpose(1, 2), keys = k(h).flatten(2);  // [B,N,C], [B,C,N]
    const Tensor weights = (rows.bmm(keys) / std::sqrt(static_cast<double>(x.size(1)))).softmax(-1);
    return x + out(v(h).flatten(2).bmm(weights.transpose(1, 2)).view_as(x));
  }
  nn::GroupNorm norm;
  nn::Conv2d q, k, v, out;
};
TORCH_MODULE(Attention);

// The blocks of one level; attention follows each block of the lowest one. Returns the new width.
int AddLevel(nn::Sequential& net, int width, int level, int blocks) {
  for (int block = 0; block < blocks; ++block) {
    net->push_back(ResBlock(width, kWidth[level]));
    width = kWidth[level];
    if (level == kLevels - 1) net->push_back(Attention(width));
  }
  return width;
}

void AddMiddle(nn::Sequential& net, int width) {
  net->push_back(ResBlock(width, width));
  net->push_back(Attention(width));
  net->push_back(ResBlock(width, width));
}

void AddEnd(nn::Sequential& net, int width, int channels) {
  net->push_back(Norm(width));
  net->push_back(nn::SiLU());
  net->push_back(Conv(width, channels, 3));
}

nn::Sequential Encoder() {
  nn::Sequential net(Conv(3, kBase, 3));
  int width = kBase;
  for (int level = 0; level < kLevels; ++level) {
    width = AddLevel(net, width, level, 2);
    if (level == kLevels - 1) break;
    net->push_back(nn::ZeroPad2d(nn::ZeroPad2dOptions({0, 1, 0, 1})));
    net->push_back(nn::Conv2d(nn::Conv2dOptions(width, width, 3).stride(2)));
  }
  AddMiddle(net, width);
  AddEnd(net, width, kLatent);
  net->push_back(Conv(kLatent, kCodeDim, 1));
  return net;
}

nn::Sequential Decoder() {
  int width = kWidth[kLevels - 1];
  nn::Sequential net(Conv(kCodeDim, kLatent, 1), Conv(kLatent, width, 3));
  AddMiddle(net, width);
  const auto twice = nn::UpsampleOptions().scale_factor(std::vector<double>{2, 2}).mode(torch::kNearest);
  for (int level = kLevels - 1; level >= 0; --level) {
    width = AddLevel(net, width, level, 3);
    if (level == 0) break;
    net->push_back(nn::Upsample(twice));
    net->push_back(Conv(width, width, 3));
  }
  AddEnd(net, width, 3);
  return net;
}

// Unit vectors on both sides, so the nearest code has the largest inner product. latents [B,8,h,w] -> ids
// [B*h*w].
Tensor NearestCodes(const Tensor& latents, const Tensor& codebook) {
  const Tensor rows = torch::nn::functional::normalize(latents.permute({0, 2, 3, 1}).reshape({-1, kCodeDim}));
  return rows.mm(codebook.t()).argmax(1);
}

struct Moment {
  double wall, cpu;  // seconds
};
Moment Now() {
  const auto wall = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration<double>(wall).count(), static_cast<double>(std::clock()) / CLOCKS_PER_SEC};
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

}  // namespace

int main(int argc, char** argv) {
  int threads = 1, runs = 3, width = 768, height = 512;
  CLI::App app("Times a VQ-16 network with random weights on one picture");
  app.add_option("--threads", threads, "Threads of libtorch")->check(CLI::Range(1, 1024));
  app.add_option("--runs", runs, "Runs that count")->check(CLI::Range(1, 1000));
  app.add_option("--width", width, "Of the picture; rounded up to whole patches")->check(CLI::Range(1, 8192));
  app.add_option("--height", height, "Of the picture; rounded up to whole patches")
      ->check(CLI::Range(1, 8192));
  CLI11_PARSE(app, argc, argv);
  width = (width + 15) / 16 * 16, height = (height + 15) / 16 * 16;

  at::set_num_threads(threads);
  torch::manual_seed(16);
  torch::InferenceMode inference;
  nn::Sequential encoder = Encoder(), decoder = Decoder();
  encoder->eval(), decoder->eval();
  const Tensor codebook = torch::nn::functional::normalize(torch::randn({kCodes, kCodeDim}));
  int64_t parameters = codebook.numel();
  for (const auto& net : {encoder, decoder})
    for (const Tensor& p : net->parameters()) parameters += p.numel();
  TORCH_CHECK(parameters == kParameters, "the network has ", parameters, " parameters, not ", kParameters);

  const Tensor picture = torch::rand({1, 3, height, width}) * 2 - 1;
  std::map<std::string, std::vector<double>> samples;
  for (int run = 0; run <= runs; ++run) {
    const Moment start = Now();
    const Tensor ids = NearestCodes(encoder->forward(picture), codebook);
    const Moment middle = Now();
    const Tensor codes = codebook.index_select(0, ids).view({1, height / 16, width / 16, kCodeDim});
    const Tensor restored = decoder->forward(codes.permute({0, 3, 1, 2}).contiguous());
    const Moment end = Now();
    TORCH_CHECK(restored.sizes() == picture.sizes(), "decoded to ", restored.sizes());
    if (run == 0) continue;
    samples["encode_s"].push_back(middle.wall - start.wall);
    samples["encode_cpu_s"].push_back(middle.cpu - start.cpu);
    samples["decode_s"].push_back(end.wall - middle.wall);
    samples["decode_cpu_s"].push_back(end.cpu - middle.cpu);
  }
  std::printf(
      "{\"network\": \"vq16\", \"parameters\": %lld, \"libtorch\": \"%s\", \"threads\": %d, \"runs\": %d, ",
      static_cast<long long>(parameters), TORCH_VERSION, threads, runs);
  std::printf("\"width\": %d, \"height\": %d, \"tokens\": %d", width, height, width * height / 256);
  for (const auto& [key, values] : samples) std::printf(", \"%s\": %.4f", key.c_str(), Median(values));
  std::puts("}");
  return 0;
}
