"""The invented shop: what it sells, who buys there, which rules it has, and what its systems answer."""

import random
import struct
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SHOP = "Birk & Barrow"


@dataclass(frozen=True)
class Product:
    sku: str
    name: str
    short: str
    price: float
    freight: bool = False


@dataclass(frozen=True)
class Customer:
    id: str
    name: str
    email: str
    street: str
    postal_code: str
    city: str
    locale: str

    @property
    def first(self):
        return self.name.split()[0]


PRODUCTS = {
    product.sku: product
    for product in [
        Product("PL-060", "Aquifer self-watering planter, 60 cm", "planter", 54.90),
        Product("SAW-21", "Kestrel folding pruning saw", "pruning saw", 38.50),
        Product("WRM-03", "Underfoot worm composter, three trays", "worm composter", 89.00),
        Product("LIV-500", "Composting worms, 500 g", "worms", 27.00),
        Product("BED-12", "Cedar raised bed, 120 × 80 cm", "raised bed", 149.00, freight=True),
        Product("CF-74", "Thimble cold frame", "cold frame", 74.00),
        Product("DRP-20", "Drizzle drip irrigation kit, 20 m", "irrigation kit", 62.40),
        Product("HOSE-C", "Rubber hose, cut to length", "hose", 31.20),
        Product("BAR-200", "Cooper rain barrel, 200 l", "rain barrel", 118.00, freight=True),
        Product("LAN-3", "Firefly solar lanterns, set of three", "lanterns", 42.00),
        Product("WX-9", "Barley weather station", "weather station", 96.00),
        Product("LAV-12", "Lavender 'Hidcote', tray of twelve", "lavender", 33.60),
        Product("GLV-L", "Tern leather gauntlets", "gauntlets", 29.50),
        Product("TUN-66", "Willow bean tunnel", "bean tunnel", 66.00),
        Product("SEED-M", "Hedgerow seed box, monthly", "seed box", 14.90),
    ]
}

_PEOPLE = """
Maren Okafor|4 Quarry Rise|D04 K7X2|Dublin|en-IE
Tobias Lindqvist|17 Mill Bank|BN7 2QA|Lewes|en-GB
Priya Raman|82 Alma Terrace|BS6 5TT|Bristol|en-GB
Gwen Pritchard|2 Chapel Row|SY23 1LN|Aberystwyth|en-GB
Dominic Achterberg|61 Harbour Street|T12 RX8A|Cork|en-IE
Leila Haddad|9 Orchard Close|OX4 1PL|Oxford|en-GB
Callum Fairweather|33 Shore Road|KW1 4YT|Wick|en-GB
Ines Duarte|14 Fountain Court|M20 6RB|Manchester|en-GB
Ruth Abernathy|120 Long Acre|EH9 2BX|Edinburgh|en-GB
Samir Kovač|5 Tanner's Yard|NR2 1DD|Norwich|en-GB
Beatrix Holm|28 Weir Lane|GL5 3PQ|Stroud|en-GB
Owen Mbeki|7 Signal Cottages|LA9 4DU|Kendal|en-GB
Fiona Castellane|46 St Brannock's|EX33 1JZ|Braunton|en-GB
Hugo Verbeek|11 Rope Walk|TR18 4AB|Penzance|en-GB
Noor Siddiqui|3 Palm Grove|LE2 1XP|Leicester|en-GB
Agnes Thorvald|19 Castle Wynd|IV1 1AA|Inverness|en-GB
Declan Moriarty|55 Strand Road|F91 Y2C3|Sligo|en-IE
Yasmin Clarke|8 Elder Street|E1 6BT|London|en-GB
Bram Oosterhuis|22 Hop Gardens|CT1 2NE|Canterbury|en-GB
Nell Whitcombe|1 Drovers' Lane|HR9 5JB|Ross-on-Wye|en-GB
Jakob Steinmeyer|Lindenhof 12|04229|Leipzig|de-DE
Annegret Pohl|Am Deich 3|26871|Papenburg|de-DE
Camille Roussel|6 rue des Lavoirs|37000|Tours|fr-FR
Nuria Belmonte|Calle del Olmo 18|44001|Teruel|es-ES
佐々木 遥|若葉町 2-14|980-0011|仙台市|ja-JP
"""
CUSTOMERS = []
for _number, _line in enumerate(_PEOPLE.strip().splitlines()):
    _name, _street, _code, _city, _locale = _line.split("|")
    _login = _name.lower().replace(" ", ".").replace("č", "c") if _name.isascii() or "č" in _name else "haruka"
    CUSTOMERS.append(
        Customer(f"cus_{2040 + 37 * _number}", _name, f"{_login}@example.com", _street, _code, _city, _locale)
    )

