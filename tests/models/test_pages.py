"""The pages of the published models say what the models say, or the build fails."""

import pytest

from models.catalogue import PUBLISHED
from models.pages import main, pages
from models.published.points import PointScore


def test_the_pages_in_the_repository_are_those_the_models_write():
    assert main(["--check"]) == 0


def test_a_page_that_drifted_is_named(tmp_path, capsys):
    assert main([], folder=tmp_path) == 0
    assert main(["--check"], folder=tmp_path) == 0
    page = tmp_path / "penn.md"
    page.write_text(page.read_text(encoding="utf-8").replace("81.0%", "18.0%"), encoding="utf-8")
    (tmp_path / "mayo-1999.md").write_text("", encoding="utf-8")
    assert main(["--check"], folder=tmp_path) == 1
    assert [line.split()[0] for line in capsys.readouterr().err.splitlines()] == [
        "docs/models/mayo-1999.md",
        "docs/models/penn.md",
    ]


@pytest.mark.parametrize("model", PUBLISHED.values(), ids=list(PUBLISHED))
def test_every_model_has_a_page_with_its_source_markers_and_groups(model):
    text = pages()[f"{model.name}.md"]
    assert model.citation in text
    assert "doi:10." in text.partition("**Source:**")[0] or model.name == "mgus-m-protein"
    if isinstance(model, PointScore):
        assert all(marker.criterion in text for marker in model.markers)
        assert all(f"| {band.group} |" in text for band in model.bands)


def test_the_shared_example_shows_models_that_part():
    assert "| part |" in pages()["README.md"]
