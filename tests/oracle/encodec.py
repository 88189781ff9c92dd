#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/import/encodec/: a small EnCodec of seeded random weights, and what transformers makes of a sound.
With --32khz tests/golden/import/encodec_32khz/: one that looks ahead, as MusicGen has it. With --48khz
tests/golden/import/encodec_48khz/: one of segments and two channels, which EnCodec's own program has to take as well.

    pip install torch==2.11.0 transformers==4.57.3 safetensors     # --48khz: also torchaudio==2.11.0 einops encodec==0.1.1
    tests/oracle/encodec.py [FOLDER] [--real] [--32khz | --48khz]   # --real: the sizes of facebook/encodec_24khz (..), into FOLDER
"""
import sys

import torch
from safetensors.torch import save_file
from transformers import EncodecConfig, EncodecModel

import checkpoints


def tiny(**other):
    return EncodecConfig(**{**dict(num_filters=4, hidden_size=16, upsampling_ratios=[4, 3], num_residual_layers=2,
                                   codebook_size=64, sampling_rate=1200, target_bandwidths=[0.6, 3.0]), **other})


def looking_ahead(real):
    plan = {"use_causal_conv": False, "use_conv_shortcut": False}
    if real:
        return EncodecConfig(sampling_rate=32000, num_filters=64, upsampling_ratios=[8, 5, 4, 4], codebook_size=2048,
                             target_bandwidths=[2.2], **plan)
    return tiny(upsampling_ratios=[3, 4], sampling_rate=1200, **plan)


def encode(model, sound):
    latents = model.encoder(sound)
    codes = model.quantizer.encode(latents, model.config.target_bandwidths[-1])  # [levels, batch, rows]
    return latents[0].T, codes[:, 0].T


def decode(model, ids):
    return model.decoder(model.quantizer.decode(ids.T[:, None]))[0, 0]


def segmented(real):
    """Segments of 102 samples' distance, 8.5 tokens; of 922 samples the last two segments are short."""
    plan = {"audio_channels": 2, "normalize": True, "norm_type": "time_group_norm", "use_causal_conv": False}
    if real:
        return EncodecConfig(sampling_rate=48000, target_bandwidths=[3.0, 6.0, 12.0, 24.0], chunk_length_s=1.0, overlap=0.01, **plan)
    return tiny(chunk_length_s=0.1, overlap=0.15, **plan)


def own(model):
    """The same network of EnCodec's own program."""
    sys.path = [path for path in sys.path if not path.endswith("oracle")]  # there a file has the name of the package
    sys.modules.pop("encodec", None)
    from encodec import EncodecModel as Own  # pylint: disable=import-outside-toplevel
    from encodec.modules import SEANetDecoder, SEANetEncoder  # pylint: disable=import-outside-toplevel
    from encodec.quantization import ResidualVectorQuantizer  # pylint: disable=import-outside-toplevel
    config = model.config
    sizes = {"channels": 2, "dimension": config.hidden_size, "n_filters": config.num_filters, "ratios": config.upsampling_ratios,
             "n_residual_layers": config.num_residual_layers, "norm": "time_group_norm", "causal": False}
    quantizer = ResidualVectorQuantizer(dimension=config.hidden_size, n_q=len(model.quantizer.layers), bins=config.codebook_size)
    made = Own(SEANetEncoder(**sizes), SEANetDecoder(**sizes), quantizer, config.target_bandwidths, config.sampling_rate, 2,
               normalize=True, segment=config.chunk_length_s, overlap=config.overlap, name="encodec_48khz").eval()
    tensors = {}
    for key in made.state_dict():
        name = key.replace(".convtr.convtr.", ".conv.").replace(".conv.conv.", ".conv.").replace(".conv.norm.", ".norm.")
        name = name.replace(".convtr.norm.", ".norm.").replace("coder.model.", "coder.layers.")
        tensors[key] = model.state_dict()[name.replace("quantizer.vq.", "quantizer.").replace("._codebook.", ".codebook.")]
    made.load_state_dict(tensors)
    made.set_target_bandwidth(config.target_bandwidths[-1])
    return made


def write_segments(options):
    model = EncodecModel(segmented(options.real)).eval()
    checkpoints.randomize(model)
    for layer in model.quantizer.layers:
        layer.codebook.embed.normal_(0, 0.5)
    samples = 100000 if options.real else 922
    sound = torch.stack([checkpoints.sound(samples), 0.7 * checkpoints.sound(samples).flip(0)])
    sound *= torch.linspace(0.1, 1, samples)  # so that scales differ
    program = own(model)
    segments = program.encode(sound[None])
    last = model.decoder.layers[-1]
    while (peak := program.decode(segments).abs().max()) > 0.8:
        for values in last.norm.parameters():
            values.mul_(0.7 / peak)
        program = own(model)
    decoded = program.decode(segments)[0]
    length, hop = program.segment_length, program.segment_stride
    latents = []
    for index, (codes, scale) in enumerate(segments):  # by transformers, too
        codes_too, scale_too = model._encode_frame(sound[None, :, index * hop:index * hop + length],  # pylint: disable=protected-access
                                                   model.config.target_bandwidths[-1])
        assert torch.equal(codes, codes_too) and torch.allclose(scale, scale_too, rtol=1e-5), index
        latents.append(model.encoder(sound[None, :, index * hop:index * hop + length] / scale)[0].T)
    frames = [model._decode_frame(codes, scale) for codes, scale in segments]  # pylint: disable=protected-access
    assert torch.allclose(model._linear_overlap_add(frames, hop)[0], decoded, atol=1e-5)  # pylint: disable=protected-access
    options.folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(options.folder)
    example = {"samples": sound.T, "latents": torch.cat(latents), "ids": torch.cat([codes[0].T for codes, _ in segments]).to(torch.int32),
               "scales": torch.cat([scale[0] for _, scale in segments]), "decoded": decoded.T}
    save_file({name: tensor.contiguous() for name, tensor in example.items()}, options.folder / "example.safetensors")


def main():
    options = checkpoints.options(__doc__, "encodec", "32khz", "48khz")
    torch.manual_seed(1)
    if getattr(options, "48khz"):
        write_segments(options)
        return
    if getattr(options, "32khz"):
        config = looking_ahead(options.real)
    else:
        config = EncodecConfig() if options.real else tiny()
    model = EncodecModel(config).eval()
    checkpoints.randomize(model)
    for layer in model.quantizer.layers:
        layer.codebook.embed.normal_(0, 0.5)
    samples = 3 * config.sampling_rate if options.real else 1003
    checkpoints.quieten(model, model.decoder.layers[-1], encode, decode, samples)
    checkpoints.write(options, model, encode, decode, samples)


if __name__ == "__main__":
    with torch.no_grad():
        main()
