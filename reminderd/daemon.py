"""The life of the process on one page: start, ready, send, reload, stop."""

import hashlib
import json
import logging
import signal
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import tzdata

from reminderd import bootstrap, proofread, systemd, web
from reminderd.alerting import Alerting, telling, ways
from reminderd.bootstrap import House, with_fresh_texts
from reminderd.callbacks import Callbacks
from reminderd.clock import Clock, SystemClock
from reminderd.dispatch import Dispatch
from reminderd.engine import BEAT, LOOK_OUT_SECONDS, Duty, Work
from reminderd.errors import FaultsFound, Refused, TryAgainLater
from reminderd.holding import held
from reminderd.hours import zone
from reminderd.incoming import Replies
from reminderd.interfaces import Pollable, Transport
from reminderd.lanes import Delivery
from reminderd.model import State
from reminderd.polling import EVERY, EVERY_IF_CALLED, Polling, asking
from reminderd.pulse import Pulse
from reminderd.rehearsal import house_on_a_copy
from reminderd.settings import Settings
from reminderd.signals import raising
from reminderd.transports.nowhere import Nowhere
from reminderd.watch import Watch, refuse_wrong_time

log = logging.getLogger(__name__)

PLANNED_BY = "planned-by"
CLINICS_ZONES = "clinics-zones"


def run(settings: Settings, *, once: bool = False, stop: threading.Event | None = None) -> None:
    """Send what is due until told to stop, or, with `once`, what is due now.

    Creates the database where there is none, and brings an older one up to date. Raises
    TryAgainLater where another daemon has the database, the clock is not that of the others, or
    `once` could not reach a provider; ConfigurationError where it cannot start.
    """
    clock = SystemClock()
    bootstrap.check_own_words(settings.folder)  # whoever writes STOP has to be understood
    engine = bootstrap.engine(settings)
    done = engine.prepare()
    if done is not None:
        log.warning("%s: %s", engine.where, done)
    clocks = zone(next(iter(settings.sections.clinics.values())).timezone)
    with engine.on_duty(clock.now(), clocks) as duty, ExitStack() as open_things:
        house = bootstrap.house_on(settings, engine, duty.outbox)
        serving = bootstrap.build_transports(settings)
        for transport in serving.values():
            open_things.callback(transport.close)
        alerting = Alerting(house, ways(settings, serving))
        refuse_wrong_time(duty.reference, clock)
        _start(house, clock, serving)
        multiple = settings.sections.sending.unusual_volume
        watch = Watch(house.outbox, clock, multiple, reference=duty.reference)
        if once:
            open_things.callback(lambda: alerting.look(clock.now()))
            _send_once(house, clock, serving, watch)
        else:
            open_things.enter_context(telling(house, alerting, clock))
            _serve(house, duty, clock, serving, watch, stop or threading.Event())


def _start(house: House, clock: Clock, serving: Collection[str]) -> None:
    """Settle what a crash left behind, and plan again where the rules have changed since."""
    with house.outbox.transaction():
        _recover(house, clock.now())
        Callbacks(house.outbox, house.practice).apply(None, clock.now())
        replies = Replies(house.outbox, house.decide)
        while replies.apply(None, clock.now()):
            pass
        house.outbox.give_up(serving, clock.now())  # nobody is left who could look
    _plan_by_present_rules(house, clock.now())


def _recover(house: House, now: datetime) -> bool:
    """Take back what died with whoever had claimed it; False where there was nothing."""
    with house.outbox.transaction():
        returned, doubted = house.outbox.recover(now)
        # While nothing ran, a session may have been moved that they belong to.
        house.intake.plan_again(returned, now)
    if returned or doubted:
        said = "after a crash: %d messages go out again, %d are in doubt"
        log.warning(said, len(returned), doubted)
    return bool(returned or doubted)


def _plan_by_present_rules(house: House, now: datetime) -> None:
    _note_clinics_zones(house, now)
    rules = _rules(house)
    if house.outbox.note(PLANNED_BY) != rules:
        changed = house.intake.plan_all_again(now)
        with house.outbox.transaction():
            house.outbox.set_note(PLANNED_BY, rules)
        log.info("planned again by the present settings: %d reminders changed", changed)


def _note_clinics_zones(house: House, now: datetime) -> None:
    """What was told by a clinic's clocks is to be corrected where it has others by now."""
    zones = {key: clinic.timezone for key, clinic in house.practice.clinics.items()}
    text = json.dumps(zones, sort_keys=True)
    with house.outbox.transaction():  # of two machines that start together, one notes it
        noted = house.outbox.note(CLINICS_ZONES)
        if noted != text:
            house.intake.clinics_moved(json.loads(noted or "{}"), now)
            house.outbox.set_note(CLINICS_ZONES, text)


