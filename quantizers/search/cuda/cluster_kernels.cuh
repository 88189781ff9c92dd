// SPDX-License-Identifier: Apache-2.0
// What k-means does with the rows of a slab once it knows their clusters. All sums are float64 in the order
// of quantizers/search/cluster_sums.cc, so that they are the same to the last bit.
#pragma once

#include "quantizers/search/cuda/kernels.cuh"

namespace vqc::cuda {

// Of a slab of n rows: cluster and number of each row, then both in the order of the clusters, rows of a
// cluster in their own order.
struct ClusterOrder {
  uint32_t *ids, *rows, *sorted_ids, *sorted_rows;  // [n]
};

// Memory for SortByCluster.
size_t SortBytes(int rows);
cudaError_t SortByCluster(const int64_t* ids, int rows, int64_t clusters, const ClusterOrder& order,
                          void* workspace, size_t workspace_bytes, cudaStream_t stream);

// Adds the slab to sums [K][D] and counts [K].
cudaError_t AddToClusters(const DeviceRows& x, int dim, const ClusterOrder& order, int64_t clusters,
                          double* sums, double* counts, const Device& device, cudaStream_t stream);

// distances[i] = |row i - centre of its cluster|^2; centres are [K][D].
cudaError_t ClusterDistances(const DeviceRows& x, int dim, const uint32_t* ids, const float* centres,
                             double* distances, cudaStream_t stream);

// to [count][D] = the rows with these numbers.
cudaError_t GatherRows(const DeviceRows& x, int dim, const int64_t* which, int64_t count, float* to,
                       cudaStream_t stream);

}  // namespace vqc::cuda
