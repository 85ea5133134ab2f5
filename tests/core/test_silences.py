"""A provider that does not tell what came in: who at the clinic hears of it, and when."""

from datetime import timedelta
from pathlib import Path

from reminderd.silences import fall_silent
from tests.core.alarming import FRONT, on_duty
from tests.fakes.smtp_server import SmtpServer


def test_that_nobody_hears_what_patients_write_is_told_after_ten_minutes(tmp_path: Path) -> None:
    with SmtpServer() as server, on_duty(tmp_path, server) as duty:
        for minutes in (0, 9, 1, 30):
            duty.desk.clock.move(timedelta(minutes=minutes))
            with duty.desk.outbox.transaction():
                fall_silent(duty.desk.outbox, "console", "503: broken", duty.desk.now)
            assert duty.look() == ([FRONT] if minutes == 1 else [])
        assert str(duty.mail()["Subject"]).endswith("what patients write is not heard")
        assert "Why: 503: broken" in duty.text()
        assert "Since: Tuesday 10 March at 10:00" in duty.text()
