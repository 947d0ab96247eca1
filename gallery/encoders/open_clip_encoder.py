"""open_clip models as encoders. Only this module and `pace` import torch."""

from __future__ import annotations

import copy
import hashlib
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from django.conf import settings
from open_clip.hf_model import HFTextEncoder
from open_clip.tokenizer import SimpleTokenizer
from open_clip.transformer import TextTransformer
from PIL import Image

from gallery.encoders import pace
from gallery.encoders.base import ModelUnavailable, Vectors, l2_normalise
from gallery.encoders.chinese import spell_for_characters

logger = logging.getLogger(__name__)

STARTER = "starter"
STARTER_FOLDER = Path(__file__).parent / "starter"

# The number of texts in one batch. Short texts cost little, and the longest text of a batch
# decides its padding.
TEXT_BATCH = 128

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# The most pictures in one batch on a CPU: the activations of a small batch fit into its
# caches. A picture takes the starter model 17 to 20 ms in such a batch, and 27 to 32 ms and
# 300 MB more memory in a batch of sixteen. `pace` measures which batch size is the fastest.
CPU_IMAGE_BATCH = 4

# The least cosine of bf16 and float32 vectors at which bf16 is used (measured: ViT-B/32 .9999,
# EfficientNet-Lite2 .990 to .999).
BF16_MIN_COSINE = 0.9995


