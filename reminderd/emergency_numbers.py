"""Which number to call in an emergency, by country: data, each part with its source. Pure.

Where a country has a number for the ambulance of its own, it is that one. A test holds the table
against the metadata of phonenumbers.
"""

from collections.abc import Mapping

# Recognised as an emergency call by every GSM phone, whatever the network: 3GPP TS 22.101, 10.1.1.
EVERYWHERE = "112"

# The European Union and the EEA: Directive (EU) 2018/1972 (Electronic Communications Code),
# Article 109: the single European emergency number.
_EUROPE = (
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO"
)
# Beside it, by their own law: Switzerland (FDV, Article 28), Andorra, Monaco; Turkey, India
# and Russia, which have joined their services under it; Kuwait.
_ALSO_112 = "CH AD MC TR IN RU KW"
# North America: 47 U.S.C. 251(e)(3) for the United States, CRTC Decision 2003-53 for Canada, IFT
# for Mexico (nationwide since 2017); Executive Order 56 (2018) for the Philippines; and Jordan and
# Uruguay.
_911 = "US CA PR MX PH JO UY"
# Ofcom, General Condition A3 (999 and 112), and those who took it over: Hong Kong, Malaysia, Qatar,
# Bahrain.
_999 = "GB HK MY QA BH"
# Each by the law or the ambulance service of its country.
_OWN = {
    "AU": "000",  # Telecommunications (Emergency Call Service) Determination 2019
    "NZ": "111",  # Telecommunications Act 2001, 111 contact code
    "JP": "119",  # Fire Service Act: fire and ambulance
    "KR": "119",  # fire and ambulance
    "TW": "119",  # fire and ambulance
    "CN": "120",  # ambulance
    "SG": "995",  # Singapore Civil Defence Force: ambulance
    "TH": "1669",  # National Institute for Emergency Medicine
    "BR": "192",  # SAMU: Decree 5.055/2004
    "CL": "131",  # SAMU
    "CO": "123",  # the national emergency line
    "IL": "101",  # Magen David Adom
    "AE": "998",  # ambulance
    "SA": "997",  # Saudi Red Crescent
    "EG": "123",  # ambulance
    "TN": "190",  # SAMU
    "UA": "103",  # ambulance
}

NUMBERS: Mapping[str, str] = {
    **dict.fromkeys(_EUROPE.split(), "112"),
    **dict.fromkeys(_ALSO_112.split(), "112"),
    **dict.fromkeys(_911.split(), "911"),
    **dict.fromkeys(_999.split(), "999"),
    **_OWN,
}


def emergency_number(country: str) -> str:
    """The number for that country, given by its two letters; `EVERYWHERE` where it is not known."""
    return NUMBERS.get(country, EVERYWHERE)
