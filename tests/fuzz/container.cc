// SPDX-License-Identifier: Apache-2.0
// Every reader of a stream agrees whether it is sound and what is in it.
#include "codec/container/stream.h"
#include "tests/codec/container/samples.h"
#include "tests/fuzz/stream_input.h"

using namespace vqc;
using fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const std::vector<uint8_t> bytes = fuzz::StreamOf(input);
  const Limits limits;
  const auto stream = ReadStream(bytes, limits);
  SalvageReport report;
  const auto salvaged = SalvageStream(bytes, limits, report);
  const auto layout = LayoutOf(bytes, limits);
  const auto fields = DescribeStream(bytes, limits);
  Require(layout.ok() == stream.ok() && fields.ok() == stream.ok(), "strict readers agree");
  Require(report.intact == report.defects.empty(), "a stream is intact or has defects");
  if (!stream.ok()) {
    Require(!salvaged.ok() || !report.intact, "salvage does not call a damaged stream intact");
    Require(stream.error().message.find('\n') == std::string::npos, "errors are of one line");
    return 0;
  }
  Require(salvaged.ok() && report.intact && testing::Same(*salvaged, *stream),
          "salvage of a sound stream is that stream");
  Require(layout->header_bytes + layout->chunk_head_bytes + layout->payload_bytes + layout->side_bytes +
                  layout->check_bytes ==
              bytes.size(),
          "the parts of a layout add up");
  uint64_t at = 0;
  for (const FieldText& field : *fields) {
    Require(field.offset == at, "fields follow each other");
    at += field.size;
  }
  Require(at == bytes.size(), "the fields are the stream");
  const auto again = WriteStream(*stream);
  if (!again.ok()) return 0;  // what only a reader with other limits or a newer writer takes
  const auto back = ReadStream(*again, limits);
  Require(back.ok() && testing::Same(*back, *stream), "what is written again is the same stream");
  return 0;
}
