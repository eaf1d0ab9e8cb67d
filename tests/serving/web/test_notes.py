from serving.web.notes import Notes

NOTES = Notes(
    {"as_of": "must be a day"}, {"as_of": "is far off", "visits[0].labs.bmpc.value": "<b>"}
)


def test_a_problem_is_said_before_a_doubt() -> None:
    assert NOTES.beside("as_of") == (
        '<span class="complaint" id="problem-as_of">must be a day</span>'
    )
    assert NOTES.attributes("as_of") == ' aria-invalid="true" aria-describedby="problem-as_of"'


def test_a_doubt_is_no_error_and_is_escaped() -> None:
    field = "visits[0].labs.bmpc.value"
    assert NOTES.beside(field) == f'<span class="doubt" id="problem-{field}">&lt;b&gt;</span>'
    assert NOTES.attributes(field) == f' aria-describedby="problem-{field}"'


def test_a_field_without_a_note_says_nothing() -> None:
    assert NOTES.beside("subject.age") == NOTES.attributes("subject.age") == ""
    assert NOTES.concern("bmpc")
    assert not NOTES.concern("calcium")
