// SPDX-License-Identifier: Apache-2.0
// embed PHOTO STREAM RESTORED: a photo to a stream of tokens and back, with the library alone.
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "data/media/media.h"

namespace {

vqc::Status Save(const std::string& path, const std::vector<uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return vqc::Error{vqc::ErrorCode::kOutput, path + ": cannot be written"};
  return {};
}

vqc::Status Run(const std::string& photo, const std::string& stream_path, const std::string& restored) {
  VQC_ASSIGN(const auto entry, vqc::FindModel(std::string(vqc::kDefaultImageModel)));
  VQC_ASSIGN(const auto bundle, vqc::LoadBundle(entry, {}));

  VQC_ASSIGN(const auto reader, vqc::OpenMedia(photo));
  VQC_ASSIGN(const auto clip, reader->Next(1));
  if (!clip) return vqc::Error{vqc::ErrorCode::kInput, photo + ": holds no picture"};
  VQC_ASSIGN(const auto bytes, vqc::EncodeClip(*clip, bundle));
  VQC_TRY(Save(stream_path, bytes));

  VQC_ASSIGN(const auto stream, vqc::ReadStream(bytes, {}));
  VQC_ASSIGN(const auto decoded, vqc::DecodeStream(stream, bundle, {}));
  VQC_ASSIGN(const auto file, vqc::WriteImage(decoded, restored.substr(restored.rfind('.'))));
  VQC_TRY(Save(restored, file));
  std::printf("%s: %d x %d, %zu bytes\n", photo.c_str(), clip->width, clip->height, bytes.size());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: embed PHOTO STREAM.vqc RESTORED.png\n");
    return 2;
  }
  if (const auto status = Run(argv[1], argv[2], argv[3]); !status) {
    std::fprintf(stderr, "%s\n", status.error().message.c_str());
    return 1;
  }
}
