"""The pictures of a new demo: photographs that come with Python packages.

Only photographs whose licence the package states are used. docs/sample-pictures.md lists them
with their sources; a test compares the two lists.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from gallery.library.service import add_image
from gallery.models import Image, User

_FOLDERS = {"skimage": "data", "sklearn": "datasets/images"}


@dataclass(frozen=True)
class Sample:
    """One photograph: `package` is the import name, `file` its name inside it. `title` is in
    English and Chinese, since the account is everybody's."""

    package: str
    file: str
    title: str
    credit: str

    def path(self) -> Path:
        """Return the path of the file. Raises LookupError if the package is not installed.

        The package is located, not imported: that would take seconds.
        """
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise LookupError(f"The package {self.package} is not installed.")
        return Path(spec.submodule_search_locations[0]) / _FOLDERS[self.package] / self.file


_CC0 = "CC0, no rights reserved."
_PUBLIC_DOMAIN = "Public domain."

# Lists show the last one first.
SAMPLES = (
    Sample(
        "skimage",
        "coins.png",
        "Ancient Greek coins · 古希腊硬币",
        "Brooklyn Museum. No known copyright restrictions.",
    ),
    Sample(
        "skimage",
        "camera.png",
        "Photographer with a tripod · 摄影师与三脚架",
        f"Lav Varshney. {_CC0}",
    ),
    Sample(
        "skimage",
        "hubble_deep_field.jpg",
        "Galaxies in deep space · 深空星系",
        f"NASA. {_PUBLIC_DOMAIN}",
    ),
    Sample(
        "skimage",
        "astronaut.png",
        "Astronaut in front of the flag · 国旗前的宇航员",
        f"NASA. {_PUBLIC_DOMAIN}",
    ),
    Sample(
        "skimage",
        "rocket.jpg",
        "Rocket launch at dusk · 黄昏中的火箭发射",
        f"SpaceX. {_PUBLIC_DOMAIN}",
    ),
    Sample("skimage", "coffee.png", "Cup of coffee · 一杯咖啡", f"Rachel Michetti. {_CC0}"),
    Sample(
        "sklearn",
        "china.jpg",
        "Temple in China · 中国古寺",
        "danielbuechele, flickr.com/photos/danielbuechele/6061409035. CC BY 2.0.",
    ),
    Sample(
        "skimage", "chelsea.png", "Chelsea the cat · 小猫切尔西", f"Stéfan van der Walt. {_CC0}"
    ),
    Sample(
        "sklearn",
        "flower.jpg",
        "Flower · 花朵",
        "vultilion, flickr.com/photos/vultilion/6056698931. CC BY 2.0.",
    ),
)


def load_samples(owner: User, journal: Path) -> int:
    """Add the samples that `journal` does not list to the owner's public pictures. Returns how
    many.

    A sample is added only once, so that a deleted one stays deleted. The journal is written
    after each picture: after a kill in between, the same bytes are added again, and the library
    returns the picture that it has.
    """
    done: list[str] = json.loads(journal.read_text()) if journal.exists() else []
    missing = [sample for sample in SAMPLES if sample.file not in done]
    for sample in missing:
        with sample.path().open("rb") as file:
            add_image(
                owner=owner,
                file=file,
                name=sample.file,
                title=sample.title,
                description=sample.credit,
                visibility=Image.Visibility.PUBLIC,
            )
        done.append(sample.file)
        draft = journal.with_suffix(".new")
        draft.write_text(json.dumps(done))
        draft.replace(journal)
    return len(missing)
