"""The settings, `.env.example`, the README tables and the compose file agree."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# The location of the settings file cannot be in that file.
SECRET_KEY = "a-long-random-text-of-more-than-fifty-characters-0123456789"
NOT_IN_ENV_FILE = {"CLIPSITE_ENV_FILE"}


def names_in_settings() -> set[str]:
    """Return every name that settings.py reads from the environment."""
    tree = ast.parse((ROOT / "clipsite" / "settings.py").read_text(encoding="utf-8"))
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def names_in_env_example() -> set[str]:
    """Return the names, set or commented out."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))


def names_of_containers() -> set[str]:
    """Return the names that the compose file and the start script read, and no setting."""
    text = "".join(
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("docker-compose.yml", "deploy/entrypoint.sh")
    )
    names = set(re.findall(r"\$\{([A-Z][A-Z0-9_]+)", text))
    return (names | {"COMPOSE_PROFILES"}) - names_in_settings()


def names_in_table(document: str) -> set[str]:
    """Return the names in the first column of the tables of a README."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)`", text, re.MULTILINE))


def test_env_example_names_every_setting_and_nothing_else() -> None:
    wanted = (names_in_settings() - NOT_IN_ENV_FILE) | names_of_containers()
    assert names_in_env_example() == wanted


@pytest.mark.parametrize("document", ["README.md", "README.zh-CN.md"])
def test_readme_tables_name_every_setting_and_nothing_else(document: str) -> None:
    assert names_in_table(document) == names_in_settings() | names_of_containers()


def run_settings(expression: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Evaluate `expression` with freshly read settings, in a separate process."""
    code = f"from clipsite import settings; print({expression})"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONHASHSEED": "0",
            "CLIPSITE_ENV_FILE": "/nonexistent",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        "changeme",
        "x" * 49 + "y",
        "abcde" * 9,
        "django-insecure-" + SECRET_KEY,
        "insecure-development-key",
    ],
)
def test_a_weak_secret_key_is_refused_with_one_clear_sentence(key: str | None) -> None:
    result = run_settings("settings.DEBUG", **({} if key is None else {"SECRET_KEY": key}))
    assert result.returncode != 0
    assert "Set SECRET_KEY to a long random text of at least 50 characters" in result.stderr


def test_a_long_secret_key_will_do_and_developers_need_none() -> None:
    assert run_settings("settings.DEBUG", SECRET_KEY=SECRET_KEY).stdout.strip() == "False"
    assert run_settings("settings.DEBUG", DEBUG="1").stdout.strip() == "True"


def test_https_protects_the_cookies() -> None:
    secure = "settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE"
    names = "settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME"
    result = run_settings(f"{secure}, {names}", SECRET_KEY=SECRET_KEY, HTTPS="1")
    assert result.stdout.split() == [
        *("True", "True"),
        *("__Host-sessionid", "__Host-csrftoken", "__Host-django_language"),
    ]


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "CLIPSITE_ENV_FILE": "/nonexistent",
            "SECRET_KEY": SECRET_KEY,
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_deployment_check_is_clean_with_https() -> None:
    result = manage("check", "--deploy", "--fail-level", "WARNING", HTTPS="1")
    assert result.returncode == 0, result.stderr
    assert "System check identified no issues" in result.stdout + result.stderr
    # The check runs: without HTTPS it complains.
    without = manage("check", "--deploy", "--fail-level", "WARNING")
    assert without.returncode != 0
    assert "security.W008" in without.stderr


ASK = """
import django, json
django.setup()
from django.conf import settings
from django.test import Client
client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
plain = client.get("/accounts/login/")
health = client.get("/api/v1/health/", headers={"X-Forwarded-Proto": "https"})
page = client.get("/accounts/login/", headers={"X-Forwarded-Proto": "https"})
cookies = {name: [m["secure"], m["path"], m["domain"], m["samesite"]]
           for name, m in page.cookies.items()}
print(json.dumps([plain.status_code, plain.get("Location"), health.status_code,
                  page.get("Strict-Transport-Security"), cookies]))
"""


def test_https_is_asked_for_and_health_is_told_to_who_says_it_speaks_it() -> None:
    result = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={
            **os.environ,
            "SECRET_KEY": SECRET_KEY,
            "HTTPS": "1",
            "DEBUG": "1",  # no manifest of static files
            "STATIC_ROOT": str(ROOT / "static"),
            "DJANGO_SETTINGS_MODULE": "clipsite.settings",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    status, place, health, promise, cookies = json.loads(result.stdout.splitlines()[-1])
    assert (status, place) == (301, "https://localhost/accounts/login/")
    assert health == 200
    assert promise == "max-age=31536000"
    assert cookies["__Host-csrftoken"] == [True, "/", "", "Lax"]
    assert all(name.startswith("__Host-") for name in cookies)


def test_scripts_find_the_cookie_of_the_csrf_token_under_both_names() -> None:
    named = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "static").rglob("*.js")
        if "csrftoken" in path.read_text(encoding="utf-8")
    ]
    assert named
    assert all("(?:__Host-)?csrftoken=" in text for text in named)


def test_env_example_can_be_read(tmp_path: Path) -> None:
    """The example works as it is, after its blanks are filled in."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.findall(r"^([A-Z_]+)=$", text, re.MULTILINE) == [
        "SECRET_KEY",
        "POSTGRES_PASSWORD",
        "VALKEY_PASSWORD",
        "THUMBNAIL_SECRET",
    ]
    env_file = tmp_path / "env"
    env_file.write_text(text.replace("SECRET_KEY=\n", f"SECRET_KEY={SECRET_KEY}\n"))
    result = run_settings(
        "settings.CLIPSITE_MODEL, settings.CLIPSITE_PRETRAINED, settings.MAX_UPLOAD_BYTES",
        CLIPSITE_ENV_FILE=str(env_file),
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "xlm-roberta-base-ViT-B-32 laion5b_s13b_b90k 104857600"


def test_commented_defaults_of_env_example_are_the_defaults() -> None:
    """An uncommented line of the example changes nothing."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^# ([A-Z][A-Z0-9_]+)=(\S+)$", text, re.MULTILINE))
    # Addresses and paths are examples, or differ in a container.
    for name in (
        "DATABASE_URL",
        "REDIS_URL",
        "DATA_DIR",
        "MEDIA_ROOT",
        "UPLOAD_DIR",
        "STATIC_ROOT",
        "ACCEL_REDIRECT_PREFIX",
        "EMAIL_FILE_PATH",
    ):
        shown.pop(name)
    # The names of languages are lazy texts, which need a running Django.
    setting_lines = (
        "sorted((name, repr(value)) for name, value in vars(settings).items()"
        " if name.isupper() and name != 'LANGUAGES')"
    )
    plain = run_settings(setting_lines, SECRET_KEY=SECRET_KEY)
    spelled_out = run_settings(setting_lines, SECRET_KEY=SECRET_KEY, **shown)
    assert plain.returncode == 0, plain.stderr
    assert plain.stdout == spelled_out.stdout
