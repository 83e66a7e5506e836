"""`dropship-mcp check` as a person or a program runs it: what it prints, how it ends, and what it never shows."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from dirty_equals import IsInt

from contract.providers import NAMES
from dropship_mcp.accounts import open_world
from dropship_mcp.cli import main
from dropship_mcp.settings import read_settings
from dropship_tools.sandbox.faults import Fault, FaultKind, add_fault
from e2e.processes import COMMAND, environment
from unit.checking.odd_hosts import KEYS, account, host, page

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command's state, in a folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What `--json` printed."""
    return json.loads(capsys.readouterr().out)


def test_in_the_sandbox_everything_works_and_the_sandbox_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Mode is sandbox: the simulator is tried, and no real account."
    assert [line.split()[:2] for line in lines[1:5]] == [[f"{name}/sandbox", "works"] for name in NAMES]
    assert [line.split()[:2] for line in lines[5:7]] == [["ledger", "works"], ["files", "works"]]
    assert lines[7:] == ["Everything works."]


def test_json_has_the_same_fields_for_everything(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json"]) == 0
    found = told(capsys)
    empty = {
        "provider": "",
        "account": "",
        "place": "",
        "reason": "",
        "what": "",
        "fix": "",
        "provider_said": "",
        "tenant": "",
    }
    common = {**empty, "mode": "sandbox", "verdict": "works", "milliseconds": IsInt(ge=0)}
    assert found == [
        *(
            {
                **common,
                "check": "account",
                "provider": name,
                "account": "sandbox",
                "place": f"https://{name}.sandbox.invalid",
            }
            for name in NAMES
        ),
        {**common, "check": "ledger", "place": str(state / "dropship-mcp" / "ledger.sqlite3")},
        {**common, "check": "files"},
    ]
    assert len({tuple(check) for check in found}) == 1


@pytest.mark.parametrize(
    ("kind", "value", "verdict", "reason"),
    [
        ("status", 503, "failing", ""),
        ("status", 429, "busy", ""),
        ("status", 403, "wrong_key", ""),
        ("malformed", 0, "nonsense", ""),
        ("wrong_type", 2, "nonsense", ""),
        ("redirect", 0, "nonsense", ""),
        ("huge", 3, "nonsense", ""),
        ("reset_before", 0, "unreachable", "broken"),
        ("truncated", 0, "unreachable", "broken"),
    ],
)
def test_the_sandboxs_faults_are_found_and_told_how_to_end(
    kind: FaultKind, value: float, verdict: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.closing(open_world(read_settings()).store) as store:
        for name in NAMES:
            add_fault(store, Fault(name, "*", kind, value=value))
    assert main(["check", "--json"]) == 1
    accounts = told(capsys)[: len(NAMES)]
    expected = dict.fromkeys(NAMES, (verdict, reason))
    if value == 403:
        expected["duoplane"] = ("wrong_kind_of_key", "")
    assert {check["provider"]: (check["verdict"], check["reason"]) for check in accounts} == expected
    assert all(check["fix"].startswith("This is the sandbox: ") for check in accounts)


def test_an_account_that_does_not_work_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.closing(open_world(read_settings()).store) as store:
        add_fault(store, Fault("rewix", "*", "status", value=500))
    assert main(["check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[1:] if "/sandbox " in line] == ["works", "failing", "works", "works"]
    assert lines[-1] == "1 of 6 do not work."


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "403 Forbidden", "500 Oops"])
async def test_a_provider_that_repeats_all_it_was_sent_shows_no_secret(
    name: str, status: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [value for value in account(name, "https://shop.example").values() if value.startswith("hush")]
    tricks = "\x1b[31m\u202e\u200b<script>x</script>[bold]\n\n"

    def repeat(head: bytes) -> bytes:
        words = f"{tricks} {head.decode()} {' '.join(keys)} " + "word " * 200
        return page(status, json.dumps({"message": words, "msg": words, "errors": [words]}))

    async with host(repeat) as port:
        for variable, value in account(name, f"http://127.0.0.1:{port}").items():
            monkeypatch.setenv(variable, value)
        code = await anyio.to_thread.run_sync(main, ["check"])
        again = await anyio.to_thread.run_sync(main, ["check", "--json"])
    output = capsys.readouterr()
    pair = base64.b64encode(f"{KEYS['api_key']}:{KEYS['password']}".encode()).decode()
    shown = output.out + output.err
    assert (code, again) == (1, 1)
    assert [secret for secret in (*keys, pair) if secret in "".join(shown.split())] == []
    assert not set(shown) & set("\x1b\u202e\u200b<")
    assert all(len(check["provider_said"]) <= 300 for check in json.loads(shown[shown.index("[\n") :]))
    assert ("provider said (untrusted)" in shown) == (status != "200 OK" or name == "duoplane")


def test_in_json_wrong_settings_are_objects_like_all_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--json"]) == 0
    fields = set(told(capsys)[0])
    monkeypatch.setenv("DROPSHIP_MODE", "test")
    monkeypatch.setenv("DROPSHIP_LEDGER", "here")
    assert main(["check", "--json"]) == 2
    out, err = capsys.readouterr()
    problems = [line.removeprefix("dropship-mcp: ") for line in err.splitlines()]
    found = json.loads(out)
    assert [(check["check"], check["verdict"], check["what"]) for check in found] == [
        ("settings", "broken", problem) for problem in problems
    ]
    assert len(problems) == 2
    assert [set(check) for check in found] == [fields] * 2


def test_live_without_an_account_is_a_problem_of_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DROPSHIP_MODE", "live")
    monkeypatch.setenv("DROPSHIP_PROVIDERS", "dipli,duoplane")
    assert main(["check"]) == 2
    assert capsys.readouterr() == (
        "",
        "dropship-mcp: Dipli is not configured: DIPLI_API_KEY not set\n"
        "dropship-mcp: Duoplane is not configured: DUOPLANE_API_KEY, DUOPLANE_PASSWORD not set\n",
    )


def test_a_ledger_that_cannot_be_written_is_found(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "dropship-mcp").mkdir()
    (state / "dropship-mcp" / "ledger.sqlite3").write_text("this is no ledger, it only looks like one. " * 50)
    assert main(["check", "--json"]) == 1
    ledger, files = told(capsys)[-2:]
    assert (ledger["check"], ledger["verdict"]) == ("ledger", "broken")
    assert ledger["what"] == "the ledger cannot be used: the file is damaged"
    assert "DROPSHIP_LEDGER" in ledger["fix"]
    assert files["verdict"] == "broken"  # it was made with everybody's permissions


@pytest.mark.parametrize("name", ["l" * 300, "file/ledger.sqlite3"], ids=["name too long", "in a file"])
def test_a_ledger_that_cannot_be_made_is_found(
    name: str, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (state / "file").touch()
    monkeypatch.setenv("DROPSHIP_LEDGER", str(state / name))
    assert main(["check", "--json"]) == 1
    assert [check["verdict"] for check in told(capsys)[-2:]] == ["broken", "works"]


def test_a_sandbox_that_cannot_be_kept_is_said_to_be_so(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DROPSHIP_SANDBOX", str(state))
    assert main(["check", "--json"]) == 1
    accounts = told(capsys)[: len(NAMES)]
    assert {check["verdict"] for check in accounts} == {"not_configured"}
    assert all("DROPSHIP_SANDBOX" in check["fix"] for check in accounts)
    assert main(["sandbox", "reset"]) == 1
    assert capsys.readouterr().err == (
        "dropship-mcp: the sandbox's file cannot be opened. "
        "A person has to set DROPSHIP_SANDBOX to a path that can be written, or to :memory:.\n"
    )


def test_checking_the_ledger_records_no_order(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (main(["check"]), main(["check"])) == (0, 0)
    capsys.readouterr()
    assert main(["orders", "--all", "--json"]) == 0
    assert told(capsys) == []


def test_files_that_others_can_read_are_found(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check"]) == 0
    capsys.readouterr()
    key, ledger_key = state / "key", state / "dropship-mcp" / "ledger.sqlite3.key"
    key.write_text("hush")
    for path in (key, ledger_key):
        path.chmod(0o644)
    monkeypatch.setenv("DIPLI_API_KEY_FILE", str(key))
    monkeypatch.setenv("DUOPLANE_PASSWORD_FILE", str(state / "nowhere"))
    assert main(["check", "--json"]) == 1
    files = told(capsys)[-1]
    assert files["what"] == (
        "DIPLI_API_KEY_FILE is open to other users; restrict it with chmod 600; "
        "DUOPLANE_PASSWORD_FILE cannot be read: there is no such file; "
        f"{ledger_key} is open to other users; restrict it with chmod 600"
    )


@pytest.mark.timeout(60)
def test_the_installed_program_checks_the_sandbox(state: Path) -> None:
    done = subprocess.run([COMMAND, "check", "--json"], env=environment(state), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [check["verdict"] for check in json.loads(done.stdout)] == ["works"] * 6
