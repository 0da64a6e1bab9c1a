"""Words of the sample data: names of people, companies and places, and texts with odd characters."""

from typing import Any

ACUTE, RING, RTL_MARK, LINE_SEPARATOR, PARAGRAPH_SEPARATOR = "\u0301", "\u030a", "\u200f", "\u2028", "\u2029"
ZERO_WIDTH_JOINER, NO_BREAK = "\u200d", "\u00a0"

# name as people write it | name as their mail address writes it
FIRST_NAMES: tuple[tuple[str, str], ...] = (
    ("Ada", "ada"),
    ("José", "jose"),
    (f"Ame{ACUTE}lie", "amelie"),
    ("Zoë", "zoe"),
    ("Łukasz", "lukasz"),
    ("Jürgen", "juergen"),
    ("Ngọc Ánh", "ngoc.anh"),
    ("Þórdís", "thordis"),
    ("Siobhán", "siobhan"),
    ("Iñaki", "inaki"),
    ("محمد", "mohammed"),
    ("فاطمة", "fatima"),
    ("שירה", "shira"),
    ("太郎", "taro"),
    ("美咲", "misaki"),
    ("Дмитрий", "dmitrij"),
    ("Ελένη", "eleni"),
    ("अनन्या", "ananya"),
    ("சிவா", "siva"),
    ("지우", "jiwoo"),
    ("Mary-Jane", "mary.jane"),
    ("Anders", "anders"),
    ("Chloé", "chloe"),
    ("Tomáš", "tomas"),
    ("Grace", "grace"),
    ("Kofi", "kofi"),
    ("Lars 🚀", "lars"),
    ("Xavier", "xavier"),
)
LAST_NAMES: tuple[tuple[str, str], ...] = (
    ("Lovelace", "lovelace"),
    ("O'Brien", "obrien"),
    ("D’Angelo", "dangelo"),
    ("García Márquez", "garcia"),
    ("Müller", "mueller"),
    (f"A{RING}kesson", "akesson"),
    ("Škvorecký", "skvorecky"),
    ("العلي", "alali"),
    ("כהן", "cohen"),
    ("山田", "yamada"),
    ("王", "wang"),
    ("Иванова", "ivanova"),
    ("Παπαδόπουλος", "papadopoulos"),
    ("शर्मा", "sharma"),
    ("van der Berg", "vanderberg"),
    ("de la Cruz", "delacruz"),
    ('"Bobby" Tables', "tables"),
    ("Null", "null"),
    ("Nguyễn", "nguyen"),
    ("Smith", "smith"),
    ("Jones-Smythe", "jones"),
    ("Kowalczyk", "kowalczyk"),
    ("Okonkwo", "okonkwo"),
    ("Þorvaldsdóttir", "thorvaldsdottir"),
    ("Ng", "ng"),
    ("Rossi", "rossi"),
    ("Dubois", "dubois"),
    ("Tanaka", "tanaka"),
    ("김", "kim"),
    ("Østergård", "oestergaard"),
)
FIRM_HEADS = (
    "Acme", "Northwind", "Contoso", "Édition Lumière", "Bäckerei Groß", "東京精密", "Smørrebrød", "شركة النور",
    "כוכב הצפון", "Ведута", "São Bento", "O'Reilly & Söhne", "Globex", "Initech", "Umbra", "Wayfarer", "Zażółć",
    "Hooli", "Blue ☂ Sun", "Piedmont", "Vandelay", "Tyrell", "Ελληνική Γη", "Quark", "Aperture", "Monolith",
)  # fmt: skip
FIRM_MIDDLES = (
    "Logistics", "Foods", "Robotics", "Textiles", "Energy", "Media", "Pharma", "Partners", "Systems", "Mining",
    "Optics", "Retail", "Airways", "Cement", "Paper", "Analytics", "Marine", "Tooling", "Wind & Water", "Brewing",
)  # fmt: skip
FIRM_TAILS = ("Inc.", "GmbH", "S.A.", "Ltd", "株式会社", "AB", "S.p.A.", "LLC", "B.V.", "& Co. KG", "plc", "Oy")

