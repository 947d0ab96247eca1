"""The recall of a running site through its API, compared with the same model alone.

Uploads a folder (or tar) of photographs, waits until all are searchable, searches for every
caption, and does the same with only open_clip and NumPy.

Captions are JSON: {"language": [["photo name without extension", "caption"], …]}.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import requests
from tqdm import tqdm

K = 10
THREADS = 4


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="recall", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--username", default="demo")
    parser.add_argument("--password", default="demo-demo")
    parser.add_argument("--photos", required=True, type=Path, help="a folder or a tar")
    parser.add_argument("--captions", required=True, type=Path)
    parser.add_argument("--split", type=Path, help="JSON with lists of names")
    parser.add_argument("--part", default="val", help="which list of the split")
    parser.add_argument("--queries", type=int, default=0, help="captions per language, 0: all")
    options = parser.parse_args(arguments)

    names = set(json.loads(options.split.read_text())[options.part]) if options.split else None
    photos = read_photos(options.photos, names)
    captions = {
        language: [(name, text) for name, text in pairs if name in photos]
        for language, pairs in json.loads(options.captions.read_text()).items()
    }
    if options.queries:
        captions = {
            language: pairs[:: max(1, len(pairs) // options.queries)][: options.queries]
            for language, pairs in captions.items()
        }
    site = Site(options.url, options.username, options.password)
    ids = site.upload(photos)
    through_api = {language: site.recall(pairs, ids) for language, pairs in captions.items()}
    alone = model_alone(photos, captions)
    for language, pairs in captions.items():
        api, model = through_api[language] * 100, alone[language] * 100
        print(
            f"{language}: {len(pairs)} captions, recall@{K} through the API {api:.2f}, "
            f"model alone {model:.2f}, difference {api - model:+.2f}"
        )


def read_photos(source: Path, names: set[str] | None) -> dict[str, bytes]:
    """Read photos: name without extension -> file bytes."""
    if source.is_dir():
        files = ((path.stem, path.read_bytes) for path in sorted(source.rglob("*.jpg")))
        return {name: read() for name, read in files if names is None or name in names}
    photos = {}
    with tarfile.open(source) as archive:
        for member in archive:
            name = Path(member.name).stem
            if member.isfile() and (names is None or name in names):
                file = archive.extractfile(member)
                assert file is not None
                photos[name] = file.read()
    return photos


class Site:
    """The API of a running site with a signed-in account."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.api = f"{url}/api/v1"
        self.session = requests.Session()
        self.session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))
        answer = self.session.post(
            f"{self.api}/auth/login/", json={"username": username, "password": password}
        )
        answer.raise_for_status()
        self.session.headers["Authorization"] = f"Token {answer.json()['token']}"

    def upload(self, photos: dict[str, bytes]) -> dict[str, str]:
        """Upload photos. Return name -> image id. Print the time of the uploads, and the time
        until all pictures were searchable."""
        start = time.monotonic()

        def post(item: tuple[str, bytes]) -> tuple[str, str]:
            name, data = item
            answer = self.session.post(
                f"{self.api}/images/", files={"file": (f"{name}.jpg", data)}, timeout=60
            )
            answer.raise_for_status()
            return name, answer.json()["id"]

        with ThreadPoolExecutor(THREADS) as pool:
            ids = dict(tqdm(pool.map(post, photos.items()), total=len(photos), desc="upload"))
        uploaded = time.monotonic() - start
        self._await_ready(list(ids.values()))
        ready = time.monotonic() - start
        print(
            f"{len(ids)} photographs uploaded in {uploaded:.1f} s, "
            f"all searchable after {ready:.1f} s ({len(ids) / ready:.1f}/s)"
        )
        one = self._single(next(iter(photos.values())))
        print(f"a single picture is searchable {one:.2f} s after its upload began")
        return ids

    def _single(self, data: bytes) -> float:
        """Upload a picture made unique by some appended bytes. Return the seconds until it is
        searchable."""
        start = time.monotonic()
        fresh = data + os.urandom(16)
        answer = self.session.post(f"{self.api}/images/", files={"file": ("one.jpg", fresh)})
        answer.raise_for_status()
        image = f"{self.api}/images/{answer.json()['id']}/"
        self._await_ready([answer.json()["id"]], pause=0.02)
        took = time.monotonic() - start
        self.session.delete(image).raise_for_status()
        return took

    def _await_ready(self, ids: list[str], pause: float = 0.5) -> None:
        waiting = ids
        with tqdm(total=len(ids), desc="encode") as bar:
            while waiting:
                page = waiting[:200]
                answer = self.session.get(f"{self.api}/images/", params={"id": page, "limit": 200})
                answer.raise_for_status()
                states = {image["id"]: image["state"] for image in answer.json()["results"]}
                failed = [pk for pk in page if states[pk] == "failed"]
                if failed:
                    raise SystemExit(f"not encoded: {failed}")
                still = [pk for pk in page if states[pk] != "ready"]
                bar.update(len(page) - len(still))
                waiting = still + waiting[200:]
                if still:
                    time.sleep(pause)

    def recall(self, pairs: list[tuple[str, str]], ids: dict[str, str]) -> float:
        took: list[float] = []

        def found(pair: tuple[str, str]) -> bool:
            name, text = pair
            start = time.perf_counter()
            answer = self.session.get(f"{self.api}/search/", params={"q": text, "limit": K})
            answer.raise_for_status()
            took.append(time.perf_counter() - start)
            body: dict[str, Any] = answer.json()
            return ids[name] in [hit["image"]["id"] for hit in body["results"]]

        with ThreadPoolExecutor(THREADS) as pool:
            hits = list(tqdm(pool.map(found, pairs), total=len(pairs), desc="search"))
        median = sorted(took)[len(took) // 2] * 1000
        print(f"{len(pairs)} searches, {THREADS} at a time: median {median:.1f} ms")
        return float(np.mean(hits))


def model_alone(
    photos: dict[str, bytes], captions: dict[str, list[tuple[str, str]]]
) -> dict[str, float]:
    """The recall of the bundled model with unmodified open_clip and brute force."""
    import open_clip
    import torch
    from PIL import Image

    folder = Path(__file__).parent.parent / "gallery" / "encoders" / "starter"
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    model.eval()
    position = {name: i for i, name in enumerate(photos)}

    @torch.inference_mode()
    def encode_images() -> np.ndarray:
        vectors = []
        for data in tqdm(photos.values(), desc="model alone, images"):
            picture = preprocess(Image.open(io.BytesIO(data)).convert("RGB"))
            vectors.append(model.encode_image(picture.unsqueeze(0), normalize=True)[0].numpy())
        return np.stack(vectors)

    @torch.inference_mode()
    def encode_texts(texts: list[str]) -> np.ndarray:
        parts = [tokenizer(texts[i : i + 64]) for i in range(0, len(texts), 64)]
        return np.concatenate([model.encode_text(t, normalize=True).numpy() for t in parts])

    images = encode_images()
    recalls = {}
    for language, pairs in captions.items():
        scores = encode_texts([text for _, text in pairs]) @ images.T
        best = np.argpartition(-scores, K, axis=1)[:, :K]
        wanted = np.array([position[name] for name, _ in pairs])[:, None]
        recalls[language] = float((best == wanted).any(axis=1).mean())
    return recalls
