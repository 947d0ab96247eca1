"""The code page in which the names of an archive were written."""

from __future__ import annotations

import pytest

from gallery import code_pages

GERMAN = ["Größe.jpg", "Müller bei Tag.jpg", "Äpfel.jpg"]
FRENCH = ["Garçon à vélo.jpg", "été.jpg", "Noël.jpg"]
RUSSIAN = ["Привет.jpg", "Новый год 2019.jpg"]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("cp437", GERMAN),
        ("cp850", GERMAN),
        ("cp1252", GERMAN),
        ("utf-8", GERMAN),
        ("cp437", ["Café.jpg"]),
        ("cp850", FRENCH),
        ("cp1252", FRENCH),
        ("cp850", ["Blåbærgrød.jpg", "Århus.jpg"]),
        ("cp1252", ["Año nuevo.jpg", "Corazón.jpg"]),
        ("cp852", ["Święta.jpg", "Łódź.jpg"]),
        ("cp1250", ["Žižkov večer.jpg", "Příroda.jpg", "Děti.jpg"]),
        ("cp866", RUSSIAN),
        ("cp1251", RUSSIAN),
        ("cp737", ["Καλοκαίρι στην Κρήτη.jpg"]),
        ("gbk", ["全家福.jpg", "海边日落.jpg"]),
        ("gbk", ["测试照片.jpg"]),
        ("cp950", ["海邊日落.jpg", "畢業典禮.jpg"]),
        ("cp932", ["写真テスト.jpg", "さくらの木.jpg"]),
        ("euc_jp", ["カメラで撮った海.jpg", "おばあちゃんの家.jpg"]),
        ("cp949", ["가족여행.jpg", "제주도 여름.jpg"]),
    ],
)
def test_the_page_is_found_in_which_all_names_make_sense(page: str, names: list[str]) -> None:
    assert code_pages.decoded([name.encode(page) for name in names]) == names


def test_one_name_that_could_be_anything_goes_by_the_others() -> None:
    """Alone, these two bytes are also a valid Chinese character."""
    names = ["Ostern früh.jpg", "Müller.jpg", "plain.jpg"]
    assert code_pages.decoded([name.encode("cp437") for name in names]) == names


def test_ascii_stays_and_whatever_bytes_come_are_read() -> None:
    assert code_pages.decoded([b"a.jpg"]) == ["a.jpg"]
    assert code_pages.decoded([]) == []
    (read,) = code_pages.decoded([bytes(range(128, 256))])
    assert read
