import signal

import pytest

from catalogs.stopping import Stopped, stoppable, stoppable_elsewhere, undisturbed


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_a_stoppable_block_with_its_exit_code(number: int, code: int) -> None:
    with pytest.raises(Stopped) as stop, stoppable():
        signal.raise_signal(number)

    assert stop.value.exit_code == code


def test_a_stop_is_no_exception_that_a_worker_would_swallow() -> None:
    assert not issubclass(Stopped, Exception)


def test_what_is_undisturbed_is_done_before_the_stop() -> None:
    done = []

    def work() -> None:
        with stoppable():
            with undisturbed():
                signal.raise_signal(signal.SIGTERM)
                done.append("all of it")
            done.append("never")

    with pytest.raises(Stopped):
        work()
    assert done == ["all of it"]


def test_an_error_of_an_undisturbed_block_goes_before_the_stop() -> None:
    def work() -> None:
        with stoppable(), undisturbed():
            signal.raise_signal(signal.SIGTERM)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_other_peoples_code_is_interrupted_and_ours_stopped(number: int, code: int) -> None:
    heard = []

    def theirs() -> None:
        try:
            signal.raise_signal(number)
        except BaseException as error:
            heard.append(type(error))
            raise

    with pytest.raises(Stopped) as stop, stoppable(), stoppable_elsewhere():
        theirs()

    assert heard == [KeyboardInterrupt]
    assert stop.value.exit_code == code


def test_nothing_is_made_stoppable_that_was_not() -> None:
    with pytest.raises(KeyboardInterrupt), stoppable_elsewhere():
        signal.raise_signal(signal.SIGINT)


def test_handlers_are_as_they_were_afterwards() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]

    with stoppable(), undisturbed():
        pass

    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
