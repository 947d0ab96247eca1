"""The deployment files, as far as they can be checked without a container engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from deploy import healthcheck

ROOT = Path(settings.BASE_DIR)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return compose["services"]


# --- The compose file -------------------------------------------------------------


def test_lint_accepts_the_deployment_files() -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        [ROOT / "deploy" / "lint.sh"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_running_service_has_a_health_check(services: dict[str, Any]) -> None:
    without = {name for name, service in services.items() if "test" not in service["healthcheck"]}
    assert without == {"migrate"}  # it ends


def test_every_volume_is_named(compose: dict[str, Any]) -> None:
    used = {
        mount.partition(":")[0]
        for service in compose["services"].values()
        for mount in service.get("volumes", [])
        if not mount.startswith(".")
    }
    assert used == set(compose["volumes"])


def test_only_the_proxy_is_reachable_from_outside(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]


def test_services_that_need_no_torch_use_the_small_image(services: dict[str, Any]) -> None:
    small = {name for name, s in services.items() if s.get("image") == "clipsite-web"}
    large = {name for name, s in services.items() if s.get("image") == "clipsite-worker"}
    assert small == {"migrate", "web", "media", "chores", "beat"}
    assert large == {"encoder-cpu", "encoder-gpu"}


def test_nothing_starts_before_the_schema_is_there(services: dict[str, Any]) -> None:
    for name in ("web", "media", "chores", "beat", "encoder-cpu", "encoder-gpu"):
        condition = services[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully", name


def test_the_gpu_worker_asks_for_a_gpu(services: dict[str, Any]) -> None:
    (device,) = services["encoder-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    # Its environment keeps the variables that all services share.
    assert services["encoder-cpu"]["environment"].items() <= (
        services["encoder-gpu"]["environment"].items()
    )


def test_commands_are_roles_of_the_entrypoint(services: dict[str, Any]) -> None:
    script = (ROOT / "deploy" / "entrypoint.sh").read_text(encoding="utf-8")
    roles = set(re.findall(r"^([a-z]+)\)$", script, re.MULTILINE))
    used = {s["command"][0] for s in services.values() if "clipsite-" in s.get("image", "")}
    assert used == roles


# --- The image and the proxy ------------------------------------------------------


def test_the_image_contains_every_package_that_the_settings_need() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = set(re.findall(r"^COPY (\w+) \1$", dockerfile, re.MULTILINE))
    assert copied == {"clipsite", "gallery", "templates", "static", "locale"}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{name}/" for name in copied} <= set(ignored)


def test_the_image_of_the_worker_for_chores_can_draw_the_map(services: dict[str, Any]) -> None:
    """UMAP is installed and has a folder for its compiled code: its own folder belongs to root."""
    target = services["chores"]["build"]["target"]
    stages = dict(
        re.findall(
            r"^FROM \S+ AS (\S+)\n((?:(?!FROM ).*\n)*)",
            (ROOT / "Dockerfile").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    (packages,) = re.findall(r"COPY --from=(\S+) /opt/venv", stages[target])
    assert "-r requirements/lock/media.txt" in stages[packages]
    assert re.search(r"^ENV NUMBA_CACHE_DIR=/tmp/", stages[target], re.MULTILINE)


def test_the_proxy_lets_a_full_upload_pass_to_clipsite() -> None:
    """Clipsite itself refuses a file that is too large, with a sentence."""
    nginx = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    limit = int(re.search(r"client_max_body_size (\d+)m;", nginx)[1]) * 2**20
    assert limit > settings.MAX_UPLOAD_BYTES


def test_the_proxy_serves_the_folder_that_the_web_process_names(services: dict[str, Any]) -> None:
    nginx = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    location, alias = re.search(r"location (/\S+/) \{\s+internal;\s+alias (\S+);", nginx).groups()
    environment = services["web"]["environment"]
    assert location == environment["ACCEL_REDIRECT_PREFIX"]
    assert alias == f"{environment['DATA_DIR']}/media/"
    assert "pictures:/data:ro" in services["proxy"]["volumes"]


def test_the_proxy_joins_the_group_that_owns_the_pictures(services: dict[str, Any]) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (group,) = re.findall(r"groupadd --gid (\d+) clipsite", dockerfile)
    assert services["proxy"]["group_add"] == [group]
    assert f"USER {group}:{group}" in dockerfile
    # The group may read the files.
    assert settings.FILE_UPLOAD_PERMISSIONS & 0o040


# --- The health checks ------------------------------------------------------------


class _Answer(BaseHTTPRequestHandler):
    hosts: list[str] = []
    schemes: list[str] = []

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        self.schemes.append(self.headers["X-Forwarded-Proto"])
        self.send_response(200 if self.path == "/api/v1/health/" else 404)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def web_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    _Answer.hosts.clear()
    _Answer.schemes.clear()
    server = HTTPServer(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/api/v1/health/"
    monkeypatch.setattr(healthcheck, "HEALTH_URL", url)
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_web_health_asks_under_a_name_that_django_accepts(
    web_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "photos.example.com,localhost")
    assert healthcheck.web() == ""
    assert _Answer.hosts == ["photos.example.com"]


def test_web_health_says_why_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    # No service has an open port.
    monkeypatch.setattr(healthcheck, "HEALTH_URL", "http://127.0.0.1:1/api/v1/health/")
    assert "refused" in healthcheck.web()


def test_beat_health_notices_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = tmp_path / "beat-schedule"
    monkeypatch.setattr(healthcheck, "BEAT_SCHEDULE", schedule)
    assert "there is no" in healthcheck.beat()
    schedule.with_name("beat-schedule.db").touch()
    assert healthcheck.beat() == ""
    os.utime(schedule.with_name("beat-schedule.db"), (0, 0))
    assert "silent" in healthcheck.beat()


def test_entrypoint_runs_any_other_command() -> None:
    shell = shutil.which("sh")
    assert shell
    result = subprocess.run(
        [shell, ROOT / "deploy" / "entrypoint.sh", "echo", "as it is"],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    assert result.stdout == "as it is\n"


# --- Who reaches what ---------------------------------------------------------------


def networks(service: dict[str, Any]) -> set[str]:
    return set(service["networks"])


def test_the_proxy_reaches_the_web_process_alone(
    compose: dict[str, Any], services: dict[str, Any]
) -> None:
    with_proxy = {name for name, s in services.items() if networks(s) & networks(services["proxy"])}
    assert with_proxy == {"proxy", "web"}
    for name in ("db", "valkey"):
        (only,) = services[name]["networks"]
        assert compose["networks"][only] == {"internal": True}, "no way out"


def test_who_needs_the_world_or_the_queue_reaches_them(
    compose: dict[str, Any], services: dict[str, Any]
) -> None:
    ours = [name for name, s in services.items() if "clipsite-" in s.get("image", "")]
    assert len(ours) == 7
    for name in ours:
        assert networks(services["db"]) <= networks(services[name]), name
        open_ones = {
            n
            for n in networks(services[name])
            if not (compose["networks"][n] or {}).get("internal")
        }
        assert open_ones, f"{name}: mail, models, addresses, servers of one's own"


def test_the_port_is_for_this_machine() -> None:
    (port,) = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["proxy"][
        "ports"
    ]
    assert port == "${HTTP_BIND:-127.0.0.1}:${HTTP_PORT:-8080}:8080"


def test_the_queue_asks_for_its_password(compose: dict[str, Any], services: dict[str, Any]) -> None:
    secret = "${VALKEY_PASSWORD:?set it in .env}"
    valkey = services["valkey"]
    assert f"requirepass {secret}\n" in compose["configs"]["valkey"]["content"]
    assert valkey["configs"] == [{"source": "valkey", "target": valkey["command"][-1]}]
    assert valkey["environment"]["REDISCLI_AUTH"] == secret
    assert "grep -q PONG" in valkey["healthcheck"]["test"][-1], "a refusal is no health"
    for name, service in services.items():
        assert secret not in str(service.get("command")), f"{name}: arguments can be read by all"
        if "clipsite-" in service.get("image", ""):
            assert f":{secret}@valkey" in service["environment"]["REDIS_URL"], name


def test_every_service_is_limited_and_changes_no_files_of_its_own(
    services: dict[str, Any],
) -> None:
    for name, service in services.items():
        assert service["mem_limit"], name
        assert service["pids_limit"] > 0, name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
    for name in ("web", "media", "chores"):
        assert services[name]["mem_limit"] == "2g"
        # /tmp is in memory: large files are on the disk.
        assert services[name]["environment"]["TMPDIR"].startswith("/data/")
        assert "pictures:/data" in services[name]["volumes"]
    assert "passing:/tmp" in services["proxy"]["volumes"]


def test_the_start_script_makes_the_folder_for_large_files(tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    old, new = folder / "old", folder / "new"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    for _ in range(2):
        subprocess.run(
            ["sh", ROOT / "deploy" / "entrypoint.sh", "true"],
            env={"PATH": os.environ["PATH"], "TMPDIR": str(folder)},
            timeout=10,
            check=True,
        )
    assert [path.name for path in folder.iterdir()] == ["new"]


# --- Who says who the client is ---------------------------------------------------


@pytest.fixture(scope="module")
def nginx() -> str:
    return (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")


def test_only_a_trusted_proxy_is_believed(nginx: str) -> None:
    """The address of the connection decides, and not one that a header states."""
    trusted = re.search(r"geo \$realip_remote_addr \$is_trusted \{(.*?)\}\n", nginx, re.DOTALL)[1]
    lines = [line.split() for line in trusted.replace(";", "").strip().splitlines()]
    assert {(who, is_trusted) for who, is_trusted in lines} == {
        ("default", "0"),
        ("127.0.0.0/8", "1"),
        ("::1/128", "1"),
        ("${TRUSTED_PROXY}", "1"),
    }
    believed = set(re.findall(r"set_real_ip_from (\S+);", nginx))
    assert believed == {"127.0.0.0/8", "::1", "${TRUSTED_PROXY}"}
    assert "real_ip_header X-Forwarded-For;" in nginx
    assert "real_ip_recursive on;" in nginx
    assert '"1:https" https;' in nginx
    assert "default   $scheme;" in nginx


def test_one_address_is_passed_on_and_nothing_else_that_a_client_says(
    nginx: str, services: dict[str, Any]
) -> None:
    passed = dict(re.findall(r"proxy_set_header (\S+) (\S+);", nginx))
    assert passed["X-Forwarded-For"] == "$remote_addr"
    assert passed["X-Forwarded-Proto"] == "$browser_scheme"
    for name in ("X-Forwarded-Host", "X-Real-IP", "Forwarded"):
        assert passed[name] == '""', name
    assert "$proxy_add_x_forwarded_for" not in nginx
    assert "$http_x_forwarded_for" not in nginx
    # A header that a location sets would replace all of these.
    assert len(re.findall(r"proxy_set_header Host ", nginx)) == 1
    for location in re.findall(r"location [^{]*\{[^}]*\}", nginx):
        assert "proxy_set_header" not in location
    assert services["web"]["environment"]["PROXY_COUNT"] == "1"


def test_the_host_is_the_first_address_of_the_network_in_front(
    compose: dict[str, Any], services: dict[str, Any]
) -> None:
    default = re.compile(r"\$\{\w+:-(.*)\}")
    (front,) = compose["networks"]["front"]["ipam"]["config"]
    subnet = ip_network(default.fullmatch(front["subnet"])[1])
    proxy = services["proxy"]
    trusted = ip_address(default.fullmatch(proxy["environment"]["TRUSTED_PROXY"])[1])
    assert trusted == next(subnet.hosts())
    assert re.compile(proxy["environment"]["NGINX_ENVSUBST_FILTER"].replace("$$", "$")).match(
        "TRUSTED_PROXY"
    )
    assert any(m.endswith("/templates/default.conf.template:ro") for m in proxy["volumes"])


def test_gunicorn_believes_no_proxy_by_itself() -> None:
    script = (ROOT / "deploy" / "entrypoint.sh").read_text(encoding="utf-8")
    assert "forwarded-allow-ips" not in script


def test_web_health_asks_as_a_browser_with_https(
    web_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With HTTPS=1 the request would otherwise be redirected."""
    monkeypatch.setenv("ALLOWED_HOSTS", "*")
    assert healthcheck.web() == ""
    assert _Answer.schemes == ["https"]
