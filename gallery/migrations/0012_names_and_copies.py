"""One form of words and names, and what is known of near-duplicates.

The functions say when two texts are the same (gallery.models.words). Their bodies are parsed
here and now, so that a restored database finds what they call. Words are computed anew: the
table of pictures is written twice.
"""

from __future__ import annotations

from typing import Any

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

import gallery.models.words

# What is not seen: Unicode's Default_Ignorable_Code_Point, which NFKC_Casefold drops.
IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Marks that are written on letters, or left out: accents, Hebrew points, Arabic vowels and
# the stroke that stretches words. Not those that make another sound of a letter of Japanese
# or of the scripts of India and Southeast Asia.
MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff"
)
# Letters whose mark Unicode takes for a part of them, and what they are without it.
MARKED = (
    "øđħŀłŧƀƃƈƌƒƙƚƞƥƫƭƴƶǥǿȡȥȴȵȶȼȿɀɇɉɋɍɏẚỿ"
    "ⱡⱥⱦⱨⱪⱬⱱⱳⱴⱸⱺꝁꝃꝅꝉꝋꝍꝑꝓꝕꝗꝙꝟꞎꞑꞓꞔꞕꞗꞙꞡꞣꞥꞧꞩıðٱ"
)
UNMARKED = (
    "odhlltbbcdfklnpttyzgodzlntcszejqryay"
    "lathkzvwveokkkloopppqqvlncchbfgknrsidا"
)
# What is searched sign by sign: kana and Chinese characters, which have no spaces between
# words, and symbols and emoji, which stand beside words without one.
SIGNS = (
    "\u2190-\u2bff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
# What stands between words, also of a file name. PostgreSQL's parser knows the marks of
# ASCII; with the locale C it takes all others for letters.
JOINTS = (
    "[][(){}_.,;+/\\\\\u00a0-\u00bf\u00d7\u00f7\u2000-\u206f\u2122\u3000-\u3004\u3008-\u3030"
    "\ufe00-\ufe4f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65-]+"
)

# Each is short for ASCII, which most texts are. Without OFFSET 0 PostgreSQL would put what
# makes a form in each place where it is used.
FUNCTIONS = f"""
CREATE FUNCTION gallery_key(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN octet_length($1) = length($1) THEN lower($1) ELSE normalize(
    replace(
        translate(lower(normalize(regexp_replace($1, '[{IGNORABLE}]', '', 'g'), NFKC)), 'ς', 'σ'),
        'ß', 'ss'
    ),
    NFKC
) END;

CREATE FUNCTION gallery_bare(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN octet_length($1) = length($1) THEN lower($1) ELSE normalize(
    replace(replace(replace(
        translate(
            regexp_replace(normalize(gallery_key($1), NFKD), '[{MARKS}]', '', 'g'),
            '{MARKED}', '{UNMARKED}'
        ),
        'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'
    ),
    NFKC
) END;

CREATE FUNCTION gallery_spaced(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(
    gallery_key(regexp_replace($1, '{JOINTS}', ' ', 'g')), '([{SIGNS}])', ' \\1 ', 'g'
);

CREATE FUNCTION gallery_words(text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
RETURN (
    SELECT to_tsvector('simple', form) || to_tsvector('english', form)
           || CASE WHEN bare = form THEN ''::tsvector
                   ELSE to_tsvector('simple', bare) || to_tsvector('english', bare) END
    FROM (SELECT form, gallery_bare(form) AS bare
          FROM (SELECT gallery_spaced($1) AS form OFFSET 0) AS spaced OFFSET 0) AS forms
);
"""  # noqa: S608 - what is put in is ours, here and below
DROPPED = "; ".join(
    f"DROP FUNCTION gallery_{name}(text)" for name in ("words", "spaced", "bare", "key")
)

# What people and their systems wrote and was kept as it came: composed from now on.
TEXTS = {
    "gallery_image": ("title", "description", "original_name", "camera"),
    "gallery_album": ("title", "description"),
    "gallery_tag": ("name",),
    "gallery_savedsearch": ("name",),
    "gallery_group": ("name",),
    "gallery_sharelink": ("name",),
    "gallery_user": ("display_name",),
}
BATCH = 1000


def compose(apps: Any, schema_editor: Any) -> None:
    """In batches: each statement changes so many rows."""
    with schema_editor.connection.cursor() as cursor:
        for table, columns in TEXTS.items():
            for column in columns:
                statement = (
                    f"UPDATE {table} SET {column} = normalize({column}, NFC) WHERE id IN"  # noqa: S608
                    f" (SELECT id FROM {table} WHERE {column} IS NOT NFC NORMALIZED LIMIT {BATCH})"
                )
                _repeat(cursor, statement)
        # A name that is taken in its composed form stays as it is.
        _repeat(
            cursor,
            "UPDATE gallery_user SET username = normalize(username, NFKC) WHERE id IN"  # noqa: S608
            " (SELECT id FROM gallery_user former WHERE username IS NOT NFKC NORMALIZED"
            "  AND NOT EXISTS (SELECT 1 FROM gallery_user other WHERE other.id <> former.id"
            f"   AND normalize(other.username, NFKC) = normalize(former.username, NFKC)) LIMIT {BATCH})",
        )


def _repeat(cursor: Any, statement: str) -> None:
    cursor.execute(statement)
    while cursor.rowcount:
        cursor.execute(statement)


def merge_tags(apps: Any, schema_editor: Any) -> None:
    """Tags of one owner that are one name from now on become the oldest of them."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE same_tag ON COMMIT DROP AS SELECT id, kept FROM"
            " (SELECT id, first_value(id) OVER (PARTITION BY owner_id, gallery_key(name)"
            "  ORDER BY created_at, id) AS kept FROM gallery_tag) AS tag WHERE id <> kept"
        )
        cursor.execute(
            "INSERT INTO gallery_tag_images (tag_id, image_id)"
            " SELECT DISTINCT kept, image_id FROM same_tag"
            " JOIN gallery_tag_images link ON link.tag_id = same_tag.id"
            " ON CONFLICT (tag_id, image_id) DO NOTHING"
        )
        cursor.execute(
            "DELETE FROM gallery_tag_images WHERE tag_id IN (SELECT id FROM same_tag)"
        )
        cursor.execute("DELETE FROM gallery_tag WHERE id IN (SELECT id FROM same_tag)")


def number_searches(apps: Any, schema_editor: Any) -> None:
    """Saved searches of one name from now on: the oldest keeps it, others get a number."""
    taken = "SELECT 1 FROM gallery_savedsearch WHERE owner_id = %s AND gallery_key(name) = gallery_key(%s)"
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, owner_id, name FROM (SELECT *, row_number() OVER"
            " (PARTITION BY owner_id, gallery_key(name) ORDER BY created_at, id) AS number"
            " FROM gallery_savedsearch) AS search WHERE number > 1"
        )
        for pk, owner, name in cursor.fetchall():
            number, free = 1, name
            cursor.execute(taken, [owner, free])
            while cursor.fetchone():
                number += 1
                free = f"{name[: 200 - len(str(number)) - 1]} {number}"
                cursor.execute(taken, [owner, free])
            cursor.execute("UPDATE gallery_savedsearch SET name = %s WHERE id = %s", [free, pk])


# Pairs were found by hash and vector alone: those of plain pictures are judged once more.
COMPARE_AGAIN = """
INSERT INTO gallery_comparison (embedding_id, queued_at, due_at)
SELECT entry.id, now(), now() FROM gallery_embedding entry
JOIN gallery_embeddingspace space ON space.id = entry.space_id
WHERE space.state = 'active' AND entry.state = 'encoded' AND entry.image_id IN
    (SELECT first_id FROM gallery_nearduplicate UNION SELECT second_id FROM gallery_nearduplicate)
ON CONFLICT (embedding_id) DO NOTHING
"""

Words = gallery.models.words.Words
vector = django.contrib.postgres.search.SearchVectorField


class Migration(migrations.Migration):
    dependencies = [
        ("gallery", "0011_incomplete_pictures"),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, DROPPED),
        migrations.RemoveConstraint(model_name="tag", name="tag_name_once_per_owner"),
        migrations.RemoveConstraint(model_name="savedsearch", name="saved_search_name_once"),
        migrations.RemoveIndex(model_name="tag", name="tag_words"),
        migrations.RemoveField(model_name="image", name="words"),
        migrations.RemoveField(model_name="image", name="name_words"),
        migrations.RunPython(compose, migrations.RunPython.noop),
        migrations.RunPython(merge_tags, migrations.RunPython.noop),
        migrations.RunPython(number_searches, migrations.RunPython.noop),
        # Constraints that wait for the end of the transaction keep tables from changing.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="image",
            name="words",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.contrib.postgres.search.CombinedSearchVector(
                    Words("title", weight="A"), "||", Words("description", weight="B"), None
                ),
                output_field=vector(),
            ),
        ),
        migrations.AddField(
            model_name="image",
            name="name_words",
            field=models.GeneratedField(
                db_persist=True,
                expression=Words("original_name", weight="C"),
                output_field=vector(),
            ),
        ),
        migrations.AddIndex(
            model_name="image",
            index=django.contrib.postgres.indexes.GinIndex(fields=["words"], name="image_words"),
        ),
        migrations.AddIndex(
            model_name="image",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["name_words"], name="image_name_words"
            ),
        ),
        migrations.AddIndex(
            model_name="tag",
            index=django.contrib.postgres.indexes.GinIndex(Words("name"), name="tag_words"),
        ),
        migrations.AddConstraint(
            model_name="tag",
            constraint=models.UniqueConstraint(
                models.F("owner"), gallery.models.words.Key("name"), name="tag_name_once_per_owner"
            ),
        ),
        migrations.AddConstraint(
            model_name="savedsearch",
            constraint=models.UniqueConstraint(
                models.F("owner"), gallery.models.words.Key("name"), name="saved_search_name_once"
            ),
        ),
        migrations.AlterField(
            model_name="importitem",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("added", "Added"),
                    ("duplicate", "Already there"),
                    ("failed", "Failed"),
                    ("left_out", "No picture"),
                ],
                default="pending",
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="nearduplicate",
            name="difference",
            field=models.FloatField(null=True),
        ),
        migrations.RunSQL(COMPARE_AGAIN, migrations.RunSQL.noop),
    ]
