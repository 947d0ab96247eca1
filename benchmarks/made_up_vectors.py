"""Synthetic vectors distributed like those of real pictures and captions, without any model.

In CLIP-like models, the vectors of pictures lie in a narrow cone. They cluster by subject and,
within a subject, by scene, and vary in far fewer directions than they have dimensions. Texts lie
in another cone beside it (Liang et al. 2022, "Mind the Gap", arXiv:2203.02053).
"""

from __future__ import annotations

import numpy as np

DIMENSIONS = 512
SUBJECTS = 200
PICTURES_A_SCENE = 40
CHUNK = 50_000
# Squared shares of a picture's vector: the cone, its subject, its scene, itself.
CONE, SUBJECT, SCENE, ITSELF = 0.30, 0.30, 0.20, 0.20
# The same for a caption: the cone of all captions, the meaning of its scene, its own wording.
TEXT_CONE, TEXT_MEANING, TEXT_WORDING = 0.55, 0.25, 0.20


class World:
    """The random directions of one seed. The same seed and count give the same pictures."""

    def __init__(self, pictures: int, seed: int = 0) -> None:
        self.pictures = pictures
        self._rng = np.random.default_rng(seed)
        # As in real embeddings, the variance falls from direction to direction.
        spectrum = 1 / np.sqrt(3 + np.arange(DIMENSIONS))
        turned, _ = np.linalg.qr(self._rng.normal(size=(DIMENSIONS, DIMENSIONS)))
        self._directions = (turned * spectrum).T.astype(np.float32)
        self._cone = self._draw(1)
        self._text_cone = self._draw(1)
        self._subjects = self._draw(SUBJECTS)
        scenes = max(SUBJECTS, pictures // PICTURES_A_SCENE)
        self._scene_subject = self._rng.integers(0, SUBJECTS, scenes)
        self._scenes = self._draw(scenes)
        # Most scenes have a few pictures, some have hundreds.
        popularity = np.minimum(self._rng.pareto(1.5, scenes) + 0.2, 8)
        self._scene = self._rng.choice(scenes, pictures, p=popularity / popularity.sum())

    def vectors(self) -> np.ndarray:
        """(n, 512) float32 unit vectors, rounded like stored ones."""
        vectors = np.empty((self.pictures, DIMENSIONS), dtype=np.float32)
        for start in range(0, self.pictures, CHUNK):
            scene = self._scene[start : start + CHUNK]
            mixed = np.sqrt(CONE) * self._cone + self._meaning(scene)
            mixed += np.sqrt(ITSELF) * self._draw(len(scene))
            vectors[start : start + CHUNK] = unit(mixed).astype(np.float16)
        return vectors

    def subjects(self) -> np.ndarray:
        """(n,) the number of each picture's subject."""
        return self._scene_subject[self._scene]

    def texts(self, count: int) -> np.ndarray:
        """(count, 512) float32 unit vectors of captions of random scenes."""
        meaning = self._meaning(self._rng.choice(self._scene, count)) / np.sqrt(SUBJECT + SCENE)
        mixed = np.sqrt(TEXT_CONE) * self._text_cone + np.sqrt(TEXT_MEANING) * meaning
        return unit(mixed + np.sqrt(TEXT_WORDING) * self._draw(count))

    def pictures_like(self, vectors: np.ndarray, count: int) -> np.ndarray:
        """(count, 512) float32 unit vectors of new pictures similar to random ones."""
        near = vectors[self._rng.integers(0, len(vectors), count)]
        return unit(near + np.sqrt(ITSELF) * 0.5 * self._draw(count))

    def _meaning(self, scene: np.ndarray) -> np.ndarray:
        subject = self._subjects[self._scene_subject[scene]]
        return np.sqrt(SUBJECT) * subject + np.sqrt(SCENE) * self._scenes[scene]

    def _draw(self, count: int) -> np.ndarray:
        return unit(
            self._rng.normal(size=(count, DIMENSIONS)).astype(np.float32) @ self._directions
        )


def unit(array: np.ndarray) -> np.ndarray:
    return (array / np.linalg.norm(array, axis=1, keepdims=True)).astype(np.float32)
