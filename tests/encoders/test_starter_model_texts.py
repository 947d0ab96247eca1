"""How the starter model reads words: spelling, tokens, phrases, first rows."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from open_clip.tokenizer import SimpleTokenizer
from torch.nn.functional import normalize

from gallery.encoders.chinese import SIMPLIFIED_FILE, spell_for_characters
from tests.starter_model_tools import TINY
from tools.starter_model import model, simplified, teacher, texts, tokens


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("a dog playing", "a dog playing"),
        ("  two   spaces ", "  two   spaces "),
        ("一隻狗", "一 只 狗"),
        ("iPhone手机照片", "iPhone 手 机 照 片"),
        ("紅色的汽車,後面", "红 色 的 汽 车 , 后 面"),
        ("乾隆", "乾 隆"),
        ("café 咖啡", "café 咖 啡"),
        ("", ""),
    ],
)
def test_spelling(written: str, spelled: str) -> None:
    assert spell_for_characters(written) == spelled


@given(st.text(alphabet="狗車开 aB1，。"))
def test_spelling_twice_changes_nothing_more(text: str) -> None:
    once = spell_for_characters(text)
    assert spell_for_characters(once) == once


@given(st.text(alphabet=st.characters(max_codepoint=0x2FFF)))
def test_text_without_chinese_is_left_alone(text: str) -> None:
    assert spell_for_characters(text) == text


def test_the_table_leads_to_simplified_characters_only() -> None:
    traditional, simplified = SIMPLIFIED_FILE.read_text(encoding="utf-8").split()
    assert len(traditional) == len(simplified) == len(set(traditional)) > 2500
    assert not set(traditional) & set(simplified)
    for character in simplified:
        assert len(character.encode("gb2312")) == 2


@pytest.mark.parametrize(
    "text",
    [
        "a dog, playing!",
        "一隻狗 in the park",
        "iPhone手机照片",
        "龘",
        "<end_of_text>的",
        "TWO 2 dogs",
        "",
    ],
)
def test_training_tokens_are_those_of_the_package(text: str) -> None:
    packaged = SimpleTokenizer(additional_special_tokens=tokens.special_tokens())
    expected = packaged([spell_for_characters(text)], context_length=20)[0]
    ids = tokens.encode(text, 20)
    assert expected[: len(ids)].tolist() == ids
    assert not expected[len(ids) :].any()
    assert max(ids) < tokens.vocabulary_size()


def test_every_character_has_a_row_of_its_own() -> None:
    assert len(tokens.characters()) == 6763
    simplified_ones = [c for c in tokens.characters() if spell_for_characters(c) == c]
    assert len(simplified_ones) > 6750
    rows = {tuple(tokens.encode(character, 77)) for character in simplified_ones}
    assert len(rows) == len(simplified_ones)
    assert {len(row) for row in rows} == {3}


def test_long_texts_keep_their_end() -> None:
    ids = tokens.encode("dog " * 200, 77)
    assert len(ids) == 77
    assert ids[-1] == tokens.end_token()


def test_phrases_hold_colours_and_numbers_in_both_languages_once() -> None:
    found = texts.phrases(TINY)
    assert {"a red car", "红色的汽车", "two dogs", "两只狗", "日落", "food on a table"} <= set(
        found
    )
    assert len(found) == len(set(found))
    assert found == texts.phrases(TINY)


def test_simplified_table_takes_the_first_choice_and_spares_what_is_simplified() -> None:
    table = "# comment\n車\t车\n乾\t干 乾\n㑮\t𫝈\n發\t发\n"
    assert simplified.pairs(table) == {"車": "车", "發": "发"}


def test_a_token_starts_where_the_teacher_puts_its_word() -> None:
    tower = model.build(TINY).text
    vectors = normalize(torch.randn(200, TINY.dimensions), dim=1)
    ids = torch.arange(500, 700)
    model.start_tokens(tower, ids, vectors)
    rows = normalize(tower.token_embedding.weight[ids].detach(), dim=1)
    centred = normalize(vectors - vectors.mean(dim=0), dim=1)
    torch.testing.assert_close(rows @ rows.T, centred @ centred.T, atol=1e-4, rtol=0)


def test_embedding_keeps_the_order_of_the_texts() -> None:
    tower = model.build(TINY).text.eval()
    sequences = tokens.encode_all(["a very long text about a dog", "cat", "两只狗", "x"], 77)
    alone = torch.cat([model.embed(tower, [sequence]) for sequence in sequences])
    torch.testing.assert_close(model.embed(tower, sequences, batch=2), alone, atol=1e-5, rtol=0)
    full = torch.zeros(4, 77, dtype=torch.long)
    for row, sequence in enumerate(sequences):
        full[row, : len(sequence)] = torch.tensor(sequence)
    with torch.inference_mode():
        torch.testing.assert_close(normalize(tower(full), dim=-1), alone, atol=1e-5, rtol=0)


def test_the_stand_in_teacher_puts_like_texts_together() -> None:
    stand_in = teacher.WordTeacher(64, 77)
    a, b, c = stand_in.encode(["a red ball on grass", "a red ball on sand", "日落"])
    assert a @ b > a @ c + 0.2
