// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace vqc {

// The eigenvalues of a symmetric matrix [size][size], in no particular order: Householder reflections to
// three diagonals, then QR steps with Wilkinson's shift (Golub and Van Loan, Matrix Computations,
// section 8.3). REQUIRES: finite numbers
std::vector<double> SymmetricEigenvalues(std::vector<double> matrix, size_t size);

}  // namespace vqc
