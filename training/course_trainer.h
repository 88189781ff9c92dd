// SPDX-License-Identifier: Apache-2.0
// The codebooks of courses (tokenizers/action/courses.h), learned from chunks.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "tokenizers/action/courses.h"
#include "training/action_chunks.h"

namespace vqc {

struct CourseOptions {
  int levels = 3, entries = 256;
  double bit_weight = 0;
  int threads = 0;  // 0: one for each core
  uint64_t seed = 1;
  int joins = 1;  // places where a made-up course goes over to another one, at most
  // One more level for each step of a chunk, whose codewords are multiples of one height at that step alone:
  // what the levels before left over there. The height is that of an entropy-coded uniform quantizer whose
  // error falls by bit_weight a bit, sqrt(6 bit_weight / ln 2) (Gish and Pierce 1968).
  bool corrections = false;
};

struct CourseBooks {
  CourseBook motion, gripper;  // the latter without codewords where the chunks have no gripper
};

// k-means of each level on what the levels before left over, then passes in which all courses are encoded
// with weighted bits and each level is set to the means of what is its own to give (Lloyd's iteration of
// entropy-constrained VQ, Chou et al. 1989). Sources count by their shares. Equal arguments give equal books,
// whatever the number of threads. Errors: kUsage where a kind of courses has no chunk, and for corrections of
// bits without weight or of more levels than kMaxCourseLevels.
Result<CourseBooks> FitCourses(const ActionChunks& chunks, const CourseOptions& options);

}  // namespace vqc
