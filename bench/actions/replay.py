# SPDX-License-Identifier: Apache-2.0
"""Scripted policies in Meta-World whose actions went through a tokenizer: does the robot still succeed?

The actions of a whole episode go through encode and decode and are replayed in the layout that they were recorded in.
"""
import json
import multiprocessing
import warnings

import numpy as np
from simulate import AFTER_SUCCESS, LONGEST, environment, policy, tasks

EPISODES = 20


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


def one(job):
    """Successes of a task: of the policy, of its actions as they were, and of those that each model gives back."""
    bench, models, number, task = job
    kept = bench.work / "replay" / f"{task}.json"
    rows = json.loads(kept.read_text()) if kept.exists() else {}
    missing = [model for model in models if model not in rows]
    if not missing:
        return rows
    warnings.filterwarnings("ignore")
    found = record(task, seed=5000 + number)
    env = environment(task, seed=5000 + number)
    rows["policy"] = sum(success for _, _, success in found)
    rows["untokenised"] = sum(replay(env, layout, actions) for layout, actions, _ in found)
    for model in missing:
        episodes = decoded(bench, bench.work / model, [actions for _, actions, _ in found], bench.work / "replay" / task)
        rows[model] = sum(replay(env, layout, actions) for (layout, _, _), actions in zip(found, episodes))
    kept.write_text(json.dumps(rows))
    print(task, json.dumps(rows), flush=True)
    return rows


def measure(bench, models):
    """task -> {"policy", "untokenised" and each model: successes of EPISODES}, of the held-out tasks."""
    (bench.work / "replay").mkdir(exist_ok=True)
    names = [name for name, held_out in tasks() if held_out]
    with multiprocessing.Pool(bench.options.jobs) as pool:
        done = pool.map(one, [(bench, models, number, name) for number, name in enumerate(names)], chunksize=1)
    return dict(zip(names, done))
