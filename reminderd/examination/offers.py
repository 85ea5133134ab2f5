"""The words of offers and prices, by language: what care messages must not hold. Pure data.

A care message needs no marketing consent, an offer does. What care texts say too is left alone: a
substance of 20 %, sunscreen that offers protection, an amount as large as a coin of one euro.
"""

# ruff: noqa: RUF001  (Arabic letters are meant)

import re
from collections.abc import Iterator
from functools import cache

_IN_ANY_LANGUAGE = (
    r"[€$£]\s?\d+",
    r"\d+\s?[€$£]",
    r"\b(?:eur|usd|gbp)\s?\d+",
    r"\d+\s?(?:eur|usd|gbp|d[oó]ll?ar(?:e?s)?)\b",
    r"(?<!pièce de )(?<!moneda de )(?<!moeda de )\b\d+(?:[.,]\d+)? euros?\b(?! (?:coin|piece))",
    r"(?<![\d\w])[-\u2212\u2013]\s?\d{1,2}\s?%",
    r"\b[23]\s?(?:x|for|por) 1\b",
    r"\b[23]x[12]\b",
    r"\bblack friday\b",
)

# A blank stands for any white space, and … for up to three words.
_BY_LANGUAGE = {
    "en": (
        r"discount\w*",
        r"(?:special|exclusive|limited|great|latest|our) offers?",
        r"(?:an|this|the) offer",
        r"(?<!any )pric(?:es?|ing)",
        r"(?:on|flash|summer|winter) sale",
        r"(?:vouchers?|coupons?|gift cards?|bargains?|cheap(?:er|est)?)",
        r"(?:special|best) deals?",
        r"promo(?:tions?|tional)?",
        r"free (?:of charge|sessions?|treatments?|consultations?|samples?|gifts?|trials?)",
        r"(?:buy|order|shop|book)… now",
        r"buy… (?:today|online)",
        r"save (?:up to )?\d",
        r"\d+\s?% (?:off|less|cheaper|on (?:your|all))",
    ),
    "es": (
        r"descuentos?",
        r"ofertas?",
        r"(?<!cualquier )precios?",
        r"rebajas",
        r"promo(?:ci[oó]n|ciones)?",
        r"cup[oó]n(?:es)?",
        r"(?:bono|vale|tarjeta)s?(?: de)? regalo",
        r"gratis",
        r"(?:sesi[oó]n|consulta|muestra|tratamiento)s? gratuit[oa]s?",
        r"(?:compra|compre|reserva|reserve)… (?:ya|ahora)",
        r"ahorr[ae] (?:hasta |un )?\d",
        r"\d+\s?% (?:en tu|en su|menos)",
    ),
    "fr": (
        r"(?:une|des|votre|cette) remises?",
        r"\d+\s?% de (?:remise|réduction|rabais)",
        r"(?:réduction|remise|rabais) de \d",
        r"(?:bons?|codes?) (?:de réduction|promo)",
        r"promo(?:tions?)?",
        r"(?:une|notre|cette|votre|nos) offres?",
        r"l['\u2019]offre",
        r"offres? (?:spéciale|exclusive|limitée)s?",
        r"(?<!tout )prix",
        r"tarifs?",
        r"soldes",
        r"(?:chèques?|cartes?|bons?)[ -]cadeaux?",
        r"(?:séance|consultation|soin|échantillon)s? (?:gratuit|offert)e?s?",
        r"(?:achetez|commandez|réservez)… maintenant",
        r"économisez (?:jusqu['\u2019]à )?\d",
        r"\d+\s?% (?:sur (?:votre|vos)|de moins)",
    ),
    "pt": (
        r"descontos?",
        r"ofertas?",
        r"(?<!qualquer )preços?",
        r"promoç(?:ão|ões)",
        r"cup(?:om|ão|ons|ões)",
        r"(?:vale|cheque|cartão)[ -](?:presente|prenda|oferta)",
        r"gr[aá]tis",
        r"saldos",
        r"(?:sessão|consulta|avaliação|amostra) gratuita",
        r"(?:compre|reserve|agende|marque|garanta)… (?:já|agora)",
        r"(?:poupe|economize) (?:até )?\d",
        r"\d+\s?% (?:n[ao] su?a|menos)",
    ),
    "de": (
        r"rabatt\w*",
        r"(?:sonder|spezial|sommer|winter)?angebote?[ns]?",
        r"(?<!jeden )preise?n?",
        r"preis(?:nachlass|aktion)\w*",
        r"gutscheine?[ns]?",
        r"geschenk(?:karte|gutschein)\w*",
        r"schnäppchen",
        r"sonderaktion\w*",
        r"gratis",
        r"kostenlose[nrms]? (?:sitzung|behandlung|beratung|probe)\w*",
        r"(?:kaufen|bestellen|buchen|sichern) sie… jetzt",
        r"jetzt… (?:kaufen|bestellen|buchen|sichern)",
        r"sparen sie (?:bis zu )?\d",
        r"\d+\s?% (?:auf (?:ihre|alle)|weniger|günstiger)",
    ),
    "ar": (
        r"[وفبلك]{0,2}(?:ال)?خصم(?:ا|ًا)?",
        r"[وفبلك]{0,2}(?:ال)?(?:خصومات|تخفيضات)",
        r"تخفيض (?:بنسبة|على)",
        r"[وفبلك]{0,2}عرض(?:ًا|ا)? خاص(?:ًا|ا)?",
        r"[وفبلك]{0,2}(?:ال)?عروض(?:نا)?",
        r"[وفبلك]{0,2}(?:ال)?(?:سعر|أسعار)(?:ه|ها|نا)?",
        r"مجان(?:ًا|ا)",
        r"(?:جلسة|استشارة|عينة) مجانية",
        r"[وفبلك]{0,2}(?:ال)?(?:قسيمة|قسائم|كوبون)",
        r"(?:اشتر|اشتري|احجز|احجزي|الحجز|الشراء)… الآن",
        r"\d+\s?(?:ريال|درهم|دينار|دولار|يورو)",
    ),
}


def offers(language: str, text: str) -> Iterator[tuple[int, str]]:
    """Where the text speaks of an offer or a price, and in which words."""
    for match in _pattern(language.partition("_")[0]).finditer(text):
        yield match.start(), " ".join(match[0].split())


@cache
def _pattern(language: str) -> re.Pattern[str]:
    words = "|".join(_BY_LANGUAGE.get(language, ()))
    own = (rf"\b(?:{words})\b",) if words else ()
    spaced = "|".join((*_IN_ANY_LANGUAGE, *own)).replace("…", r"(?: \w+){0,3}")
    # A blank inside a look-behind has one width; everywhere else lines may be broken there.
    return re.compile(re.sub(r"(\(\?<![^)]*\))|( )", _breakable, spaced), re.IGNORECASE)


def _breakable(match: re.Match[str]) -> str:
    return match[1] or r"\s+"
