import pytest

from features.terminal import working


def test_outside_a_terminal_each_stage_is_one_line_when_it_begins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with working("Training") as advance:
        assert capsys.readouterr().err == ""
        advance("Cox", "0 of 2")
        assert capsys.readouterr().err == "Training: Cox, 0 of 2\n"
        advance("Cox", "1 of 2")
        advance("Trees", "1 of 2")
        advance("Cox", "2 of 2")
        advance("registering", "")
    told = capsys.readouterr()
    assert told.err == "Training: Trees, 1 of 2\nTraining: registering\n"
    assert told.out == ""


def test_where_a_program_reads_no_stage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with working("Training", lines=False) as advance:
        advance("Cox", "0 of 2")
    assert capsys.readouterr() == ("", "")


def test_in_a_terminal_one_status_goes_on_within_a_stage_for_people_and_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TTY_INTERACTIVE", "1")
    monkeypatch.setenv("TERM", "xterm")
    for lines in (True, False):
        with working("Training", lines=lines) as advance:
            advance("Cox", "0 of 2")
            advance("Cox", "1 of 2")
        told = capsys.readouterr().err
        assert "Training: Cox, 1 of 2" in told