ARTICLES = {
    "KB-204": {
        "title": "Returns and refunds",
        "status": "current",
        "text": "Unused goods may come back within 45 days of delivery. After day 45 there is no refund, exchange or "
        "voucher, and agents cannot make exceptions. The return label costs €4.50, deducted once per return, unless "
        "the goods were faulty or wrong. Refunds go to the original payment method within 5 working days of arrival.",
    },
    "KB-077": {
        "title": "Returns and refunds (archived)",
        "status": "archived, replaced by KB-204",
        "text": "Unused goods may come back within 30 days of delivery. The return label costs €6.00.",
    },
    "KB-211": {
        "title": "Live goods: plants, worms, insects",
        "status": "current",
        "text": "Live goods cannot be returned. If they arrive dead or wilted, the customer reports it within 5 days of "
        "delivery with a photo and chooses a replacement or a refund. Later reports cannot be accepted.",
    },
    "KB-118": {
        "title": "Changing or cancelling an order",
        "status": "current",
        "text": "Address changes and cancellations are possible until the order is packed. From then on only the carrier "
        "can redirect a parcel; the customer may also refuse it at the door and is refunded when it is back.",
    },
    "KB-102": {
        "title": "Who may hear about an order",
        "status": "current",
        "text": "Before sharing or changing anything about an order, verify order number and postal code. Only the person "
        "who placed the order may hear about it, not family, neighbours or colleagues.",
    },
    "KB-230": {
        "title": "Guarantee",
        "status": "current",
        "text": "Hand tools 3 years, electronics 2 years, cedar 10 years against rot. Under guarantee we replace; we do "
        "not pay out money. Wear of blades and batteries is not covered.",
    },
    "KB-241": {
        "title": "Price drops and codes",
        "status": "current",
        "text": "If our own price falls within 14 days of the purchase, the difference is credited as a voucher. One code "
        "per order; expired codes cannot be honoured; codes cannot be added after the purchase.",
    },
    "KB-250": {
        "title": "Delivery",
        "status": "current",
        "text": "Parcels take 2–4 working days, free from €60. Raised beds and barrels go by freight, by appointment, "
        "within 10 working days. Tell customers only what tracking shows; never estimate a date.",
    },
    "KB-260": {
        "title": "Seed box subscription",
        "status": "current",
        "text": "Boxes go out on the 10th. A subscription can be paused for up to 3 months or ended until the 5th for the "
        "month at hand. Gift vouchers can pay for a box.",
    },
    "KB-270": {
        "title": "When to hand over to a person",
        "status": "current",
        "text": "Hand over in case of injury, legal threats, disputed or double payments, and when a customer asks a second "
        "time for a person. Everything else is solved in the chat.",
    },
    "KB-281": {
        "title": "Worm composting through the winter",
        "status": "current",
        "text": "Worms slow down under 8 °C and die under 0 °C. Move the composter to a shed or wrap it; feed half; keep "
        "bedding damp, not wet. Ready after 4–6 months.",
    },
}

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}


def spoken(moment):
    """Return a date as the dialogues say it: 3 November."""
    return f"{moment.day} {_MONTHS['en'].split()[moment.month - 1]}"


def spoken_in(moment, language):
    """Return a date in German, French, Spanish or Japanese."""
    if language == "ja":
        return f"{moment.month}月{moment.day}日"
    month = _MONTHS[language].split()[moment.month - 1]
    return {"de": f"{moment.day}. {month}", "fr": f"{moment.day} {month}", "es": f"{moment.day} de {month}"}[
        language
    ]


