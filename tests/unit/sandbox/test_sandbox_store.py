"""The store: ids, transactions, and several processes on one file."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dropship_tools.sandbox.store import Document, SandboxStore
from unit.sandbox.worlds import NOON, Clock

ADD_TWENTY = """
import sys
from pathlib import Path
from dropship_tools.sandbox.store import SandboxStore
sys.stdin.readline()
store = SandboxStore(Path(sys.argv[1]))
for number in range(20):
    store.add("p", "order", {"by": sys.argv[2]}, key=str(number))
"""
STOP_HALF_WAY = """
import sys
from pathlib import Path
from dropship_tools.sandbox.store import SandboxStore
store = SandboxStore(Path(sys.argv[1]))
store.add("p", "order", {"whole": True})
with store.transaction():
    store.add("p", "order", {"whole": False})
    print("half way", flush=True)
    sys.stdin.read()
"""


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    tools = Path(sys.modules["dropship_tools.sandbox.store"].__file__ or "").parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env={"PYTHONPATH": str(tools)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def add_and_fail(store: SandboxStore) -> None:
    with store.transaction():
        store.add("p", "order", {}, key="undone")
        raise ZeroDivisionError


def test_nothing_is_created_before_the_first_use(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "state" / "sandbox.db")
    assert not (tmp_path / "state").exists()
    assert store.count("p", "order") == 0
    assert (tmp_path / "state" / "sandbox.db").exists()
    store.close()


def test_folder_and_files_belong_to_their_owner_alone(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "state" / "sandbox.db")
    store.add("p", "order", {})
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}
    store.close()


def test_ids_ascend_per_provider_and_kind_and_are_never_given_twice() -> None:
    store = SandboxStore(None, Clock())
    first = store.add("p", "order", {"a": 1}, key="x", first_id=500)
    second = store.add("p", "order", {}, first_id=500)
    store.delete("p", "order", second.id)
    assert first == Document(id=500, key="x", created_at=NOON, body={"a": 1})
    assert [store.add("p", "order", {}, first_id=500).id, store.add("p", "lock", {}).id] == [502, 1]


def test_documents_are_found_by_id_and_by_key_oldest_first() -> None:
    store = SandboxStore(None, Clock())
    one, two, other = (store.add("p", "order", {"n": n}, key=key) for n, key in enumerate("aab"))
    assert store.find("p", "order", "a") == [one, two]
    assert store.all("p", "order") == [one, two, other]
    assert store.get("p", "order", other.id) == other
    assert store.get("q", "order", other.id) is None
    assert store.get("p", "order", 10**30) is None


def test_put_replaces_a_body_and_nothing_else() -> None:
    store = SandboxStore(None, Clock())
    added = store.add("p", "order", {"n": 1}, key="a")
    store.put("p", "order", added.id, {"n": 2})
    assert store.get("p", "order", added.id) == Document(added.id, "a", NOON, {"n": 2})


def test_put_without_a_document_is_an_error() -> None:
    with pytest.raises(KeyError):
        SandboxStore(None).put("p", "order", 7, {})


def test_an_exception_undoes_the_whole_transaction() -> None:
    store = SandboxStore(None)
    with pytest.raises(ZeroDivisionError):
        add_and_fail(store)
    assert store.count("p", "order") == 0


def test_an_inner_transaction_is_undone_by_itself() -> None:
    store = SandboxStore(None)
    with store.transaction():
        store.add("p", "order", {}, key="kept")
        with pytest.raises(ZeroDivisionError):
            add_and_fail(store)
    assert [document.key for document in store.all("p", "order")] == ["kept"]


def test_reset_forgets_documents_and_ids(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "sandbox.db")
    store.add("p", "order", {})
    store.reset()
    assert (store.count("p", "order"), store.add("p", "order", {}).id) == (0, 1)
    store.close()


def test_what_one_store_keeps_in_a_file_the_next_one_finds(tmp_path: Path) -> None:
    first = SandboxStore(tmp_path / "sandbox.db", lambda: datetime(2026, 3, 2, tzinfo=UTC))
    added = first.add("p", "order", {"name": "Zoë \ud800"}, key="a")
    first.close()
    second = SandboxStore(tmp_path / "sandbox.db")
    assert second.all("p", "order") == [added]
    second.close()


def test_processes_that_open_and_fill_a_new_file_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    processes = [run(ADD_TWENTY, str(path), name) for name in ("a", "b", "c")]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    store = SandboxStore(path)
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert [document.id for document in store.all("p", "order")] == list(range(1, 61))
    store.close()


def test_a_killed_process_leaves_whole_changes_only_and_no_lock(tmp_path: Path) -> None:
    with run(STOP_HALF_WAY, str(tmp_path / "sandbox.db")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half way\n"
        process.kill()
    store = SandboxStore(tmp_path / "sandbox.db")
    store.add("p", "order", {"whole": True})
    assert [document.body for document in store.all("p", "order")] == [{"whole": True}, {"whole": True}]
    store.close()
