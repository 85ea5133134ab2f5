"""What a reader expects to find in the shipped texts of each language."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """How a mail begins, and the words without which a text would not be safe.

    `red_flags` are parts of words that every check-in holds; `dates` matches the days on which the
    restrictions of the sample session end; `reply` begins the request for one; `alphabet` is the
    encoding of most text messages.
    """

    greeting: str
    red_flags: tuple[str, ...]
    dates: str
    cloth: str
    never: str
    reply: str
    alphabet: str = "GSM-7"


EXPECTED = {
    "en": Expected(
        greeting="Hello Marina,",
        red_flags=(
            "fever", "pus", "redness", "pain", "swelling", "breathing", "rash", "throat", "112",
        ),
        dates="2[789] March|30 March|April",
        cloth="cloth",
        never="never",
        reply="Just reply",
    ),
    "es": Expected(
        greeting="Hola, Marina:",
        red_flags=(
            "fiebre", "pus", "rojez", "dolor", "hinch", "respirar", "sarpullido", "garganta", "112",
        ),
        dates="2[789] de marzo|30 de marzo|abril",
        cloth="paño",
        never="nunca",
        reply="Respond",
    ),
    "de": Expected(
        greeting="Hallo Marina,",
        red_flags=(
            "Fieber", "Eiter", "ötung", "ausbreite", "stark", "anhalte", "Schmerzen", "Schwellung",
            "Atemprobleme", "Ausschlag", "Gesicht", "Lippen", "Hals", "112", "örtliche", "Notruf",
        ),
        dates=r"2[789]\. März|30\. März|April",
        cloth="Tuch",
        never="nie direkt",
        reply="Antworten Sie",
    ),
    "pt": Expected(
        greeting="Olá, Marina,",
        red_flags=(
            "ebre", "pus", "vermelhidão que alastra", "dor forte", "inchaço", "alta de ar",
            "erupção", "rosto", "lábios", "garganta", "112", "emergência local",
        ),
        dates="2[789] de março|30 de março|abril",
        cloth="pano",
        never="nunca",
        reply="Respond",
        alphabet="UCS-2",
    ),
    "fr": Expected(
        greeting="Bonjour Marina,",
        red_flags=(
            "ièvre", "pus", "rougeur qui s'étend", "douleur forte", "qui dure", "gonflement",
            "respirer", "éruption", "visage", "lèvres", "gorge", "112",
        ),
        dates="2[789] mars|30 mars|avril",
        cloth="linge",
        never="jamais",
        reply="Répondez",
    ),
    "ar": Expected(
        greeting="مرحبًا Marina،",
        red_flags=(
            "حمى", "قيح", "صديد", "احمرار", "ألم", "تورم", "التنفس", "طفح", "الحلق", "112",
        ),
        dates="2[789] مارس|30 مارس|أبريل",
        cloth="قماش",
        never="أبدًا",
        reply="الرد",
        alphabet="UCS-2",
    ),
}  # fmt: skip