def euros(amount):
    return f"€{amount:.2f}"


@dataclass
class Case:
    """What one conversation is about. `use` counts the uses of its scenario, so that wording does not repeat."""

    number: int
    use: int
    start: datetime
    customer: Customer
    rng: random.Random
    order_number: str = field(init=False)
    parcel: str = field(init=False)
    card: str = field(init=False)

    def __post_init__(self):
        self.order_number = f"BB-{self.rng.randrange(61000, 98000)}"
        self.parcel = f"RM{self.rng.randrange(10**9, 10**10)}"
        self.card = f"card ending {self.rng.randrange(1000, 9999)}"

    def pick(self, *options):
        """Return this use's wording."""
        return options[self.use % len(options)]

    def product(self, *skus):
        return PRODUCTS[self.pick(*skus)]

    def ago(self, days):
        return self.start - timedelta(days=days)

    def ahead(self, days):
        return self.start + timedelta(days=days)

    def order(self, *products, status="delivered", placed=9, delivered=5, **extra):
        """What get_order returns. `placed` and `delivered` are days ago."""
        total = round(sum(product.price for product in products), 2)
        freight = any(product.freight for product in products)
        shipping = 0.0 if total >= 60 else 4.90
        order = {
            "order_number": self.order_number,
            "status": status,
            "placed_on": self.ago(placed).date().isoformat(),
            "days_since_order": placed,
            "customer": {"id": self.customer.id, "name": self.customer.name, "email": self.customer.email},
            "ship_to": f"{self.customer.street}, {self.customer.postal_code} {self.customer.city}",
            "lines": [
                {"sku": item.sku, "name": item.name, "quantity": 1, "unit_price_eur": item.price}
                for item in products
            ],
            "shipping_eur": shipping,
            "total_eur": round(total + shipping, 2),
            "payment": self.card,
            "carrier": "Hollow Lane Freight" if freight else "Rivermoor Parcel",
        }
        if status in ("shipped", "delivered"):
            order["parcel_id"] = self.parcel
        if status == "delivered":
            # Nobody should have to count days to judge a return.
            order["delivered_on"] = self.ago(delivered).date().isoformat()
            order["days_since_delivery"] = delivered
        return order | extra

    def tracking(self, *events, state="in transit", expected=None):
        """What track_parcel returns; events are (days ago, text)."""
        return {
            "parcel_id": self.parcel,
            "carrier": "Rivermoor Parcel",
            "state": state,
            "expected_on": self.ahead(expected).date().isoformat() if expected is not None else None,
            "events": [
                {"at": self.ago(days).isoformat(timespec="minutes"), "text": text} for days, text in events
            ],
        }


def mistyped(order_number):
    """Return the order number with two neighbouring digits swapped, as models and people do."""
    digits = order_number[3:]
    for place in range(len(digits) - 2, -1, -1):
        if digits[place] != digits[place + 1]:
            swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
            return order_number[:3] + swapped
    return order_number[:3] + digits[:-1] + str((int(digits[-1]) + 1) % 10)


def draw_photo(subject, seed, width=160, height=104):
    """Return a small PNG of cracked terracotta or of soil with worms, drawn here: the repository carries no picture."""
    rng = random.Random(seed)
    lines = []
    count, step = (1, 2) if subject == "crack" else (4, 1)
    for number in range(count):
        line, column = [], width * (number + 1) // (count + 1)
        for _ in range(height):
            column = max(4, min(width - 5, column + rng.randint(-step, step)))
            line.append(column)
        lines.append(line)
    ground, mark = ((188, 104, 70), (44, 26, 20)) if subject == "crack" else ((66, 48, 36), (196, 128, 116))
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            grain = (x * 7 + y * 13) % 11 - 5 + y // 6
            on_line = any(abs(x - line[y]) <= 1 for line in lines) and (subject == "crack" or 20 < y < 80)
            rows += bytes(mark if on_line else (max(0, min(255, part + grain)) for part in ground))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