def _rules(house: House) -> str:
    """A fingerprint of what plans depend on beside the patients' own data."""
    clinics = sorted(house.practice.clinics.items())
    leaving = [sorted(clinic.leaving) for _, clinic in clinics]
    fixed = [(key, replace(clinic, leaving=frozenset())) for key, clinic in clinics]
    texts = house.practice.texts.digest(text.name for text in house.practice.texts.list_templates())
    parts = repr((tzdata.IANA_VERSION, fixed, leaving, texts))
    return hashlib.sha256(parts.encode()).hexdigest()


def _send_once(house: House, clock: Clock, serving: dict[str, Transport], watch: Watch) -> None:
    for each in _pollings(house, serving):
        each.poll(clock.now())
    dispatch = house.dispatch(clock, serving, time_is_right=watch.time_is_right)
    stop = _Stop(dispatch)
    try:
        with raising({signal.SIGTERM: stop, signal.SIGINT: stop}):
            while (now := watch.now()) is not None and dispatch.drain(now).more:
                pass
            if now is None:
                dispatch.hear(clock.now())
        if stop.is_set:
            log.info("stopped")
            return
        circuits = {name: lane.circuit for name, lane in dispatch.lanes.items()}
        troubled = {name: each.trouble for name, each in circuits.items() if each.trouble}
    finally:
        dispatch.close()
    if holds := held(house.outbox):
        raise Refused(
            f"nothing was sent: {'; '.join(each.why for each in holds)}",
            remedy=f"Once that is right: {'; '.join(dict.fromkeys(each.do for each in holds))}",
        )
    if troubled:
        reasons = "; ".join(f"{name}: {trouble}" for name, trouble in troubled.items())
        raise TryAgainLater(
            f"not everything could be sent: {reasons}",
            remedy="What is due stays due: run the command again later.",
        )


class _Stop:
    """A flag that asks a dispatch to end soon."""

    def __init__(self, dispatch: Dispatch) -> None:
        self.is_set = False
        self._dispatch = dispatch

    def set(self) -> None:
        log.info("stopping: what is under way is finished first")
        self.is_set = True
        self._dispatch.request_stop()


def _serve(
    house: House,
    duty: Duty,
    clock: Clock,
    serving: dict[str, Transport],
    watch: Watch,
    stop: threading.Event,
) -> None:
    reload, pulse = threading.Event(), Pulse()

    def renewed() -> Sequence[Dispatch] | None:
        if not reload.is_set():
            return None
        reload.clear()
        return _reloaded(house, clock, serving, watch, pulse)

    def recover() -> bool:
        # What was claimed is planned again: not by a wrong clock.
        return watch.time_is_right() and _recover(with_fresh_texts(house), clock.now())

    dispatches = _dispatches(house, clock, serving, watch, pulse)
    signals = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
    asking_too = asking(house.outbox, _pollings(house, serving), clock, watch.time_is_right)
    with (
        asking_too as missed,
        _open_to_calls(house, clock, serving, pulse, watch, missed, stop.set),
        raising(signals),
    ):
        systemd.ready()
        log.info("ready: %s", house.engine.where)
        _warn_of_a_hasty_watchdog()
        duty.run(Work(dispatches, watch.now, renewed, recover), clock, stop)
    systemd.stopping()
    log.info("stopped")


def _open_to_calls(
    house: House,
    clock: Clock,
    serving: Mapping[str, Transport],
    pulse: Pulse,
    watch: Watch,
    missed: Callable[[], None],
    ended: Callable[[], None],
) -> AbstractContextManager[None]:
    given = house.settings.sections.web
    if given.listen is None:
        return nullcontext()
    routes, for_all = house.practice.routes, given.open_figures
    shown = web.Shown(pulse, routes, for_all, missed, ended, watch.trouble)
    return web.open_at(
        given.listen, house.outbox, clock, serving, shown, lambda: with_fresh_texts(house).wishes
    )


def _pollings(house: House, serving: Mapping[str, Transport]) -> list[Polling]:
    """One for each provider that can be asked; less often where it calls by itself."""
    every = EVERY_IF_CALLED if house.settings.sections.web.public_url else EVERY
    return [
        Polling(house.outbox, name, each, every)
        for name, each in serving.items()
        if isinstance(each, Pollable)
    ]


def _warn_of_a_hasty_watchdog() -> None:
    interval = systemd.watchdog_interval()
    if interval is not None and interval < 2 * BEAT:
        log.warning("WatchdogSec is %s: less than two beats of %s, so it may bite", interval, BEAT)


