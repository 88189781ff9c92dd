#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Actions of a LeRobot dataset (Parquet, v2.1 and v3.0) as a .npz file with one array an episode.

    pip install pyarrow numpy
    scripts/lerobot_to_npz.py DATASET actions.npz [--column action]

DATASET is the folder with meta/ and data/. Rows are put in the order of frame_index within each episode_index.
"""
import argparse
import pathlib

import numpy as np
import pyarrow.parquet as parquet


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--column", default="action")
    options = parser.parse_args()
    rows = {}  # episode -> [(frame, values)]
    files = sorted((options.dataset / "data").rglob("*.parquet"))
    if not files:
        parser.error(f"{options.dataset}/data holds no .parquet files")
    for path in files:
        table = parquet.read_table(path, columns=[options.column, "episode_index", "frame_index"])
        columns = [table.column(name).to_pylist() for name in ("episode_index", "frame_index", options.column)]
        for episode, frame, values in zip(*columns):
            rows.setdefault(episode, []).append((frame, values))
    episodes = {f"episode_{index:06d}": np.array([values for _, values in sorted(rows[index], key=lambda r: r[0])],
                                                 dtype="float32") for index in sorted(rows)}
    np.savez(options.output, **episodes)
    print(f"{options.output}: {len(episodes)} episodes, {sum(map(len, episodes.values()))} steps")


if __name__ == "__main__":
    main()
