# SPDX-License-Identifier: Apache-2.0
"""Discrete tokenizers and neural codecs: pictures, speech and robot actions to tokens and back.

    import vqcodec
    model = vqcodec.load("image-f16")
    tokens = model.encode("photo.jpg")        # or an array, or a tensor
    picture = model.decode(tokens)            # uint8 [row, column, channel]
    small = model.compress("photo.jpg")       # the bytes of a .vqc file
    picture = vqcodec.decompress(small)

The ids are those of the program `vqcodec`, for any number of threads and calls.
"""
from vqcodec.data import Dataset, Item, TokenSet
from vqcodec.errors import (CorruptDataError, Error, InputError, LimitError, ModelError, ResourceError,
                            UsageError)
from vqcodec.model import Model, Tokens, decompress, load, models

__all__ = ["CorruptDataError", "Dataset", "Error", "InputError", "Item", "LimitError", "Model", "ModelError",
           "ResourceError", "TokenSet", "Tokens", "UsageError", "decompress", "load", "models"]
