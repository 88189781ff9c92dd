#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Parquet files as LeRobot's data sets have them, written by pyarrow, for tests/data/actions/parquet_test.cc.

    pip install pyarrow==26.0.1
    tests/oracle/lerobot.py tests/golden/actions

Step f of episode e has the actions e + f / 64 + 1000 d, for dimensions d = 0, 1, 2, which float32 holds exactly.
"""
import argparse
import pathlib

import pyarrow as pa
import pyarrow.parquet as parquet

DIMS = 3


def table(steps, action_type, missing=None):
    """steps: (episode, frame) of each row; missing: a row without actions."""
    actions = [[e + f / 64 + 1000 * d for d in range(DIMS)] for e, f in steps]
    if missing is not None:
        actions[missing] = None
    return pa.table({
        "observation.state": pa.array([[0.5] * 2 for _ in steps], pa.list_(pa.float32(), 2)),
        "action": pa.array(actions, action_type),
        "timestamp": pa.array([f / 10 for _, f in steps], pa.float32()),
        "frame_index": pa.array([f for _, f in steps], pa.int64()),
        "episode_index": pa.array([e for e, _ in steps], pa.int64()),
        "task": ["lift"] * len(steps),
        "next.done": [f == 0 for _, f in steps],
    })


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    one = [(7, f) for f in range(40)]
    # Two episodes, the frames of the first from its end to its beginning.
    two = [(3, f) for f in reversed(range(30))] + [(4, f) for f in range(20)]
    fixed, varying = pa.list_(pa.float32(), DIMS), pa.list_(pa.float64())
    parquet.write_table(table(one, fixed), folder / "lerobot-one.parquet")
    parquet.write_table(table(two, varying), folder / "lerobot-two.parquet", compression="zstd", data_page_version="2.0",
                        row_group_size=32, data_page_size=64, write_batch_size=8)
    parquet.write_table(table(one, fixed), folder / "lerobot-plain.parquet", compression="none", use_dictionary=False,
                        write_statistics=False)
    parquet.write_table(table(one, varying, missing=5), folder / "lerobot-missing.parquet")


if __name__ == "__main__":
    main()
