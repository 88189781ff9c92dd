#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An HDF5 file of episodes as ALOHA, robomimic and LIBERO have them, written by h5py, for tests/data/actions.

    pip install h5py==3.16.0
    tests/oracle/hdf5_episodes.py tests/golden/actions/episodes.h5

Step t of demonstration k has the actions k + t / 64 + 1000 d, for dimensions d = 0, 1, 2.
"""
import sys

import h5py
import numpy as np


def actions(k, steps):
    return k + np.arange(steps)[:, None] / 64 + 1000.0 * np.arange(3)


with h5py.File(sys.argv[1], "w") as file:
    file["action"] = actions(0, 4).astype("float32")
    file.create_dataset("data/demo_1/actions", data=actions(1, 9), chunks=(4, 3), compression="gzip")
    file["data/demo_1/obs/eef_pos"] = np.zeros((9, 3))
    bad = actions(2, 5)
    bad[3, 1] = np.nan
    file["data/demo_2/actions"] = bad
