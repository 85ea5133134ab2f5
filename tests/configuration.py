"""The configuration of the clinic that most tests are about."""

SMTP = """
[transports.smtp]
host = "mail.example.org"
sender = "Alba Skin Clinic <care@example.org>"
"""


def configuration(
    *more: str, sms: str = "console", email: str = "file", quiet: str = "21:00-08:00"
) -> str:
    """Alba Skin Clinic in Madrid, whose channels are served by these transports.

    What follows are further sections.
    """
    clinic = f"""
[clinics.main]
name = "Alba Skin Clinic"
phone = "+34 910 000 000"
timezone = "Europe/Madrid"
country = "ES"
language = "en"
quiet_hours = "{quiet}"

[database]
url = "sqlite:///reminderd.db"

[channels]
sms = "{sms}"
email = "{email}"

[transports.file]
directory = "outbox"
"""
    return "\n".join([clinic, *more])
