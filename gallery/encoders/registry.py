"""The encoders that this process has loaded. Only the encoder worker uses this module."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from typing import Any

from gallery.encoders.base import Encoder, ModelUnavailable

# The active space and one that is being built beside it.
MAX_LOADED = 2
# A download from a hub that is down takes most of a minute to fail. Queries do not wait that
# long: for this time they get the last error.
FAILURE_SECONDS = 30.0

_Key = tuple[str, str]
_lock = threading.Lock()
_loaded: OrderedDict[_Key, Encoder] = OrderedDict()
_failures: dict[_Key, tuple[float, ModelUnavailable]] = {}
# A download may take minutes: only callers of the same model wait for it.
_load_locks: defaultdict[_Key, threading.Lock] = defaultdict(threading.Lock)


def get_encoder(architecture: str, pretrained: str = "") -> Encoder:
    """Return the encoder of the model, loaded on first use. At most MAX_LOADED stay loaded; the
    least recently used one is dropped.

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
    """Return the encoder of the model with exactly these weights, for a waiting query.

    Raises ModelUnavailable, at once if the model failed to load within FAILURE_SECONDS.
    Vectors of other weights under the same name must never be compared with stored ones.
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
    """How each loaded model encodes pictures, by its name."""
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
