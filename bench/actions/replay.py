# SPDX-License-Identifier: Apache-2.0
"""Scripted policies in Meta-World whose actions went through a tokenizer: does the robot still succeed?

The actions of a whole episode go through encode and decode and are replayed in the layout that they were recorded in.
"""
import json
import multiprocessing
import warnings

import numpy as np
from simulate import AFTER_SUCCESS, LONGEST, environment, policy, tasks

EPISODES, SEED = 20, 50000


def record(task, seed):
    """Episodes with the layout that each was in, and whether they succeeded."""
    env, guide, found = environment(task, seed), policy(task), []
    for _ in range(EPISODES):
        observation, _ = env.reset()
        layout, actions, left, success = env._last_rand_vec.copy(), [], LONGEST, False
        while left > 0:
            action = np.clip(guide.get_action(observation), -1, 1).astype(np.float32)
            actions.append(action)
            observation, _, _, _, info = env.step(action)
            left -= 1
            if info["success"] and not success:
                success, left = True, min(left, AFTER_SUCCESS)
        found.append((layout, np.stack(actions), success))
    return found


def replay(env, layout, actions):
    """Success of the actions in that layout; the last one is held for ten more steps."""
    env._freeze_rand_vec, env._last_rand_vec = True, layout
    env.reset()
    for action in [*actions, *[actions[-1]] * AFTER_SUCCESS]:
        if env.step(np.asarray(action, np.float32))[4]["success"]:
            return True
    return False


def decoded(bench, model, episodes, folder, *arguments):
    """The episodes through encode, which gets the arguments too, and decode, one .vqc each."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [folder / f"{i:02d}.npy" for i in range(len(episodes))]
    for name, actions in zip(names, episodes):
        np.save(name, actions)
    bench.run("encode", *names, "-m", model, "-O", folder / "vqc", "--force", "-j", 1, *arguments)
    bench.run("decode", *[folder / "vqc" / f"{name.stem}.vqc" for name in names], "-m", model, "-O", folder / "out",
              "--format", "npy", "--force", "-j", 1)
    return [np.load(folder / "out" / name.name) for name in names]


def recorded(job):
    """The episodes of a task to be replayed; job: (number, task)."""
    number, task = job
    warnings.filterwarnings("ignore")
    return record(task, seed=SEED + number)


def successes(job):
    """(task, name, successes of the actions that a model gives back, or of the actions as they were)."""
    bench, name, number, task, found = job
    warnings.filterwarnings("ignore")
    if name == "policy":
        return task, name, sum(success for _, _, success in found)
    env = environment(task, seed=SEED + number)
    episodes = [actions for _, actions, _ in found]
    if name != "untokenised":
        episodes = decoded(bench, bench.work / name, episodes, bench.work / "replay" / f"{task}-{name}")
    return task, name, sum(replay(env, layout, actions) for (layout, _, _), actions in zip(found, episodes))


def measure(bench, models):
    """task -> {"policy", "untokenised" and each model: successes of EPISODES}, of the held-out tasks."""
    kept = bench.work / "replay.json"
    rows = json.loads(kept.read_text()) if kept.exists() else {}
    names = ["policy", "untokenised", *models]
    jobs = [(number, task) for number, task in enumerate(name for name, held_out in tasks() if held_out)]
    jobs = [job for job in jobs if any(name not in rows.get(job[1], {}) for name in names)]
    with multiprocessing.Pool(bench.options.jobs) as pool:
        found = pool.map(recorded, jobs, chunksize=1)
        missing = [(bench, name, *job, episodes) for name in names for job, episodes in zip(jobs, found)
                   if name not in rows.get(job[1], {})]
        for task, name, count in pool.imap_unordered(successes, missing, chunksize=1):
            rows.setdefault(task, {})[name] = count
            kept.write_text(json.dumps(rows))
    return {task: {name: row[name] for name in names} for task, row in sorted(rows.items())}
