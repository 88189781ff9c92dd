#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a golden of EnCodec, DAC or Mimi again in the layout of its authors' own program, beside it: mimi -> mimi_own.
That program has to load it and to give the golden's ids and decoded samples (those of its whole tokens: see mimi()).

    pip install torch==2.11.0 torchaudio==2.11.0 transformers==4.57.3 safetensors numpy einops encodec==0.1.1
    pip install --no-deps moshi==0.2.13 sentencepiece==0.2.3 descript-audio-codec==1.0.0
    tests/oracle/own_layouts.py encodec|encodec_32khz|encodec_48khz|dac|mimi [FOLDER]   # FOLDER: a golden of published sizes, by --real
"""
# pylint: disable=import-outside-toplevel
import json
import math
import pathlib
import re
import sys
from unittest import mock

import torch
from safetensors.torch import load_file, save_file

GOLDEN = pathlib.Path(__file__).parents[1] / "golden/import"
sys.path = [path for path in sys.path if not path.endswith("oracle")]  # there files have the names of packages


def replaced(name, *pairs):
    for found, put in pairs:
        name = re.sub(found, put, name)
    return name


def close(expected, found):
    assert expected.shape == found.shape, (expected.shape, found.shape)
    error = (expected - found).square().mean().sqrt() / expected.square().mean().sqrt()
    assert error < 1e-4, error


def hub_seanet(name):
    """transformers' name of a tensor of EnCodec or of Mimi's SEANet."""
    return replaced(name, (r"coder\.model\.", "coder.layers."), (r"\.conv\.conv\.|\.convtr\.convtr\.", ".conv."),
                    (r"\.(conv|convtr)\.norm\.", ".norm."), (r"\.weight_g$", ".parametrizations.weight.original0"),
                    (r"\.weight_v$", ".parametrizations.weight.original1"))


def encodec(config, tensors, example):
    """Of 24, 32 and 48 kHz."""
    from encodec import EncodecModel
    from encodec.modules import SEANetDecoder, SEANetEncoder
    from encodec.quantization import ResidualVectorQuantizer
    stereo = config["audio_channels"] == 2
    sizes = {"channels": config["audio_channels"], "dimension": config["hidden_size"], "n_filters": config["num_filters"],
             "ratios": config["upsampling_ratios"], "n_residual_layers": config["num_residual_layers"],
             "norm": config["norm_type"], "causal": config["use_causal_conv"], "true_skip": not config["use_conv_shortcut"]}
    levels = sum(name.endswith(".codebook.embed") for name in tensors)
    segments = {"normalize": True, "segment": config["chunk_length_s"], "overlap": config["overlap"]} if stereo else {}
    model = EncodecModel(SEANetEncoder(**sizes), SEANetDecoder(**sizes),
                         ResidualVectorQuantizer(dimension=config["hidden_size"], n_q=levels, bins=config["codebook_size"]),
                         config["target_bandwidths"], config["sampling_rate"], config["audio_channels"], **segments,
                         name="encodec_48khz" if stereo else "encodec_24khz").eval()
    own = {name: tensors[hub_seanet(name).replace("quantizer.vq.", "quantizer.").replace("._codebook.", ".codebook.")]
           for name in model.state_dict()}
    model.load_state_dict(own)
    model.set_target_bandwidth(config["target_bandwidths"][-1])
    sound = example["samples"].T if stereo else example["samples"][None]
    frames = model.encode(sound[None])
    assert torch.equal(torch.cat([codes[0].T for codes, _ in frames]).int(), example["ids"])
    close(example["decoded"].T if stereo else example["decoded"][None], model.decode(frames)[0, :, :example["decoded"].shape[0]])
    told = ["sampling_rate", "use_causal_conv"] + (["chunk_length_s", "overlap"] if stereo else [])
    return own, {field: config[field] for field in told}, None


def dac(config, tensors, example):
    """transformers has no weight norm here: the lengths of its directions are anyhow, and so their product is rounded."""
    audiotools = mock.MagicMock()  # only for training and files
    audiotools.ml.BaseModel = type("BaseModel", (torch.nn.Module,), {"INTERN": [], "EXTERN": []})
    for name in ("audiotools", "audiotools.core", "audiotools.data", "audiotools.ml.decorators", "argbind"):
        sys.modules[name] = audiotools
    sys.modules["audiotools.ml"] = audiotools.ml
    from dac.model.dac import DAC
    model = DAC(encoder_dim=config["encoder_hidden_size"], encoder_rates=config["downsampling_ratios"],
                decoder_dim=config["decoder_hidden_size"], decoder_rates=config["upsampling_ratios"],
                n_codebooks=config["n_codebooks"], codebook_size=config["codebook_size"], codebook_dim=config["codebook_dim"],
                sample_rate=config["sampling_rate"]).eval()
    downs, ups = len(config["downsampling_ratios"]), len(config["upsampling_ratios"])
    parts = ["snake1", "conv1", "snake2", "conv2"]

    def block(found):
        side, number, inside = found[1], int(found[2]) - 1, found[3]
        unit = re.match(r"(\d)\.block\.(\d)", inside)
        if unit:
            inside = f"res_unit{int(unit[1]) + (1 if side == 'encoder' else -1)}.{parts[int(unit[2])]}" + inside[unit.end():]
        else:
            inside = {"encoder3": "snake1", "encoder4": "conv1", "decoder0": "snake1", "decoder1": "conv_t1"}[side + inside[0]] + inside[1:]
        return f"{side}.block.{number}.{inside}"

    def hub(name):
        name = re.sub(r"^(encoder|decoder)\.(?:block|model)\.(\d+)\.block\.(.*)", block, name)
        return replaced(name, (r"^encoder\.block\.0\.(?=weight|bias)", "encoder.conv1."),
                        (rf"^encoder\.block\.{downs + 1}\.alpha", "encoder.snake1.alpha"),
                        (rf"^encoder\.block\.{downs + 2}\.(?=weight|bias)", "encoder.conv2."),
                        (r"^decoder\.model\.0\.", "decoder.conv1."), (rf"^decoder\.model\.{ups + 1}\.", "decoder.snake1."),
                        (rf"^decoder\.model\.{ups + 2}\.", "decoder.conv2."))

    own, random = {}, torch.Generator().manual_seed(3)
    for name in model.state_dict():
        if name.endswith("weight_g"):
            weight = tensors[hub(name[:-2])]
            own[name] = torch.linalg.vector_norm(weight.flatten(1), dim=1).reshape(-1, 1, 1)
            own[name[:-1] + "v"] = weight * (0.5 + torch.rand(own[name].shape, generator=random))
        elif not name.endswith("weight_v"):
            own[name] = tensors[hub(name)]
    model.load_state_dict(own)
    latents = model.encoder(model.preprocess(example["samples"][None, None], config["sampling_rate"]))
    ids = model.encode(model.preprocess(example["samples"][None, None], config["sampling_rate"]))[1][0].T.int()
    print("ids equal to transformers':", (ids == example["ids"]).sum().item(), "of", ids.numel())
    decoded = model.decode(model.quantizer.from_codes(ids.T[None].long())[0])[0, 0]
    close(example["latents"], latents[0].T)
    return own, {"sampling_rate": config["sampling_rate"]}, {
        "samples": example["samples"], "latents": latents[0].T, "ids": ids, "decoded": decoded}


def mimi(config, tensors, example):
    """The program fills a sound up to whole tokens with zeros, transformers each layer: the last token may differ."""
    from moshi.models import loaders
    stride = 2 * math.prod(config["upsampling_ratios"])
    seanet = loaders._seanet_kwargs | {  # pylint: disable=protected-access
        "dimension": config["hidden_size"], "n_filters": config["num_filters"], "ratios": config["upsampling_ratios"]}
    coder = loaders._transformer_kwargs | {  # pylint: disable=protected-access
        "d_model": config["hidden_size"], "num_heads": config["num_attention_heads"], "num_layers": config["num_hidden_layers"],
        "context": config["sliding_window"], "dim_feedforward": config["intermediate_size"],
        "input_dimension": config["hidden_size"], "output_dimensions": [config["hidden_size"]]}
    model = loaders.get_mimi(None, {
        "sample_rate": config["sampling_rate"], "channels": 1, "frame_rate": config["sampling_rate"] / stride, "seanet": seanet,
        "transformer": coder, "quantizer": {"dimension": config["codebook_dim"], "n_q": config["num_quantizers"],
                                            "bins": config["codebook_size"], "input_dimension": config["hidden_size"],
                                            "output_dimension": config["hidden_size"]}}, num_codebooks=config["num_quantizers"])

    def rotated(weight):
        """Pairs of neighbours instead of halves of a head."""
        heads = config["num_attention_heads"]
        return weight.reshape(heads, 2, -1, weight.shape[1]).transpose(1, 2).reshape(weight.shape)

    def hub(name):
        name = hub_seanet(replaced(name, (r"(conv|convtr)\.\1\.\1\.", "conv.")))
        return replaced(name, (r"_transformer\.transformer\.", "_transformer."), (r"\.norm1\.", ".input_layernorm."),
                        (r"\.norm2\.", ".post_attention_layernorm."), (r"\.layer_scale_1\.", ".self_attn_layer_scale."),
                        (r"\.layer_scale_2\.", ".mlp_layer_scale."), (r"\.linear(\d)\.", r".mlp.fc\1."),
                        (r"\.out_projs\.0\.", ".o_proj."), (r"rvq_first\.", "semantic_residual_vector_quantizer."),
                        (r"rvq_rest\.", "acoustic_residual_vector_quantizer."), (r"\.vq\.layers\.", ".layers."),
                        (r"\._codebook\._?", ".codebook."), (r"\.embedding_sum$", ".embed_sum"))

    own = {}
    for name in model.state_dict():
        stem = name.removesuffix("in_projs.0.weight")
        if stem != name:
            query, key, value = (tensors[hub(stem) + kind + "_proj.weight"] for kind in "qkv")
            own[name] = torch.cat([rotated(query), rotated(key), value])
        else:
            own[name] = tensors[hub(name)]
    model.load_state_dict(own)
    whole = example["samples"].shape[0] // stride
    ids = model.encode(example["samples"][None, None])[0].T.int()
    assert torch.equal(ids[:whole], example["ids"][:whole])
    print("tokens that are not whole and differ:", (ids[whole:] != example["ids"][whole:]).any(1).sum().item())
    close(example["decoded"], model.decode(example["ids"].T[None].long())[0, 0])
    # As they are published; the program knows these names, too.
    own = {replaced(name, (r"in_projs\.0\.weight", "in_proj_weight"), (r"out_projs\.0\.", "out_proj.")): values
           for name, values in own.items()}
    return own, {field: config[field] for field in ("sampling_rate", "num_attention_heads", "sliding_window")}, None


def main():
    family = sys.argv[1]
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else GOLDEN / family
    config = json.loads((folder / "config.json").read_text())
    tensors, example = load_file(folder / "model.safetensors"), load_file(folder / "example.safetensors")
    writer = {"encodec": encodec, "encodec_32khz": encodec, "encodec_48khz": encodec, "dac": dac, "mimi": mimi}[family]
    own, told, made = writer(config, tensors, example)
    other = folder.parent / (folder.name + "_own")
    other.mkdir(exist_ok=True)
    save_file({name: values.contiguous() for name, values in own.items()}, other / "model.safetensors")
    if folder.parent == GOLDEN:  # the sizes of published ones tell all
        (other / "config.json").write_text(json.dumps(told, indent=2) + "\n")
    if made:
        save_file({name: values.contiguous() for name, values in made.items()}, other / "example.safetensors")


if __name__ == "__main__":
    with torch.no_grad():
        main()