# street, city, state, state code, postal code, country, country code, latitude, longitude
PLACES: tuple[tuple[str, str, str, str, str, str, str, float, float], ...] = (
    ("1 Market St\nSuite 300", "San Francisco", "California", "CA", "94105", "United States", "US", 37.7936, -122.3958),
    ("350 5th Ave", "New York", "New York", "NY", "10118", "United States", "US", 40.748817, -73.985428),
    ("1100 Congress Ave", "Austin", "Texas", "TX", "78701-2099", "United States", "US", 30.2747, -97.7404),
    ("233 S Wacker Dr", "Chicago", "Illinois", "IL", "60606", "United States", "US", 41.8789, -87.6359),
    ("400 Broad St", "Seattle", "Washington", "WA", "98109", "United States", "US", 47.6205, -122.3493),
    ("1 Franklin St", "Boston", "Massachusetts", "MA", "02110", "United States", "US", 42.3555, -71.0602),
    ("290 Bremner Blvd", "Toronto", "Ontario", "ON", "M5V 3L9", "Canada", "CA", 43.6426, -79.3871),
    ("1 Rue Notre-Dame Est", "Montréal", "Québec", "QC", "H2Y 1B6", "Canada", "CA", 45.5075, -73.5544),
    ("Marienplatz 8", "München", "Bayern", "BY", "80331", "Germany", "DE", 48.137154, 11.576124),
    ("Pariser Platz 1\r\nHinterhaus", "Berlin", "Berlin", "BE", "10117", "Germany", "DE", 52.516275, 13.377704),
    ("5 Avenue Anatole France", "Paris", "Île-de-France", "IDF", "75007", "France", "FR", 48.8582, 2.2945),
    ("Carrer de Mallorca 401", "Barcelona", "Catalunya", "CT", "08013", "Spain", "ES", 41.4036, 2.1744),
    ("Piazza del Duomo", "Milano", "Milano", "MI", "20122", "Italy", "IT", 45.4641, 9.1919),
    ("Av. Paulista 1578", "São Paulo", "São Paulo", "SP", "01310-200", "Brazil", "BR", -23.5614, -46.6558),
    ("Av. Juárez S/N", "Ciudad de México", "Ciudad de México", "CMX", "06050", "Mexico", "MX", 19.4352, -99.1412),
    ("Apollo Bandar", "Mumbai", "Maharashtra", "MH", "400001", "India", "IN", 18.922, 72.8347),
    ("Lalbagh AccessPath", "Bengaluru", "Karnataka", "KA", "560004", "India", "IN", 12.9507, 77.5848),
    ("芝公園４丁目２−８", "港区", "東京都", "13", "105-0011", "Japan", "JP", 35.6586, 139.7454),
    ("Bennelong Point", "Sydney", "New South Wales", "NSW", "2000", "Australia", "AU", -33.8568, 151.2153),
    ("Flinders St", "Melbourne", "Victoria", "VIC", "3000", "Australia", "AU", -37.8183, 144.9671),
)
STRIDE = 1_009  # no divisor of the number of names
COUNTRY_CURRENCY = {"DE": "EUR", "FR": "EUR", "ES": "EUR", "IT": "EUR", "JP": "JPY", "GB": "GBP", "IN": "GBP"}

