"""The encoders that this process has loaded. Used by the encoder worker alone."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from typing import Any

from gallery.encoders.base import Encoder, ModelUnavailable

# The active space and one that is being built beside it.
MAX_LOADED = 2
# A hub that is down takes most of a minute to say so: queries are not kept that long.
FAILURE_SECONDS = 30.0

_Key = tuple[str, str]
_lock = threading.Lock()
_loaded: OrderedDict[_Key, Encoder] = OrderedDict()
# A model may take minutes to arrive: only those who want the same one wait.
_failures: dict[_Key, tuple[float, ModelUnavailable]] = {}
_load_locks: defaultdict[_Key, threading.Lock] = defaultdict(threading.Lock)


def get_encoder(architecture: str, pretrained: str = "") -> Encoder:
    """The encoder of that model, loaded on first use; the least recently used of
    more than two is dropped.

    Raises ModelUnavailable; the next call tries again.
    """
    key = (architecture, pretrained)
    with _lock:
        load_lock = _load_locks[key]
    with load_lock:
        encoder = _recall(key)
        if encoder is None:
            # Imported here so that only a process that encodes pays for torch.
            from gallery.encoders.open_clip_encoder import OpenClipEncoder

            try:
                encoder = OpenClipEncoder(architecture, pretrained)
            except ModelUnavailable as error:
                _failures[key] = (time.monotonic(), error)
                raise
            _remember(key, encoder)
    return encoder


def get_verified_encoder(architecture: str, pretrained: str, checksum: str) -> Encoder:
    """The encoder of that model with those very weights, for a query that waits.

    Raises ModelUnavailable, at once if the model could not be loaded a moment ago.
    Vectors of other weights under the same name must never meet stored ones.
    """
    failed_at, failure = _failures.get((architecture, pretrained), (0.0, None))
    if failure is not None and time.monotonic() - failed_at < FAILURE_SECONDS:
        raise failure
    encoder = get_encoder(architecture, pretrained)
    if encoder.checksum != checksum:
        raise ModelUnavailable(
            f"The weights of {architecture} have changed: restart the encoder worker, "
            "which then encodes all pictures again."
        )
    return encoder


def running() -> dict[str, dict[str, Any]]:
    """How each model that is loaded encodes pictures, by its name."""
    with _lock:
        return {" ".join(filter(None, key)): encoder.running for key, encoder in _loaded.items()}


def _recall(key: _Key) -> Encoder | None:
    with _lock:
        if key in _loaded:
            _loaded.move_to_end(key)
        return _loaded.get(key)


def _remember(key: _Key, encoder: Encoder) -> None:
    with _lock:
        _loaded[key] = encoder
        _failures.pop(key, None)
        while len(_loaded) > MAX_LOADED:
            _loaded.popitem(last=False)
