"""The categories of a label set on the map, in one compact answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from gallery import rate_limits
from gallery.explore.points import MOST_PACKED, Box
from gallery.labels import reading, scoring
from gallery.models import ExploreMap

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# Where a picture has several categories, the surest one counts.
_SUREST = """
    SELECT record FROM (
        SELECT DISTINCT ON (label.image_id) label.image_id,
               substr(uuid_send(label.image_id), 1, 8) || int2send(numbered.number::int2) AS record
        FROM ({labels}) AS label
        JOIN unnest(%s::uuid[]) WITH ORDINALITY AS numbered (id, number)
            ON numbered.id = label.category_id
        JOIN gallery_mappoint point ON point.image_id = label.image_id AND point.map_id = %s
            AND point.x BETWEEN %s AND %s AND point.y BETWEEN %s AND %s
        WHERE label.image_id IN ({scope})
        ORDER BY label.image_id, label.probability DESC, label.is_human DESC, numbered.number
    ) AS surest
    ORDER BY image_id LIMIT %s
"""


def packed(
    drawn: ExploreMap,
    pictures: ImageQuerySet,
    categories: Sequence[tuple[UUID, str]],
    box: Box | None = None,
) -> bytes:
    """The categories of the points of `pictures`, which the caller has limited to what the viewer
    may see, as the `categories` (id, name) of a set that they may see:

    the length of the names as uint32; the names as a JSON array; then for each point with a
    category, in the order of their ids, the first 8 bytes of the id and the number of the category
    from 1 as uint16. All numbers are in network order.
    """
    rate_limits.charge("search", rate_limits.LOOKUP)
    ids = [pk for pk, _name in categories]
    labels, scope = reading.shown(ids), scoring.pictures(pictures)
    area = box or Box()
    rows = scoring.Statement(
        _SUREST.format(labels=labels.sql, scope=scope.sql),
        (
            *labels.params,
            *(ids, drawn.pk, area.left, area.right, area.top, area.bottom),
            *(*scope.params, MOST_PACKED),
        ),
    ).rows()
    names = json.dumps([name for _pk, name in categories]).encode()
    return b"".join([len(names).to_bytes(4), names, *(record for (record,) in rows)])
