from __future__ import annotations

import pytest

from shared.errors import TargetError
from shared.fates import Fate, fate_of
from shared.restore_options import RestoreOptions
from shared.targets.files import ListedFile
from shared.targets.placing import moves_for
from shared.targets.transfer import transfer_of
from tests.targets.tables import Case, cases


@pytest.mark.parametrize("case", cases("placing"))
def test_files_go_where_the_options_say(case: Case) -> None:
    def place() -> list[list[str]]:
        moves = moves_for(
            "New",
            [ListedFile(*file) for file in case["files"]],
            RestoreOptions.model_validate(case.get("options", {})),
            data_path=case.get("data_path", "/data/"),
            log_path=case.get("log_path", "/log"),
            taken=case.get("taken", {}),
            is_whole=case.get("whole", True),
        )
        return [list(move) for move in moves]

    if refused := case.get("refused"):
        with pytest.raises(TargetError, match=refused) as refusal:
            place()
        assert refusal.value.number == case["number"]
        assert "restoreOptions" in refusal.value.action
        assert fate_of(refusal.value).fate is Fate.BLOCK
    else:
        assert place() == case["expected"]


def test_a_long_list_of_files_is_cut() -> None:
    files = [ListedFile(f"f{number}", "D", number) for number in range(1, 400)]
    options = RestoreOptions(move_files={f"x{number}": f"/{number}" for number in range(300)})
    with pytest.raises(TargetError) as refusal:
        moves_for("x", files, options, data_path="/d", log_path="/l", taken={})
    assert len(refusal.value.message) < 1000
    assert "and 280 more" in refusal.value.message
    assert refusal.value.message.endswith("'f20' (data) and 379 more")


@pytest.mark.parametrize("case", cases("transfer"))
def test_a_backup_is_read_in_pieces_by_its_size(case: Case) -> None:
    options = RestoreOptions.model_validate(case.get("options", {}))
    assert list(transfer_of(options, case["size"], case["stripes"])) == case["expected"]