TEXTS = (
    "Met at the trade fair; wants a quote by Friday.",
    "Called twice, no answer.\nLeft a message with the assistant.\n\n-- sent from my phone",
    "He said \"call me back\", then wrote 'never mind' — and a back\\slash.",
    "Column A\tColumn B\tColumn C\n1\t2\t3",
    "Erste Zeile\r\nZweite Zeile\r\n",
    f"A line separator{LINE_SEPARATOR}and a paragraph separator{PARAGRAPH_SEPARATOR}within one value",
    f"العقد جاهز للتوقيع {RTL_MARK}(v2.0) — please sign today",
    "החוזה מוכן, 50% הנחה עד 31/12",
    f"Family {ZERO_WIDTH_JOINER.join('👩👩👧👦')} of four, 🇺🇳, 👍🏽, and 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 beyond the first plane",
    f"Cafe{ACUTE} against café: equal to the eye, not to the computer",
    "御社のご要望を確認しました。来週お見積りをお送りします。",
    "<p>Pasted <b>HTML</b> &amp; entities; <script>alert('x')</script></p>",
    "=SUM(A1:A9), +49 89 1234, -1, @mention: what spreadsheets run",
    "Robert'); DROP TABLE Students;--",
    "null",
    "NaN",
    "0",
    "true",
    f"no{NO_BREAK}break spaces, soft\u00adhyphens, a zero\u200bwidth space and a byte order mark \ufeff inside",
    "100 % sure; 50 € off; 3 < 4 > 2; path C:\\temp\\new; {json: [1, 2]}",
    "Budget is approved. Decision maker is the CFO, the champion sits in IT. Competitor: two, both cheaper.",
    "Needs SSO, an EU data centre and ISO 27001; legal review takes six weeks.",
)
SUBJECTS = (
    "Cannot log in after the update", "Invoice shows the wrong VAT", "Gerät startet nicht 🔌", "Part is missing",
    "データの同期が止まった", "How do I export my data?", "Broken link in the manual", "خطأ في الفاتورة",
    "Slow on Mondays", 'Error "0x8007"; see log', "Request for a sandbox", "Connector leaks oil", "Display flickers",
    "RE: RE: FW: urgent!!",
)  # fmt: skip
TITLES = (
    "CEO", "CFO", "VP of Operations", "Head of Purchasing", "IT Manager", "Ingénieure en chef", "Geschäftsführer",
    "Buyer", "Director, R&D", "Office Manager", "部長", "Data Engineer", "Owner", "Legal Counsel",
)  # fmt: skip
DEPARTMENTS = ("Sales", "Finance", "Purchasing", "IT", "Einkauf", "Research & Development", "Legal", "Human Resources")
NEXT_STEPS = ("Send proposal", "Demo on site", "Wait for budget", "Negotiate terms", "Call legal", "Vertrag senden ✍️")
PRODUCTS = (
    "Turbine", "Gearbox", "Sensor Kit", "Control Cabinet", "Installation", "Training Day", "Support, yearly", "Valve",
    "Data Logger", "Pump Ø 40 mm", "Licence", "Filter", "Kabel 3 m", "Bracket ½″", "Consulting Hour",
)  # fmt: skip


def long_text(length: int) -> str:
    """Return a text of exactly `length` characters, with paragraphs, like pasted minutes."""
    paragraph = "\n".join(text for text in TEXTS if text.isascii() or "é" in text) + "\n\n"
    text = (paragraph * (length // len(paragraph) + 1))[: length - 1]
    return f"{text}."


def addresses(prefix: str, *, with_codes: bool) -> list[dict[str, Any]]:
    """Return parts of a row for the compound field `<prefix>Address`: whole, partial and null.

    Rows share the compound object: do not change it in place.
    """
    whole = [_address(prefix, place, with_codes=with_codes, with_position=True) for place in PLACES]
    unplaced = [_address(prefix, place, with_codes=with_codes, with_position=False) for place in PLACES]
    country_only = [_country(prefix, place, with_codes=with_codes) for place in PLACES[::5]]
    return [*whole, *whole, *unplaced, *country_only, *({} for _ in range(8))]


def _address(prefix: str, place: tuple[Any, ...], *, with_codes: bool, with_position: bool) -> dict[str, Any]:
    street, city, state, state_code, postal_code, country, country_code, latitude, longitude = place
    parts: dict[str, Any] = {"City": city, "Country": country, "PostalCode": postal_code, "State": state}
    parts["Street"] = street
    if with_position:
        parts |= {"Latitude": latitude, "Longitude": longitude, "GeocodeAccuracy": "Address"}
    if with_codes:
        parts |= {"CountryCode": country_code, "StateCode": state_code}
    return compounded(prefix, parts, with_codes=with_codes)


def _country(prefix: str, place: tuple[Any, ...], *, with_codes: bool) -> dict[str, Any]:
    parts = {"Country": place[5]} | ({"CountryCode": place[6]} if with_codes else {})
    return compounded(prefix, parts, with_codes=with_codes)


def compounded(prefix: str, parts: dict[str, Any], *, with_codes: bool) -> dict[str, Any]:
    """Return the parts as columns, and the compound column with the API's order of keys."""
    names = ["City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street"]
    if with_codes:
        names += ["CountryCode", "StateCode"]
    whole = {name[0].lower() + name[1:]: parts.get(name) for name in sorted(names)}
    return {prefix + name: value for name, value in parts.items()} | {f"{prefix}Address": whole}


def firms() -> list[str]:
    """Return some six thousand company names; neighbours differ."""
    names = [f"{head} {middle} {tail}" for tail in FIRM_TAILS for middle in FIRM_MIDDLES for head in FIRM_HEADS]
    return [names[index * STRIDE % len(names)] for index in range(len(names))]
