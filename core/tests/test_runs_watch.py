"""The live page: what it serves, to whom, and what it never does."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from importlib import resources
from pathlib import Path

import pytest

from atomloom.errors import TargetError
from atomloom.runs import Run, describe, live
from atomloom.runs.watch import HOST, WatchServer

SCRIPT = "<script>alert(1)</script>"
FILES = ("page.html", "page.css", "page.js", "charts.js")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one run, whose model has a wicked name."""
    run = Run.create(tmp_path / "runs" / "a & b", {"model": {"name": SCRIPT}}, {})
    for epoch in run.epochs(2):
        epoch.log({"train/loss": 1.0, "train/odd": float("inf")})
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "config.toml").touch()
    return tmp_path / "runs"


@pytest.fixture
def server(root: Path) -> Iterator[WatchServer]:
    """A server that runs."""
    with WatchServer(root) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def asked(server: WatchServer, path: str, method: str = "GET", host: str | None = None) -> tuple[HTTPResponse, str]:
    """The answer to a request, and its text."""
    connection = HTTPConnection(HOST, server.server_port, timeout=5)
    connection.request(method, path, headers={"Host": host or f"{HOST}:{server.server_port}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


@pytest.mark.parametrize(
    ("path", "kind"), [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")]
)
def test_the_page_is_served(server: WatchServer, path: str, kind: str) -> None:
    """Its parts come with the right type and with a policy that lets nothing foreign in."""
    answer, _ = asked(server, path)
    assert answer.status == 200
    assert (answer.getheader("Content-Type") or "").startswith(kind)
    assert (answer.getheader("Content-Security-Policy") or "").startswith("default-src 'none'")


@pytest.mark.parametrize("name", FILES)
def test_the_page_loads_nothing_from_elsewhere(name: str) -> None:
    """No part of the page names another host, and no script writes HTML."""
    text = (resources.files("atomloom.runs") / "page" / name).read_text()
    assert set(re.findall(r"https?://[^\"'\s]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


def test_the_data_of_runs(server: WatchServer) -> None:
    """The overview and the curves are valid JSON; a name with special characters is found."""
    overview = json.loads(asked(server, "/runs.json")[1])
    assert overview == [{"name": "a & b", "status": "finished", "epochs": 2, "total": 2}]
    found = json.loads(asked(server, "/run.json?name=a%20%26%20b")[1], parse_constant=pytest.fail)
    assert found["curves"] == {"epoch": [1, 2], "train/loss": [1.0, 1.0], "train/odd": ["Infinity"] * 2}
    assert found["model"] == SCRIPT


@pytest.mark.parametrize("name", ["..%2Fsecret", "secret", "", "%00", "/etc/passwd"])
def test_only_listed_runs_are_served(server: WatchServer, name: str) -> None:
    """A name is looked up and never taken for a path."""
    answer, text = asked(server, f"/run.json?name={name}")
    assert (answer.status, text) == (404, '{"error": "no such run"}')


@pytest.mark.parametrize("path", ["/../secret/config.toml", "/page/../../folder.py", "/config.toml", "//evil.org/"])
def test_no_files_are_served(server: WatchServer, path: str) -> None:
    """There is nothing but the page and the data."""
    assert asked(server, path)[0].status == 404


@pytest.mark.parametrize("host", ["evil.org", "evil.org:80", "127.0.0.1.evil.org", "localhost.evil.org:8765", "[::1]"])
def test_other_hosts_names_are_refused(server: WatchServer, host: str) -> None:
    """A page elsewhere that makes its name point here gets nothing."""
    answer, text = asked(server, "/runs.json", host=host)
    assert answer.status == 403
    assert "a & b" not in text


def test_a_tunnel_is_no_other_host(server: WatchServer) -> None:
    """Behind an SSH tunnel the port differs, and the page works."""
    assert asked(server, "/runs.json", host="localhost:9000")[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_the_server_only_reads(server: WatchServer, method: str) -> None:
    """Nothing but GET is answered."""
    assert asked(server, "/", method=method)[0].status == 501


def test_it_listens_to_this_machine_only(server: WatchServer) -> None:
    """The socket is bound to the loopback address."""
    assert server.server_address[0] == "127.0.0.1"


def test_a_damaged_run_is_shown_as_such(server: WatchServer, root: Path) -> None:
    """The page keeps working when a run cannot be read."""
    (root / "a & b" / "metrics.jsonl").write_text("rubbish\n{}\n")
    found = json.loads(asked(server, "/run.json?name=a%20%26%20b")[1])
    assert found["curves"] == {}
    (root / "a & b" / "provenance.json").write_text("{")
    assert json.loads(asked(server, "/run.json?name=a%20%26%20b")[1])["status"] == "damaged"


def test_a_taken_port_is_told(server: WatchServer, root: Path) -> None:
    """The message says which port and what to do."""
    with pytest.raises(TargetError, match=rf"on port {server.server_port}: address already in use\. Choose another"):
        WatchServer(root, server.server_port)


def test_ctrl_c_ends_the_command(root: Path) -> None:
    """The command says where the page is, and Ctrl-C is its ordinary end."""
    code = "import signal as s; s.signal(s.SIGINT, s.default_int_handler); import atomloom.cli.runs as r; r.runs()"
    command = [sys.executable, "-c", code, "watch", "a & b", "--runs", str(root), "--port", "0"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert child.stdout is not None
    line = child.stdout.readline().decode()
    assert re.search(r"http://127\.0\.0\.1:\d+/#a%20%26%20b ", line), line
    child.send_signal(signal.SIGINT)
    assert child.wait(10) == 0


def test_units_are_those_of_the_data(tmp_path: Path) -> None:
    """The page knows in which unit a field was fitted, where the fit left word of it."""
    schema = {"fields": {"F": {"unit": "eV/angstrom"}, "Z": {"unit": ""}}}
    run = Run.create(tmp_path / "run", {}, {**describe(), "schema": schema})
    assert live.details(run.files)["units"] == {"F": "eV/Å"}
