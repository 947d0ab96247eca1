"""Passwords that others would try first are refused."""

from __future__ import annotations

import unicodedata
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.urls import reverse

from gallery.accounts import passwords
from gallery.models import User
from tests.web_tools import browser, confirmed

SENTENCE = "Your password cannot contain or resemble the name of this site"


def person(**fields: str) -> User:
    named = {"username": "bob", "email": "rmartin@example.org", "display_name": "Robert Martin"}
    return User(**{**named, **fields})


def is_refused(password: str, user: User | None = None) -> bool:
    try:
        validate_password(password, user)
    except ValidationError as refusal:
        return "password_has_a_name" in {error.code for error in refusal.error_list}
    return False


@pytest.mark.parametrize(
    "password",
    [
        "clipsite123", "ClipSite!2024", "my-clipsite-password", "CLIPSITECLIPSITE",
        "etispilc99", "cl1ps1te", "c1ip$it3", "clip2024site", "klipsite", "clippsite7",
        "ｃｌｉｐｓｉｔｅ１", "c-l-i-p-s-i-t-e",
    ],
)  # fmt: skip
def test_the_name_of_the_site(password: str) -> None:
    assert is_refused(password)
    assert is_refused(password, person())


@pytest.mark.parametrize("password", ["photos.example.net", "myfotothek1", "kehtotof-1"])
def test_the_name_of_its_host(password: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["photos.example.net", ".fotothek.example", "*", "192.0.2.7", "[::1]"]
    assert is_refused(password)


def test_addresses_in_numbers_are_no_names(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["192.0.2.7", "[2001:db8::7]", "*"]
    assert not is_refused("192 apples and 0 pears")


@pytest.mark.parametrize(
    "password",
    [
        "bob12345", "bobbobbob", "bobpassword", "12345678bob", "boB-2024", "b0b!2024",
        "robert2024", "Martin-1971", "martinrobert", "nitram99", "r0b3rt1971", "rmartin1",
        "rmartin@example.org", "RobertMartin",
    ],
)  # fmt: skip
def test_names_of_the_person(password: str) -> None:
    assert is_refused(password, person())
    assert not is_refused(password, person(username="zoe", email="z@x.org", display_name="Zoe"))


def test_a_name_in_chinese() -> None:
    assert is_refused("张伟12345678", person(display_name="张伟"))
    assert is_refused("伟张20240101", person(display_name="张伟"))
    assert not is_refused("蓝色的海在下雨的早晨", person(display_name="张伟"))


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery", "a long password", "susan walks her dog", "bobsleigh in the snow",
        "Tr0ub4dor&3zzz", "site of the paper clip", "x" * 4000,
    ],
)  # fmt: skip
def test_others_are_good(password: str) -> None:
    assert not is_refused(password, person())
    assert not is_refused(password)


def test_nobody_has_no_name() -> None:
    assert not is_refused("correct horse battery", User(username="", email="", display_name=""))


@pytest.mark.django_db
def test_signing_up_says_so() -> None:
    new = {"username": "carol", "email": "cw@example.org"}
    for password in ("clipsite-2024", "carol-2024-x"):
        chosen = {"password1": password, "password2": password}
        page = browser().post(reverse("account_signup"), new | chosen).content.decode()
        assert SENTENCE in page
    assert not User.objects.exists()


def test_changing_and_the_admin_say_so(alice: User) -> None:
    both = {"password1": "alice-clipsite", "password2": "alice-clipsite"}
    data = {"oldpassword": "alice-password", **both}
    page = browser(alice).post(reverse("account_change_password"), data).content.decode()
    assert SENTENCE in page
    boss = User.objects.create_superuser("boss", "boss@example.org", "boss-password")
    address = reverse("admin:auth_user_password_change", args=[alice.pk])
    page = confirmed(boss).post(address, both | {"usable_password": "true"}).content.decode()
    assert SENTENCE in page
    alice.refresh_from_db()
    assert alice.check_password("alice-password")


def test_the_command_line_refuses_it(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: "alice-2024-alice")
    with pytest.raises(CommandError, match="Aborting"):
        call_command("changepassword", "alice", verbosity=0)


def test_a_long_password_is_not_compared_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form of 60 kB took 16 seconds: one character of it becomes eighteen when it is spelled
    out."""
    lengths: list[int] = []

    def normalize(form: str, text: str) -> str:
        lengths.append(len(text))
        return unicodedata.normalize(form, text)

    monkeypatch.setattr(passwords, "unicodedata", SimpleNamespace(normalize=normalize))
    name = " ".join("abcdefghijklmnopqrstuvwxyz" * 3)
    assert not is_refused("\ufdfa" * 20_000, person(username=name))
    assert max(lengths) <= 128 * 18
