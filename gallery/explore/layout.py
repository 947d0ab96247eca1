"""Maps vectors to places on a plane, and finds the regions that these form. A separate program:

    python -m gallery.explore.layout vectors.npy layout.npz progress PARENT

PARENT is the id of the parent process: this program ends when the parent does.

`build` runs it, so that neither the web process nor a worker ever loads UMAP and its compiler.
It uses neither the database nor Django.

Sources: McInnes, Healy and Melville, 2018, "UMAP: Uniform Manifold Approximation and
Projection"; Campello, Moulavi and Sander, 2013, "Density-Based Clustering Based on
Hierarchical Density Estimates" (HDBSCAN).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

SEED = 42
NEIGHBOURS = 15
# The least distance of points, as a share of the map's own scale: it leaves room for
# thumbnails.
MIN_DISTANCE = 0.15
# With fewer pictures there are no neighbourhoods to preserve: the first two principal
# components say as much.
LEAST_FOR_UMAP = 30
# The margin at the edges, as a share of the side.
MARGIN = 0.02

# Shares of the whole work, as measured at 20,000 pictures.
_IMPORTED, _LAID_OUT = 0.15, 0.95


def main(arguments: list[str]) -> int:
    source, target, progress = map(Path, arguments[:3])
    os.nice(10)  # pages and searches go first
    end_with(int(arguments[3]))
    vectors = np.load(source).astype(np.float32)
    places = fit(vectors, lambda share: _tell(progress, share))
    np.savez(target, places=places, regions=regions(places))
    _tell(progress, 1.0)
    return 0


def fit(vectors: npt.NDArray[np.float32], tell: Any = lambda share: None) -> Places:
    """(n, d) unit vectors -> (n, 2) places in [0, 1], the same for the same vectors."""
    if len(vectors) < LEAST_FOR_UMAP:
        return _into_square(_principal(vectors))
    import umap

    tell(_IMPORTED)
    reducer = umap.UMAP(
        n_neighbors=NEIGHBOURS,
        min_dist=MIN_DISTANCE,
        metric="cosine",
        # Starts from the main directions: no eigenvectors that may not converge.
        init="pca",
        random_state=SEED,
        n_jobs=1,
    )
    found = reducer.fit_transform(vectors)
    tell(_LAID_OUT)
    return _into_square(np.asarray(found, dtype=np.float64))


def regions(places: Places) -> Labels:
    """(n,) the region number of each place, from 0. Noise of HDBSCAN joins the region of the
    nearest place that has one. If there is no structure, all places form one region."""
    from sklearn.cluster import HDBSCAN
    from sklearn.neighbors import NearestNeighbors

    least = max(3, round(len(places) ** 0.5 / 1.6))
    if len(places) < 2 * least:
        return np.zeros(len(places), dtype=np.int64)
    found = HDBSCAN(
        min_cluster_size=least, min_samples=3, cluster_selection_method="leaf", copy=True
    ).fit_predict(places)
    inside = found >= 0
    if not inside.any():
        return np.zeros(len(places), dtype=np.int64)
    nearest = NearestNeighbors(n_neighbors=1).fit(places[inside])
    outside = (
        nearest.kneighbors(places[~inside], return_distance=False)[:, 0]
        if (~inside).any()
        else np.empty(0, dtype=int)
    )
    labels = np.asarray(found, dtype=np.int64)
    labels[~inside] = labels[inside][outside]
    return labels


def _principal(vectors: npt.NDArray[np.float32]) -> Places:
    """The first two principal components. The largest part of each direction is positive, so
    that the sign does not depend on the SVD routine."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _left, _scale, directions = np.linalg.svd(centred, full_matrices=False)
    chosen = directions[:2]
    largest = np.abs(chosen).argmax(axis=1)
    signs = np.where(chosen[np.arange(len(chosen)), largest] < 0, -1.0, 1.0)
    found = centred @ (chosen * signs[:, None]).T
    return found if found.shape[1] == 2 else np.pad(found, ((0, 0), (0, 2 - found.shape[1])))


def _into_square(places: Places) -> Places:
    """Scale both axes by the same factor and centre the places in the unit square."""
    low, high = places.min(axis=0), places.max(axis=0)
    side = max(float((high - low).max()), 1e-9)
    middle = (low + high) / 2
    return np.clip(0.5 + (places - middle) / side * (1 - 2 * MARGIN), 0.0, 1.0)


def _tell(progress: Path, share: float) -> None:
    """Write the progress atomically, so that a reader never sees half of a number."""
    fresh = progress.with_suffix(".new")
    fresh.write_text(f"{share:.3f}")
    fresh.replace(progress)


def end_with(parent: int) -> None:
    """End this process when the process `parent` ends: then nobody waits for the layout."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(2)
        os._exit(3)

    threading.Thread(target=watch, name="parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
