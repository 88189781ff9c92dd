#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Episodes of Meta-World's scripted policies (Yu et al. 2019), for training and measuring action tokenizers.

    pip install metaworld==3.1.1 mujoco==3.3.0 packaging
    bench/actions/simulate.py FOLDER -j 4            # about 20 minutes of one core in all

Writes FOLDER/train/TASK.npz of 40 tasks and FOLDER/held-out/TASK.npz of every fifth task by name. Each array in
them is an episode, float32 [steps, 4]: x, y, z and gripper, clipped to [-1, 1] as the environment does, until ten
steps after success or 200 steps. Positions of objects and goals are drawn anew for each episode. Equal arguments
give equal files; a task whose file is there is left as it is.
"""
import argparse
import collections
import multiprocessing
import pathlib
import warnings

import numpy as np

LONGEST, AFTER_SUCCESS = 200, 10  # steps
PART = 4000  # steps of a task that one process records at a time


def environment(task, seed):
    import metaworld.env_dict

    made = metaworld.env_dict.ALL_V3_ENVIRONMENTS_GOAL_OBSERVABLE[f"{task}-goal-observable"](seed=seed)
    made._freeze_rand_vec = False  # another layout with each reset
    made.seeded_rand_vec = True
    return made


def tasks():
    """(name, held out) of all tasks with a policy."""
    from metaworld.policies import ENV_POLICY_MAP

    return [(name, i % 5 == 2) for i, name in enumerate(sorted(ENV_POLICY_MAP))]


def policy(task):
    from metaworld.policies import ENV_POLICY_MAP

    return ENV_POLICY_MAP[task]()


def episode(env, guide):
    observation, _ = env.reset()
    actions, left = [], LONGEST
    while left > 0:
        action = np.clip(guide.get_action(observation), -1, 1).astype(np.float32)
        actions.append(action)
        observation, _, _, _, info = env.step(action)
        left -= 1
        if info["success"]:
            left = min(left, AFTER_SUCCESS)
    return np.stack(actions)


def record(job):
    """(file, episodes) of one part of a task; job: (seed, task, file, steps)."""
    seed, task, path, wanted = job
    warnings.filterwarnings("ignore")
    env, guide, episodes, steps = environment(task, seed), policy(task), [], 0
    while steps < wanted:
        episodes.append(episode(env, guide))
        steps += len(episodes[-1])
    return path, episodes


def write(path, episodes):
    partial = path.with_suffix(".part.npz")
    np.savez(partial, **{f"episode_{i:05d}": actions for i, actions in enumerate(episodes)})
    partial.rename(path)
    print(f"{path}: {len(episodes)} episodes, {sum(map(len, episodes))} steps", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=28000, help="of a task to train on (default 28000)")
    parser.add_argument("--held-out-steps", type=int, default=4000, help="of a held-out task (default 4000)")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="parts of tasks at a time (default 1)")
    options = parser.parse_args()
    jobs = []
    for number, (task, held_out) in enumerate(tasks()):
        folder = options.folder / ("held-out" if held_out else "train")
        folder.mkdir(parents=True, exist_ok=True)
        path, steps = folder / f"{task}.npz", options.held_out_steps if held_out else options.steps
        if not path.exists():
            jobs += [(1000 * (part + 1) + number, task, path, min(PART, steps - first))
                     for part, first in enumerate(range(0, steps, PART))]
    missing = collections.Counter(path for _, _, path, _ in jobs)
    found = collections.defaultdict(list)
    with multiprocessing.Pool(options.jobs) as pool:
        for path, episodes in pool.imap(record, jobs, chunksize=1):
            found[path] += episodes
            missing[path] -= 1
            if not missing[path]:
                write(path, found.pop(path))


if __name__ == "__main__":
    main()
