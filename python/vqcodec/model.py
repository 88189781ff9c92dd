# SPDX-License-Identifier: Apache-2.0
"""Models: media to tokens and back."""
from __future__ import annotations

import dataclasses
import json
import os
import threading
from typing import Any, Sequence, Union

import numpy as np

from vqcodec import _core
from vqcodec.errors import UsageError

Media = Union[str, os.PathLike, bytes, Any]  # a path, the bytes of a file, or an array of any library that speaks DLPack
_BYTES = (bytes, bytearray, memoryview)
_streams = threading.Lock()
_models_of_streams: dict[tuple[bytes, str, int], Model] = {}


@dataclasses.dataclass
class Tokens:
    """Ids and what decoding needs beside them.

    ids: int32. Of pictures [row, column], and [row, column, level] of models with several levels; of sound
        [channel, time, level]; of actions [chunk, id].
    facts: of pictures width, height, channels, bit_depth; of sound rate, frames, channels; of actions frames,
        channels, source.
    """

    ids: np.ndarray
    facts: dict[str, Any]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.ids, dtype=dtype, copy=copy) if copy else np.asarray(self.ids, dtype=dtype)

    def __dlpack__(self, **arguments):
        return self.ids.__dlpack__(**arguments)

    def __dlpack_device__(self):
        return self.ids.__dlpack_device__()


def _array_of(media: Any) -> Any:
    """What the module takes: tensors without their graph, arrays that own their memory as they are."""
    if hasattr(media, "detach"):
        media = media.detach()
        if media.device.type != "cpu":
            media = media.cpu()
    return media if hasattr(media, "__dlpack__") or hasattr(media, "__array_interface__") else np.asarray(media)


class Model:
    """A model that is loaded. Its calls may be made from any number of threads at once and give the same ids."""

    def __init__(self, core: _core.Model) -> None:
        self._core = core

    name: str = property(lambda self: self._core.name)  # type: ignore[assignment]
    modality: str = property(lambda self: self._core.modality)  # type: ignore[assignment]

    @property
    def vocab(self) -> list[int]:
        """Entries of the codebook, for each level."""
        return self._core.vocab

    @property
    def stride(self) -> int:
        """Pixels along an axis, samples or steps for each token."""
        return self._core.stride

    @property
    def rate(self) -> float:
        """Samples a second, of models of sound; other rates are brought to it."""
        return self._core.rate

    @property
    def profile(self) -> int:
        """Numerics profile: installations with the same one give the same ids."""
        return self._core.profile

    def encode(self, media: Media, *, rate: int = 0, source: int = 0) -> Tokens:
        """The tokens of a file or an array.

        media: a path, or the bytes of a picture or sound file; a picture as uint8 or uint16 [row, column(, channel)] or float32 [(channel,) row, column] in
            [-1, 1]; sound as float32 in [-1, 1] or int16, [(channel,) sample]; actions as [step, dimension].
        rate: samples a second of an array of sound; 0: the model's own.
        source: number of the model's source that actions are of.
        """
        if isinstance(media, (str, os.PathLike)):
            ids, facts = self._core.encode_file(os.fspath(media))
        elif isinstance(media, _BYTES):
            ids, facts = self._core.encode_bytes(bytes(media))
        else:
            ids, facts = self._core.encode_array(_array_of(media), rate, source)
        return Tokens(ids, json.loads(facts))

    def encode_batch(self, batch: Sequence[Media], **options: int) -> list[Tokens]:
        """The same as encode one by one: neither the ids nor their order depend on what else is in a batch."""
        return [self.encode(media, **options) for media in batch]

    def decode(self, tokens: Union[Tokens, Any], *, floats: bool = False, **facts: Any) -> np.ndarray:
        """What tokens stand for.

        tokens: as encode gave them; or ids alone, with `facts` by name. A picture whose width and height are not
            given is as large as its tokens, sound without frames as long.
        floats: pictures as float32 [channel, row, column] in [-1, 1] instead of uint8 [row, column, channel].
        Sound is float32 [channel, sample], actions float32 [step, dimension].
        """
        ids = np.asarray(tokens.ids if isinstance(tokens, Tokens) else _array_of(tokens))
        if not np.issubdtype(ids.dtype, np.integer):
            raise UsageError(f"ids are {ids.dtype}; they have to be integers")
        if ids.size and (ids.min() < 0 or ids.max() > 2**31 - 1):
            raise UsageError(f"ids are from 0 to 2^31 - 1, these from {ids.min()} to {ids.max()}")
        known = {**self._default_facts(ids), **(tokens.facts if isinstance(tokens, Tokens) else {}), **facts}
        return self._core.decode(np.ascontiguousarray(ids, dtype=np.int32), json.dumps(known), floats)

    def _default_facts(self, ids: np.ndarray) -> dict[str, Any]:
        if self.modality == "image" and ids.ndim >= 2:
            return {"width": ids.shape[1] * self.stride, "height": ids.shape[0] * self.stride, "channels": 3}
        if self.modality == "audio" and ids.ndim == 3:
            return {"rate": int(self.rate), "frames": ids.shape[1] * self.stride, "channels": ids.shape[0]}
        return {}

    def compress(self, media: Media, *, rate: int = 0, source: int = 0, max_bytes: int = 0) -> bytes:
        """The bytes of a .vqc file, those of `vqcodec encode`. Pictures take at most max_bytes where it is not 0."""
        if isinstance(media, (str, os.PathLike)):
            return self._core.compress_file(os.fspath(media), max_bytes)
        if isinstance(media, _BYTES):
            return self._core.compress_bytes(bytes(media), max_bytes)
        return self._core.compress_array(_array_of(media), rate, source, max_bytes)

    def decompress(self, stream: bytes, *, floats: bool = False) -> np.ndarray:
        """The media in the bytes of a .vqc file of this model, as decode gives it."""
        return self._core.decompress(bytes(stream), floats)

    def __repr__(self) -> str:
        return f"<vqcodec model {self.name}: {self.modality}, vocabulary {self.vocab}>"


def load(name: Union[str, os.PathLike], *, device: str = "cpu", threads: int = 1, decoder: str = "") -> Model:
    """A model by its name (`vqcodec.models()`) or folder.

    device: "cpu", "cuda", "cuda:N" or "auto". threads: of a call. decoder: the name or folder of another decoder.
    """
    return Model(_core.Model(os.fspath(name), device, threads, decoder))


def models() -> list[str]:
    """Names of the models that are there."""
    return _core.models()


def decompress(stream: bytes, *, device: str = "cpu", threads: int = 1, floats: bool = False) -> np.ndarray:
    """The media in the bytes of a .vqc file, whichever model they name. Models stay loaded."""
    stream = bytes(stream)
    key = (_core.stream_key(stream), device, threads)
    with _streams:
        if key not in _models_of_streams:
            _models_of_streams[key] = Model(_core.Model.of_stream(stream, device, threads))
        model = _models_of_streams[key]
    return model.decompress(stream, floats=floats)
