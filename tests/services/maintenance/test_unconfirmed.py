"""Which updates may come again."""

from tgllm.services.maintenance.unconfirmed import Unconfirmed


def test_the_latest_batch_may_come_again() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.note([1, 2], any_new=True)
    assert unconfirmed.ids == {1, 2}
    unconfirmed.note([3], any_new=False)
    assert unconfirmed.ids == {3}
    unconfirmed.note([], any_new=False)
    assert unconfirmed.ids == set()


def test_after_a_start_any_may_until_those_of_the_run_before_have_come() -> None:
    unconfirmed = Unconfirmed()
    assert unconfirmed.ids is None
    unconfirmed.note([1, 2], any_new=False)
    assert unconfirmed.ids is None
    unconfirmed.note([3, 4], any_new=True)
    assert unconfirmed.ids == {3, 4}


def test_after_a_start_nothing_may_once_nothing_waits() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.note([1, 2], any_new=False)
    unconfirmed.note([], any_new=False)
    assert unconfirmed.ids == set()


def test_what_the_webhook_has_taken_may_come_again_for_an_hour() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.note_pushed([1], 0.0)
    unconfirmed.note_pushed([2], 3000.0)
    assert unconfirmed.ids is None
    unconfirmed.note_pushed([], 3600.0)
    assert unconfirmed.ids == {2}
    unconfirmed.note_pushed([3], 6600.0)
    assert unconfirmed.ids == {3}
