# SPDX-License-Identifier: Apache-2.0
"""Scripted policies in Meta-World whose actions went through a tokenizer: does the robot still succeed?

The actions of a whole episode go through encode and decode and are replayed in the layout that they were recorded in.
"""
import json
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


def decoded(bench, model, episodes, folder):
    """The episodes through encode and decode, one .vqc each."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, actions in enumerate(episodes):
        np.save(folder / f"{i:02d}.npy", actions)
    names = [str(folder / f"{i:02d}.npy") for i in range(len(episodes))]
    bench.run("encode", *names, "-m", model, "-O", folder / "vqc", "--force", "-j", 1)
    bench.run("decode", *[str(folder / "vqc" / f"{i:02d}.vqc") for i in range(len(episodes))], "-O", folder / "out",
              "--force", "-j", 1)
    return [np.load(folder / "out" / f"{i:02d}.npy") for i in range(len(episodes))]


def measure(bench, done):
    warnings.filterwarnings("ignore")
    names = [name for name, held_out in tasks() if held_out]
    models = ["rvq-2", "rvq-4", "rvq-8", "rvq-16", "mlp-8", "fast-1", "fast-2", "fast-5", "bins-5", "bins-17"]
    for i, task in enumerate(names):
        if task in done:
            continue
        found = record(task, seed=5000 + i)
        env = environment(task, seed=5000 + i)
        rows = {"policy": sum(success for _, _, success in found),
                "untokenised": sum(replay(env, layout, actions) for layout, actions, _ in found)}
        for model in models:
            episodes = decoded(bench, bench.work / model, [actions for _, actions, _ in found], bench.work / "replay")
            rows[model] = sum(replay(env, layout, actions) for (layout, _, _), actions in zip(found, episodes))
        done[task] = rows
        print(task, json.dumps(rows), flush=True)
        (bench.work / "replay.json").write_text(json.dumps(done))
    return done
