# SPDX-License-Identifier: Apache-2.0
"""What calls raise. A message names the thing, what was found, what is allowed and what to do."""


class Error(Exception):
    """Any error of this package."""


class UsageError(Error, ValueError):
    """The request makes no sense: a bad option, an array of another kind."""


class InputError(Error, OSError):
    """The input cannot be read or is of no supported kind."""


class LimitError(Error, ValueError):
    """The input is beyond a limit."""


class CorruptDataError(Error, ValueError):
    """A stream or shard is damaged, cut off or not one of ours."""


class ModelError(Error, LookupError):
    """A model is missing, damaged, or not the one that the stream needs."""


class ResourceError(Error, RuntimeError):
    """Memory, a device, a part of the library or room for the output could not be had."""
