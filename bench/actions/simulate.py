#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Episodes of Meta-World's scripted policies (Yu et al. 2019), for training and measuring action tokenizers.

    pip install metaworld==3.1.1 mujoco==3.3.0
    bench/actions/simulate.py FOLDER -j 4            # about 6 minutes of one core in all

Writes FOLDER/train/TASK.npz of 40 tasks and FOLDER/held-out/TASK.npz of every fifth task by name. Each array in
them is an episode, float32 [steps, 4]: x, y, z and gripper, clipped to [-1, 1] as the environment does, until ten
steps after success or 200 steps. Positions of objects and goals are drawn anew for each episode. Equal arguments
give equal files; a task whose file is there is left as it is.
"""
import argparse
import multiprocessing
import pathlib
import warnings

import numpy as np

LONGEST, AFTER_SUCCESS = 200, 10  # steps


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
    """Writes the episodes of one task, unless they are there; job: (number, task, file, steps)."""
    number, task, path, wanted = job
    if path.exists():
        return f"{path}: kept"
    warnings.filterwarnings("ignore")
    env, guide, episodes, steps = environment(task, seed=1000 + number), policy(task), {}, 0
    while steps < wanted:
        actions = episode(env, guide)
        episodes[f"episode_{len(episodes):05d}"] = actions
        steps += len(actions)
    partial = path.with_suffix(".part.npz")
    np.savez(partial, **episodes)
    partial.rename(path)
    return f"{path}: {len(episodes)} episodes, {steps} steps"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=12000, help="of a task to train on (default 12000)")
    parser.add_argument("--held-out-steps", type=int, default=4000, help="of a held-out task (default 4000)")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="tasks at a time (default 1)")
    options = parser.parse_args()
    jobs = []
    for number, (task, held_out) in enumerate(tasks()):
        folder = options.folder / ("held-out" if held_out else "train")
        folder.mkdir(parents=True, exist_ok=True)
        jobs.append((number, task, folder / f"{task}.npz", options.held_out_steps if held_out else options.steps))
    with multiprocessing.Pool(options.jobs) as pool:
        for line in pool.imap_unordered(record, jobs, chunksize=1):
            print(line, flush=True)


if __name__ == "__main__":
    main()
