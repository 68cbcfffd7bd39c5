from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import TargetError
from shared.targets.files import ListedFile, file_stem, place_files
from tests.targets.names import NASTY
from tests.targets.tables import Case, cases

FOLDERS = ("/var/opt/mssql/data/", "C:\\Data", "\\\\host\\share\\")
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=128)


@pytest.mark.parametrize("case", cases("files"))
def test_files_are_placed_as_the_table_says(case: Case) -> None:
    def place() -> list[list[str]]:
        files = [ListedFile(*file) for file in case["files"]]
        paths = {"data_path": case["data_path"], "log_path": case["log_path"]}
        return [list(move) for move in place_files(case["database"], files, **paths)]

    if refused := case.get("refused"):
        with pytest.raises(TargetError, match=refused) as refusal:
            place()
        assert refusal.value.action
    else:
        assert place() == case["expected"]


@given(NAMES | st.sampled_from(sorted(NASTY.values())))
def test_stem_is_a_legal_file_name_on_windows_and_linux(database: str) -> None:
    stem = file_stem(database)
    assert not set("<>:\"/\\|?*[]'") & set(stem)
    assert stem == stem.strip(" ")
    assert stem.split(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
    assert 1 <= len(stem.encode("utf-16-le")) // 2 <= 110
    assert len(f"{stem}_log_32767.ldf".encode()) <= 255


@given(NAMES, NAMES)
def test_two_databases_never_share_a_path(one: str, other: str) -> None:
    files = [ListedFile(f"f{number}", kind, number) for number, kind in enumerate("DLDLSF", 1)]
    names = {name.casefold(): name for name in (one, other, f"{one}_3", f"{one}_log")}
    for folder in FOLDERS:
        paths = [
            move.path.casefold()
            for database in names.values()
            for move in place_files(database, files, data_path=folder, log_path=folder)
        ]
        assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("name", ["a:b", "a?b", "a*b", "a_b ", "x" * 101, "x" * 102])
def test_a_changed_name_gets_a_hash_of_its_own(name: str) -> None:
    others = {"a:b", "a?b", "a*b", "a_b ", "a_b", "x" * 100, "x" * 101, "x" * 102} - {name}
    assert file_stem(name) not in {file_stem(other) for other in others}
    assert file_stem(name) == file_stem(name)
