"""An offer or a price among care is found, in every language; care is not taken for one."""

from pathlib import Path

import pytest

from reminderd.examination.offers import offers
from tests.core.examining import ERROR, examined, text, written
from tests.core.protocol_file import milestone


def test_an_offer_among_care_is_found_at_its_line(tmp_path: Path) -> None:
    words = "Hello {{ patient.given_name }},\n20 % off your next session. {{ clinic.name }}"
    path = text(tmp_path, "tip", words)
    found = examined(written(tmp_path, milestone()))
    offers = [each for each in found if each.severity is ERROR]
    assert [(each.file, each.line, each.milestone) for each in offers] == [
        (str(path), line, "tip") for line in (2, 4, 6, 8)
    ]
    assert offers[0].what.startswith('"20 % off" reads like an offer or a price')


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Book your next visit now and save 20 %."),
        ("en", "Our special offer: two for 1."),
        ("en", "The price is €90."),
        ("en", "Buy our cream online today."),
        ("es", "Un 20 % de descuento si vienes en mayo."),
        ("es", "Aprovecha nuestra oferta: 90 euros."),
        ("es", "Reserva tu sesión ya."),
        ("fr", "Une offre pour vous : séance offerte."),
        ("fr", "Réservez votre soin maintenant, 30 % de réduction."),
        ("fr", "Nos tarifs : 90 €."),
        ("pt", "Aproveite o desconto, 90 EUR."),
        ("pt", "Marque a sua sessão já."),
        ("pt", "Preços especiais."),
        ("de", "Unser Sommerangebot: 20 % Rabatt."),
        ("de", "Buchen Sie die nächste Sitzung jetzt zum halben Preis."),
        ("ar", "خصم خاص لك اليوم."),
        ("ar", "احجز جلستك الآن."),
        ("ar", "بسعر 90 درهم."),
        ("it", "Solo 90 € oggi."),
    ],
)
def test_offers_and_prices_are_known_in_every_language(language: str, words: str) -> None:
    assert list(offers(language, words))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "We offer help at any price you can think of: just call. This offers protection."),
        ("en", "Stop creams with 1 % Retin-A or 20 % glycolic acid 2 days before."),
        ("en", "SPF 30+, 15 to 20 minutes, 1-2 % urea, feel free to call, fragrance-free."),
        ("en", "A great deal of water; cream of the size of a 2 euro coin; book in good time."),
        ("es", "Ofrecemos ayuda. Una gota como una moneda de 1 euro. Aprecia el descanso."),
        ("fr", "Évitez à tout prix le soleil. La crème offre une protection."),
        ("fr", "Réduction du gonflement en quelques jours."),
        ("fr", "Une noisette, comme une pièce de 2 euros. Remettez de la crème."),
        ("pt", "Descanse. Aprecie a sombra. Um saldo de energia."),
        ("de", "Meiden Sie die Sonne um jeden Preis. Sparen Sie die Stelle aus."),
        ("ar", "أعراض مثل الحمى. لتخفيض التورم. سعرات حرارية."),
    ],
)
def test_care_is_not_taken_for_an_offer(language: str, words: str) -> None:
    assert list(offers(language, words)) == []