class OpenClipEncoder:
    """One model on one device. Thread-safe."""

    def __init__(self, architecture: str, pretrained: str = "") -> None:
        """Load the model. Raises ModelUnavailable with one sentence that gives the reason."""
        self.device = _choose_device(settings.CLIPSITE_DEVICE)
        model, preprocess, tokenizer = _load(architecture, pretrained)
        self.checksum = _checksum(model)
        self.logit_scale = float(model.logit_scale.detach().exp())
        bias = getattr(model, "logit_bias", None)
        self.logit_bias = None if bias is None else float(bias.detach())
        self._preprocess = preprocess
        self._model = model.eval().to(device=self.device)
        self._pace = pace.plain()
        self._image_dtype = self._settle_precision(settings.CLIPSITE_PRECISION)
        self._tokenizer = tokenizer
        self._spell = spell_for_characters if _has_characters(tokenizer) else str
        self._padding = _trimmable_padding(model.text)
        # Hugging Face's tokenizers refuse a second thread ("Already borrowed").
        self._tokenizer_lock = threading.Lock()
        # A GPU runs one batch at a time anyway, and its memory is planned for one.
        self._gpu_lock = threading.Lock()
        self.batch_size = settings.INDEX_BATCH_SIZE or (8 if self.device.type == "cpu" else 256)
        self.dimensions = int(self.encode_texts(["a photo"]).shape[1])
        self.running = {
            "precision": str(self._image_dtype).removeprefix("torch."),
            "device": str(self.device),
            **self._settle_pace(),
        }

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """RGB pictures of any size -> (n, dimensions) float32, L2-normalised."""
        most = self._pace.batch if self.device.type == "cpu" else max(1, len(images))
        chunks = [images[start : start + most] for start in range(0, len(images), most)]
        return np.concatenate([self._encode_image_batch(chunk) for chunk in chunks])

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Any number of texts -> (n, dimensions) float32, L2-normalised."""
        chunks = [texts[i : i + TEXT_BATCH] for i in range(0, len(texts), TEXT_BATCH)]
        return np.concatenate([self._encode_text_batch(chunk) for chunk in chunks])

    def _settle_precision(self, wanted: str) -> torch.dtype:
        """Set the number formats of the towers and return that of the image tower.

        `auto` is float16 on a GPU. On a CPU with bf16 instructions it is bf16 for the image
        tower if the vectors agree with float32: transformers do and run twice as fast, some
        convolutional towers drift. Otherwise it is float32.
        """
        if wanted == "auto" and self.device.type == "cuda":
            self._model.half()
            return torch.float16
        if wanted == "auto":
            return self._try_bf16() if _has_bf16_instructions() else torch.float32
        self._model.visual.to(PRECISIONS[wanted])
        return PRECISIONS[wanted]

    def _try_bf16(self) -> torch.dtype:
        self._image_dtype = torch.float32
        probes = [Image.effect_noise((256, 256), sigma).convert("RGB") for sigma in (20, 60)]
        exact = self.encode_images(probes)
        in_float32 = self._model.visual
        self._model.visual = copy.deepcopy(in_float32).to(torch.bfloat16)
        self._image_dtype = torch.bfloat16
        if (exact * self.encode_images(probes)).sum(axis=1).min() >= BF16_MIN_COSINE:
            return torch.bfloat16
        self._model.visual = in_float32
        return torch.float32

    def _settle_pace(self) -> dict[str, Any]:
        """Find the fastest way to encode pictures on a CPU. Return its facts for display."""
        if self.device.type != "cpu":
            # Convolutions run twice as fast with the channels innermost, and agree to 1e-7.
            self._model.to(memory_format=torch.channels_last)
            return {"batch": self.batch_size}
        noise = Image.effect_noise((256, 256), 40).convert("RGB")
        picture = self._preprocess(noise).to(self._image_dtype)

        def run(way: pace.Pace) -> None:
            way.apply(self._model.visual)
            with torch.inference_mode():
                self._model.encode_image(torch.stack([picture] * way.batch))

        self._pace, seconds = pace.fastest(run, CPU_IMAGE_BATCH)
        self._pace.apply(self._model.visual)
        return self._pace.told(seconds)

    def _encode_image_batch(self, images: Sequence[Image.Image]) -> Vectors:
        batch = torch.stack([self._preprocess(image) for image in images])
        return self._run(self._model.encode_image, batch.to(self._image_dtype))

    def _encode_text_batch(self, texts: Sequence[str]) -> Vectors:
        with self._tokenizer_lock:
            tokens = self._tokenizer([self._spell(text) for text in texts])
        if self._padding is not None:
            longest = int((tokens != self._padding).sum(dim=1).max())
            tokens = tokens[:, :longest]
        return self._run(self._model.encode_text, tokens)

    def _run(self, encode: Any, batch: torch.Tensor) -> Vectors:
        if self.device.type == "cpu":
            self._pace.use_threads()
            with torch.inference_mode():
                return l2_normalise(encode(batch).float().numpy())
        with self._gpu_lock, torch.inference_mode():
            on_device = batch.pin_memory().to(self.device, non_blocking=True)
            return l2_normalise(encode(on_device).float().cpu().numpy())


def _choose_device(wanted: str) -> torch.device:
    if wanted != "auto":
        return torch.device(wanted)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _has_bf16_instructions() -> bool:
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _load(architecture: str, pretrained: str) -> tuple[Any, Any, Any]:
    """Return the model, its preprocessing and its tokenizer. Raises ModelUnavailable."""
    name = f"local-dir:{STARTER_FOLDER}" if architecture == STARTER else architecture
    _refuse_unknown(name, pretrained)
    try:
        # Unlike its siblings, this call refuses to go on with random weights. A separate text
        # tower lets every architecture trim its padding.
        model, preprocess = open_clip.create_model_from_pretrained(
            name, pretrained=pretrained or None, force_custom_text=True
        )
        return model, preprocess, open_clip.get_tokenizer(name)
    # open_clip, its hub client and torch raise many types for a wrong name, file or network;
    # all of them mean the same here.
    except Exception as error:
        logger.debug("Could not load %s / %s", architecture, pretrained, exc_info=True)
        raise ModelUnavailable(
            f"The model {architecture} {pretrained} could not be fetched or read: "
            "check that this machine reaches the model hub, or copy the files here and "
            f"name their folder or file ({_first_line(error)})."
        ) from error


def _refuse_unknown(name: str, pretrained: str) -> None:
    """Check what no download could fix. Raises ModelUnavailable."""
    scheme, _, rest = name.rpartition(":")
    if scheme == "local-dir" and not (Path(rest) / "open_clip_config.json").is_file():
        raise ModelUnavailable(f"The folder {rest} holds no open_clip_config.json.")
    if scheme:
        return
    if name not in open_clip.list_models():
        raise ModelUnavailable(f"open_clip knows no architecture named “{name}”.")
    tags = open_clip.list_pretrained_tags_by_model(name)
    if pretrained not in tags and not Path(pretrained).is_file():
        known = f" Known tags: {', '.join(tags)}." if tags else ""
        raise ModelUnavailable(
            f"“{pretrained}” is neither a pretrained tag of {name} nor a file here.{known}"
        )


def _first_line(error: Exception) -> str:
    """The first line of the root cause, in at most 200 characters."""
    while error.__cause__ is not None and isinstance(error.__cause__, Exception):
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def _checksum(model: torch.nn.Module) -> str:
    """SHA-256 over the names and float32 values of the parameters, in a fixed order."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def _has_characters(tokenizer: Any) -> bool:
    """Whether this is CLIP's tokenizer with added tokens for simplified Chinese characters."""
    return isinstance(tokenizer, SimpleTokenizer) and "的" in tokenizer.encoder


def _trimmable_padding(tower: torch.nn.Module) -> int | None:
    """The padding token if trimmed padding does not change the output, else None.

    Padding is most of the cost of a short query. A causal tower that reads its output at the
    end token never attends to the padding; a Hugging Face tower masks it.
    """
    if isinstance(tower, HFTextEncoder):
        return int(tower.config.pad_token_id)
    if (
        isinstance(tower, TextTransformer)
        and tower.attn_mask is not None
        and tower.cls_emb is None
        and tower.pool_type in ("argmax", "eos")
    ):
        _fit_mask_to_input(tower)
        return 0  # the padding of open_clip's own tokenizers
    return None


def _fit_mask_to_input(tower: TextTransformer) -> None:
    """Cut open_clip's causal mask, which has the full context length, to the input's length."""
    embed = tower._embeds

    def embed_with_fitting_mask(text: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        embedded, mask = embed(text)
        length = embedded.shape[1]
        return embedded, mask[..., :length, :length]

    tower._embeds = embed_with_fitting_mask
