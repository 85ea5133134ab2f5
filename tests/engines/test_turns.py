"""Who has waited for longest gets the next turn."""

import threading

from reminderd.engines.embedded.turns import Turns
from tests.waiting import until


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    turns, came = Turns(), list[int]()

    def take(number: int) -> None:
        with turns:
            came.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    with turns:
        for number, thread in enumerate(threads):
            thread.start()
            until(lambda count=number + 1: len(turns._waiting) == count, "that it waits")
        assert came == []
    for thread in threads:
        thread.join(10)
    assert came == list(range(8))


def test_who_gives_it_back_and_wants_it_again_stands_at_the_end() -> None:
    turns, came, asked = Turns(), list[str](), threading.Event()

    def take() -> None:
        asked.set()
        with turns:
            came.append("the other")

    other = threading.Thread(target=take)
    with turns:
        other.start()
        asked.wait(10)
        until(lambda: turns._waiting, "that it waits")
    with turns:
        came.append("the same again")
    other.join(10)
    assert came == ["the other", "the same again"]


def test_one_at_a_time_and_also_after_a_failure() -> None:
    turns, at_once, most = Turns(), [0], [0]

    def take() -> None:
        for number in range(200):
            try:
                with turns:
                    at_once[0] += 1
                    most[0] = max(most[0], at_once[0])
                    at_once[0] -= 1
                    if number % 7 == 0:
                        raise ValueError
            except ValueError:
                pass

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (most, at_once) == ([1], [0])
