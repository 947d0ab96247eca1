"""The real starter model: unit vectors, the same results as open_clip, honest failures."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from gallery.encoders.base import ModelUnavailable, l2_normalise
from gallery.encoders.open_clip_encoder import STARTER_FOLDER, OpenClipEncoder
from gallery.pixels import decode
from tests.conftest import draw

TEXTS = ["a dog playing", "红色的汽车", "a man riding a bicycle down a long winding road", "x"]


@pytest.fixture(scope="module")
def starter() -> OpenClipEncoder:
    return OpenClipEncoder("starter")


@pytest.fixture(scope="module")
def reference() -> Any:
    """The same package through unmodified open_clip, without code of ours."""
    name = f"local-dir:{STARTER_FOLDER}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    return model.eval(), preprocess, open_clip.get_tokenizer(name)


def picture(colour: str, width: int = 300, height: int = 200) -> Image.Image:
    return decode.decode_rgb(io.BytesIO(draw(width, height, colour)))


def test_facts_of_the_starter_model(starter: OpenClipEncoder) -> None:
    assert starter.dimensions == 512
    assert 1 < starter.logit_scale < 200
    assert starter.logit_bias is None
    assert len(starter.checksum) == 64


def test_texts_agree_with_open_clip(starter: OpenClipEncoder, reference: Any) -> None:
    model, _, tokenizer = reference
    with torch.inference_mode():
        expected = model.encode_text(tokenizer(TEXTS), normalize=True).numpy()
    vectors = starter.encode_texts(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_images_agree_with_open_clip_in_their_order(
    starter: OpenClipEncoder, reference: Any
) -> None:
    model, preprocess, _ = reference
    images = [picture(colour) for colour in ("red", "green", "blue", "black")]
    with torch.inference_mode():
        batch = torch.stack([preprocess(image) for image in images])
        expected = model.encode_image(batch, normalize=True).numpy()
    np.testing.assert_allclose(starter.encode_images(images), expected, atol=1e-4)


def test_a_text_means_the_same_alone_and_in_a_batch(starter: OpenClipEncoder) -> None:
    together = starter.encode_texts(TEXTS)
    alone = np.concatenate([starter.encode_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("iPhone手机照片", "iPhone 手 机 照 片"),
        ("一輛紅色的汽車", "一辆红色的汽车"),
        ("two只dogs", "two 只 dogs"),
    ],
)
def test_chinese_means_the_same_however_it_is_written(
    starter: OpenClipEncoder, reference: Any, written: str, spelled: str
) -> None:
    model, _, tokenizer = reference
    with torch.inference_mode():
        expected = model.encode_text(tokenizer([spelled]), normalize=True).numpy()
        as_written = model.encode_text(tokenizer([written]), normalize=True).numpy()
    vectors = starter.encode_texts([written])
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert (as_written * expected).sum() < 0.99  # the result of open_clip alone


def test_a_very_long_text_is_cut_and_encoded(starter: OpenClipEncoder) -> None:
    vectors = starter.encode_texts(["dog " * 1000, "狗" * 1000])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_another_architecture_from_a_weights_file(tmp_path: Path) -> None:
    """The weights are random with a seed: enough to compare, without meaning."""
    torch.manual_seed(7)
    model = open_clip.create_model("ViT-S-32-alt").eval()
    file = tmp_path / "weights.pt"
    torch.save(model.state_dict(), file)
    encoder = OpenClipEncoder("ViT-S-32-alt", str(file))
    tokenizer = open_clip.get_tokenizer("ViT-S-32-alt")
    texts = [*TEXTS, "iPhone手機"]  # a tokenizer without our characters gets the text as written
    with torch.inference_mode():
        expected = model.encode_text(tokenizer(texts), normalize=True).numpy()
    assert encoder.dimensions == expected.shape[1] != 512
    np.testing.assert_allclose(encoder.encode_texts(texts), expected, atol=1e-4)
    assert encoder.encode_images([picture("red")]).shape == (1, encoder.dimensions)


def test_a_multilingual_text_tower(tmp_path: Path) -> None:
    """The kind of the recommended production model is a Hugging Face tower. Its mean over all words
    must not change when padding is trimmed, or with many threads."""
    from transformers import BertConfig

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "playing", "红", "色", "车"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=100,
    ).save_pretrained(tmp_path)
    text = {
        "hf_model_name": str(tmp_path),
        "hf_tokenizer_name": str(tmp_path),
        "hf_pooler_type": "mean_pooler",
        "hf_proj_type": "mlp",
    }
    vision = {"image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 16}
    config = {"embed_dim": 16, "vision_cfg": vision, "text_cfg": text}
    (tmp_path / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": {}})
    )
    torch.manual_seed(7)
    name = f"local-dir:{tmp_path}"
    model = open_clip.create_model(name, load_weights=False, pretrained_text=False).eval()
    torch.save(model.state_dict(), tmp_path / "open_clip_pytorch_model.bin")

    encoder = OpenClipEncoder(name)
    texts = ["a dog playing", "红色车", "a"]
    tokens = open_clip.get_tokenizer(name)(texts)
    assert tokens.shape[1] == 77
    with torch.inference_mode():
        expected = model.encode_text(tokens, normalize=True).numpy()
    np.testing.assert_allclose(encoder.encode_texts(texts), expected, atol=1e-5)
    with ThreadPoolExecutor(8) as pool:
        vectors = list(pool.map(lambda _: encoder.encode_texts(texts), range(64)))
    np.testing.assert_allclose(np.stack(vectors), np.stack([expected] * 64), atol=1e-5)


@pytest.mark.parametrize(
    ("architecture", "pretrained", "said"),
    [
        ("no-such-model", "tag", "knows no architecture named “no-such-model”"),
        ("ViT-B-32", "", "Known tags: openai"),
        ("ViT-B-32", "no-such-tag", "neither a pretrained tag"),
        ("local-dir:/no/such/folder", "", "holds no open_clip_config.json"),
    ],
)
def test_a_wrong_model_is_one_clear_sentence(architecture: str, pretrained: str, said: str) -> None:
    with pytest.raises(ModelUnavailable) as failure:
        OpenClipEncoder(architecture, pretrained)
    assert said in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_damaged_weights_file_is_one_clear_sentence(tmp_path: Path) -> None:
    file = tmp_path / "weights.pt"
    file.write_bytes(b"these are no weights")
    with pytest.raises(ModelUnavailable, match="could not be fetched or read"):
        OpenClipEncoder("ViT-S-32-alt", str(file))


def test_vectors_without_direction_are_refused() -> None:
    with pytest.raises(ValueError, match="direction"):
        l2_normalise(np.array([[1.0, 2.0], [0.0, 0.0]]))
    with pytest.raises(ValueError, match="direction"):
        l2_normalise(np.array([[np.nan, 1.0]]))


def test_the_starter_knows_a_cat_in_both_languages(starter: OpenClipEncoder) -> None:
    from skimage import data

    images = [Image.fromarray(data.chelsea()), Image.fromarray(data.coffee())]
    scores = (
        starter.encode_images(images)
        @ starter.encode_texts(["a photo of a cat", "一只猫", "a cup of coffee", "一杯咖啡"]).T
    )
    assert (scores.argmax(axis=0) == [0, 0, 1, 1]).all()