def _dispatches(
    house: House, clock: Clock, serving: dict[str, Transport], watch: Watch, pulse: Pulse
) -> list[Dispatch]:
    """Each for one transport, so that one that hangs keeps nobody else from sending."""
    loads = [
        ({name: each}, sharing)
        for name, each in serving.items()
        for sharing in [_senders(house, each)]
        for _ in range(sharing)
    ] or [({}, 1)]
    signs = _signs_of_life(len(loads), pulse)
    return [
        house.dispatch(
            clock, load, observe=partial(_left, pulse), alive=alive,
            time_is_right=watch.time_is_right, sharing=sharing,
        )
        for (load, sharing), alive in zip(loads, signs, strict=True)
    ]  # fmt: skip


def _senders(house: House, transport: Transport) -> int:
    """More than one where they would not wait for the provider anyway."""
    if transport.max_per_second is not None:
        return 1
    return min(house.engine.senders, transport.concurrency)


def _left(pulse: Pulse, delivery: Delivery) -> None:
    due = max((each.due_at for each in delivery.reminders if each.due_at), default=delivery.at)
    pulse.left(delivery.message.channel, delivery.at - due)


def _signs_of_life(count: int, pulse: Pulse) -> list[Callable[[], None]]:
    """One to call for each who sends; the watchdog rests once all of them have called."""
    silent = set(range(count))

    def alive(number: int) -> None:
        pulse.beat(f"{number}")
        silent.discard(number)
        if not silent:
            silent.update(range(count))
            systemd.watchdog()

    return [partial(alive, number) for number in range(count)]


def _reloaded(
    house: House, clock: Clock, serving: dict[str, Transport], watch: Watch, pulse: Pulse
) -> Sequence[Dispatch] | None:
    """Sending by the protocols and templates as they are now; None where they hold mistakes."""
    systemd.reloading()
    try:
        renewed = with_fresh_texts(house)
        protocols = [house.library.find(key).protocol for key in sorted(house.library.keys())]
        faults = proofread.check(renewed.renderer, protocols)
        mistakes = [each for each in faults if ": warning: " not in each]
        if mistakes:
            raise FaultsFound(mistakes)
        if trouble := watch.trouble():
            raise TryAgainLater(trouble)
        _plan_by_present_rules(renewed, clock.now())
    except (FaultsFound, TryAgainLater) as error:
        log.error("not reloaded, the old ones stay in force:\n%s", error)
        return None
    finally:
        systemd.ready()
    log.info("reloaded protocols and templates")
    return _dispatches(renewed, clock, serving, watch, pulse)


def dry_run(
    settings: Settings,
    clock: Clock,
    observe: Callable[[Delivery], None],
    *,
    once: bool = False,
    stop: threading.Event | None = None,
) -> None:
    """Tell `observe` what falls due, beside a running daemon: nothing leaves, nothing changes.

    Works on copies of the database, taken again whenever it changes, until `stop` is set.
    """
    stop = stop or threading.Event()
    told: set[int] = set()

    def tell(delivery: Delivery) -> None:
        told.update(each.id for each in delivery.reminders if each.id is not None)
        observe(delivery)

    engine = bootstrap.engine(settings)
    with engine.changes() as version, raising({signal.SIGTERM: stop, signal.SIGINT: stop}):

        def has_changed(copied: object) -> bool:
            return once or version() != copied

        log.info("dry run: nothing leaves and nothing changes: %s", engine.where)
        while not stop.is_set():
            copied = version()
            with house_on_a_copy(settings, nothing_leaves=False) as house:
                dispatch = _teller(house, clock, tell, told)
                try:
                    _drain_until(clock, dispatch, stop, partial(has_changed, copied))
                finally:
                    dispatch.close()
            if once:
                return


def _teller(
    house: House, clock: Clock, tell: Callable[[Delivery], None], told: set[int]
) -> Dispatch:
    """Sends nowhere from a copy; what was told before counts as sent."""
    serving = {name: Nowhere() for name in house.practice.routes.values()}
    with house.outbox.transaction():
        known = [house.outbox.reminder(each) for each in told]
        house.outbox.save_reminders(
            each._replace(state=State.SENT, wake_at=None)
            for each in known
            if each is not None and each.state is State.SCHEDULED
        )
    return house.dispatch(clock, serving, observe=tell)


def _drain_until(
    clock: Clock, dispatch: Dispatch, stop: threading.Event, ends: Callable[[], bool]
) -> None:
    """Drain whenever something falls due, until told to stop or `ends` says so."""
    while True:
        while dispatch.drain(clock.now()).more:
            pass
        wake_at = dispatch.next_wake_at(clock.now()) or datetime.max.replace(tzinfo=UTC)
        while clock.now() < wake_at:
            if ends() or stop.wait(LOOK_OUT_SECONDS):
                return
