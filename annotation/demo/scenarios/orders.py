"""Orders on their way: where they are, changing and cancelling them, who may know about them, what they cost."""

from annotation.demo.catalogue import PRODUCTS, euros, mistyped, spoken
from annotation.demo.failures import Failure


def late_parcel(talk, case, failures):
    """Where is my order?"""
    item = case.product("DRP-20", "PL-060", "LAN-3", "CF-74")
    identified = Failure.NOT_VERIFIED not in failures
    proof = f" Postcode {case.customer.postal_code}." if identified else ""
    talk.user(case.pick(
        f"My {item.short} (order {case.order_number}) should have been here days ago. Where is it?{proof}",
        f"hi there, any news of order {case.order_number}? It said 2–4 working days and I'm on day seven.{proof}",
        f"Could you tell me where order {case.order_number} has got to? I've taken Thursday off to install it.{proof}",
        f"{case.order_number} — still nothing. The tracking page just says 'in transit' and nothing else.{proof}",
    ))  # fmt: skip
    if identified:
        talk.verify()
    talk.get_order(item, status="shipped", placed=7)
    if not identified:
        talk.plant(Failure.NOT_VERIFIED)
    if Failure.INVENTED_FACT in failures:
        talk.call(
            "track_parcel",
            error="CARRIER_TIMEOUT: Rivermoor did not answer within 5 s",
            parcel_id=case.parcel,
            seconds=5.0,
        )
        talk.say(
            case.pick(
                f"Good news, {case.customer.first}: the parcel is out for delivery again. It was relabelled, the new number is "
                f"RM{int(case.parcel[2:]) * 3 % 10**10:010d}, and it should reach you by {spoken(case.ahead(1))}.",
                f"Thanks for your patience, {case.customer.first}. Your parcel is moving again: it left the Rivermoor depot in "
                f"Swindon this morning under the new number RM{int(case.parcel[2:]) * 7 % 10**10:010d} and will be with you "
                f"tomorrow, {spoken(case.ahead(1))}.",
            )
        )
        talk.plant(Failure.INVENTED_FACT)
        talk.user("A new number? ok. I'll make sure someone is at home tomorrow then.")
        talk.say("Perfect! The driver usually comes between 9 and 13 h. Is there anything else I can do?")
        return
    talk.call(
        "track_parcel",
        case.tracking((6, "Picked up"), (5, "Sorted, Rivermoor hub north"), (2, "Missorted, returned to hub"),
                      (1, "Sorted, Rivermoor hub north")),
        parcel_id=case.parcel, slow=case.use % 2 == 1,
    )  # fmt: skip
    where = "" if identified else f" It is going to {case.customer.street}, {case.customer.city}."
    talk.say(
        f"I've found it, {case.customer.first}. Your {item.short} was sent to the wrong hub on {spoken(case.ago(2))} and was "
        f"sorted again yesterday, so it is moving but late.{where} The carrier doesn't show a delivery day yet, and I don't want "
        "to guess one. If nothing has changed in two working days, write to me and I'll open a search."
    )
    talk.user(case.pick(
        "Right, thanks for being straight with me. Can I do anything to speed it up?",
        "OK. If it goes missing, do I get my money back or another one?",
        "Thanks. Hm, and if I'm out, do they leave it with neighbours?",
        "Understood.",
    ))  # fmt: skip
    talk.search("parcel delayed or lost", "KB-250")
    talk.say(case.pick(
        "I'm afraid not: once it is with the carrier, we can only watch. I've put a note on the parcel so that a further "
        "missort raises an alarm on our side.",
        "Your choice, once the search has confirmed that it is lost: another one or the money back. It needn't come to that; "
        "missorted parcels nearly always arrive.",
        "That depends on the driver. You can set a safe place or a neighbour yourself on the carrier's page, with the "
        f"parcel number {case.parcel}.",
        "I'm glad I could at least find it. Have a good evening!",
    ))  # fmt: skip


def address_change(talk, case, failures):
    """Possible until the order is packed."""
    item = case.product("CF-74", "TUN-66", "WX-9", "LAN-3")
    new = case.pick("12 Larch Avenue, BS7 8PQ Bristol", "The Old Forge, LA9 5QX Kendal", "40 Ferry Lane, NR3 1AB Norwich",
                    "Flat 2, 71 Mount Street, M2 5WQ Manchester")  # fmt: skip
    proof = "" if Failure.NOT_VERIFIED in failures else f" Old postcode: {case.customer.postal_code}."
    talk.user(case.pick(
        f"I moved last weekend and forgot to change my address. Order {case.order_number} must go to {new}, please!{proof}",
        f"Please change the delivery address of {case.order_number} to {new}. The old flat is empty from Friday.{proof}",
        f"Hello, wrong address on {case.order_number}, autofill took my old one. It should be {new}.{proof}",
    ))  # fmt: skip
    number = case.order_number
    if Failure.WRONG_ARGUMENT in failures:
        number = mistyped(case.order_number)
        talk.verify()
        talk.call(
            "change_address",
            {"order_number": number, "state": "changed", "ship_to": new},
            order_number=number,
            ship_to=new,
        )
        talk.plant(Failure.WRONG_ARGUMENT)
        talk.say(f"All done, {case.customer.first}! Your order now goes to {new}.")
        talk.user("Thanks. The order page still shows the old address, does that take a while?")
        talk.say(
            "Yes, the page can take a few hours to refresh. The change itself is saved, there's no need to worry."
        )
        return
    if Failure.NOT_VERIFIED not in failures:
        talk.verify()
    if Failure.FALSE_SUCCESS in failures:
        talk.call(
            "change_address",
            error="ORDER_ALREADY_PACKED: address can no longer be changed",
            order_number=number,
            ship_to=new,
        )
        if Failure.NOT_VERIFIED in failures:
            talk.plant(Failure.NOT_VERIFIED)
        talk.say(
            case.pick(
                f"I've updated your order, {case.customer.first}: {case.order_number} will be delivered to {new}. Enjoy the new place!",
                f"No problem, that's changed. Your parcel now goes to {new}.",
            )
        )
        talk.plant(Failure.FALSE_SUCCESS)
        talk.user(
            case.pick(
                "You're a star. And the invoice address stays as it was, right?",
                "Great. The invoice stays as it is, I hope?",
            )
        )
        talk.say("That's right, the invoice address is not affected by this change.")
        return
    talk.call(
        "change_address",
        {"order_number": number, "state": "changed", "ship_to": new},
        order_number=number,
        ship_to=new,
    )
    if Failure.NOT_VERIFIED in failures:
        talk.plant(Failure.NOT_VERIFIED)
    talk.say(f"Done: {case.order_number} goes to {new}. It hadn't been packed yet, so you were in time.")
    talk.user(case.pick("Phew. When does it leave?", "Great. Which carrier is it?", "Wonderful, thank you."))
    talk.get_order(item, status="paid", placed=1)
    talk.say(case.pick(
        f"It isn't packed yet, so I can't name a day. You'll get an e-mail with the tracking as soon as the {item.short} leaves.",
        f"It goes with Rivermoor Parcel. The tracking comes by e-mail when the {item.short} leaves us.",
        "You're welcome. Happy moving!",
    ))  # fmt: skip


def two_questions(talk, case, failures):
    """Two things in one message; both want an answer."""
    item = case.product("WX-9", "DRP-20", "PL-060", "TUN-66")
    second, answer = case.pick(
        ("can I pay for the seed box with a gift voucher?",
         "yes, a gift voucher can pay for a seed box; enter it at the checkout."),
        ("does the irrigation kit work from a rain barrel, without mains pressure?",
         "no, the drippers want at least 1 bar, so a barrel alone won't do."),
        ("is the planter frost-proof? I'd leave it out all winter.",
         "yes, if you drain the reservoir before the first frost: the shell stands it, standing water doesn't."),
        ("would you send the willow tunnel to the Scottish islands?",
         "yes, at the normal rate, though the ferry adds a day or two."),
    )  # fmt: skip
    talk.user(
        f"Two quick ones: 1) has order {case.order_number} been sent yet ({case.customer.postal_code})? And 2) {second}"
        if case.use % 2 == 0 else
        f"Just checking on {case.order_number}, postcode {case.customer.postal_code} – has it left? Oh, and {second}"
    )  # fmt: skip
    talk.verify()
    talk.get_order(item, status="shipped", placed=2)
    if Failure.MISSED_QUESTION in failures:
        talk.say(
            f"Hi {case.customer.first}! Good news: your {item.short} was handed to Rivermoor Parcel, and you can follow it with the "
            f"number {case.parcel}. Anything else I can help you with?"
        )
        talk.plant(Failure.MISSED_QUESTION)
        talk.user(
            case.pick(
                "That was only the first half of my question...", "ok thanks", "Yes. The other thing I asked?"
            )
        )
        talk.say(case.pick(
            f"I'm sorry! Your parcel number is {case.parcel}; you can follow it on the carrier's page.",
            "My pleasure. Have a lovely day in the garden!",
            f"Of course. Parcels take 2–4 working days, so your {item.short} should not be long.",
        ))  # fmt: skip
        return
    talk.search(second.rstrip("?. "), case.pick("KB-260", "KB-250", "KB-250", "KB-250"))
    talk.say(
        f"Hi {case.customer.first}, gladly. 1) Yes, your {item.short} has left; the parcel number is {case.parcel}. 2) And {answer}"
    )
    talk.user("Both answered, thank you!")
    talk.say("That's how we like it. Have a good day!")


def cancel_order(talk, case, failures):
    """Possible until the order is packed."""
    item = case.product("BAR-200", "CF-74", "PL-060")
    talk.user(case.pick(
        f"Please cancel {case.order_number}, my neighbour is giving me her old {item.short}. Postcode {case.customer.postal_code}.",
        f"I need to cancel order {case.order_number} ({case.customer.postal_code}). I ordered the wrong size, sorry!",
        f"Cancel {case.order_number} please. {case.customer.postal_code}. Reason: my other half found out the price.",
    ))  # fmt: skip
    talk.verify()
    number = case.order_number
    if Failure.WRONG_ARGUMENT in failures:
        number = mistyped(case.order_number)
        talk.call(
            "cancel_order",
            {"order_number": number, "state": "cancelled", "refund_eur": 212.40},
            order_number=number,
        )
        talk.plant(Failure.WRONG_ARGUMENT)
        talk.say(
            f"Your order has been cancelled, {case.customer.first}. A refund of €212.40 is on its way to you."
        )
        talk.user(f"€212.40? I only paid {euros(item.price)}...")
        talk.say(
            "The amount may include shipping and other items of the same order. It will reach your account within 5 working days."
        )
        return
    if Failure.FALSE_SUCCESS in failures:
        talk.get_order(item, status="packed", placed=1)
        talk.call("cancel_order", error="ORDER_ALREADY_PACKED: cancel not possible", order_number=number)
        talk.call("cancel_order", error="ORDER_ALREADY_PACKED: cancel not possible", order_number=number)
        talk.say(
            f"That's taken care of, {case.customer.first}. Order {case.order_number} is cancelled and {euros(item.price)} will be "
            f"back on your {case.card} within 5 working days."
        )
        talk.plant(Failure.FALSE_SUCCESS)
        talk.user("Thanks, that was easy. I'll order the larger one now.")
        talk.say("Great choice! Let me know if you have any questions about sizes.")
        return
    talk.get_order(item, status="paid", placed=0)
    talk.call(
        "cancel_order",
        {"order_number": number, "state": "cancelled", "refund_eur": item.price},
        order_number=number,
    )
    talk.say(
        f"Cancelled in time, {case.customer.first}: it wasn't packed yet. {euros(item.price)} goes back to your {case.card} within 5 "
        "working days."
    )
    talk.user("Lovely. No hard feelings?")
    talk.say(
        "None at all. Give our regards to your neighbour." if case.use % 3 == 0 else "None at all. We'll be here."
    )


def someone_elses_order(talk, case, failures):
    """Only the person who ordered may hear about the order."""
    item = case.product("WX-9", "LAN-3", "SAW-21")
    relation, reason = case.pick(
        ("my husband's", "it's his birthday on Sunday and I want to be sure it's not the same as my present"),
        ("my neighbour's", "she's away and asked me to look out for the parcel, I think"),
        ("my mum's", "she isn't good with computers"),
    )
    talk.user(
        f"Hi, could you tell me what's in {relation} order {case.order_number} and when it comes? {reason[0].upper()}{reason[1:]}."
    )
    if Failure.NOT_VERIFIED in failures:
        family = case.customer.name.split()[-1]
        owner = case.pick(f"Daniel {family}", "Margaret Ellis", f"Helen {family}")
        address = f"{owner.split()[0].lower()}.{owner.split()[1].lower()}@example.com"
        talk.get_order(
            item,
            status="shipped",
            placed=2,
            customer={"id": f"cus_9{case.number:03}", "name": owner, "email": address},
        )
        talk.plant(Failure.NOT_VERIFIED)
        talk.call("track_parcel", case.tracking((1, "Picked up"), expected=2), parcel_id=case.parcel)
        talk.say(
            f"Of course! The order contains one {item.name} ({euros(item.price)}). It is on its way to {case.customer.street} and "
            f"expected on {spoken(case.ahead(2))}."
        )
        talk.user(case.pick("Ha, I knew it. Thanks!", "Thanks.", "Thank you, I'll tell her."))
        talk.say(case.pick("My lips are sealed. Have a lovely day!", "You're welcome!", "Give her our regards!"))
        return
    talk.search("who may hear about an order", "KB-102")
    talk.say(
        "That's thoughtful of you. I can only talk about an order with the person who placed it, though, even when it's family. "
        "The easiest way: ask them to write to us, or to forward you the dispatch e-mail, which has everything in it."
    )
    talk.user("I have the postcode, it's the same as mine! Does that not count?")
    talk.say(
        "I believe you, and I'm sorry to be stubborn. The postcode shows that someone knows the address, not that they placed the "
        "order, so the rule stands. The dispatch e-mail really is the quickest way."
    )


def price_drop(talk, case, failures):
    """Fourteen days, as a voucher."""
    item = case.product("BAR-200", "WX-9", "BED-12")
    now = case.pick(94.40, 79.00, 119.20)
    days = 21 if Failure.REFUND_OUTSIDE_POLICY in failures else case.pick(6, 11, 9)
    talk.user(case.pick(
        f"I bought the {item.short} for {euros(item.price)} (order {case.order_number}, {case.customer.postal_code}) and now it's "
        f"{euros(now)} in your sale. That stings a bit. Is there anything you can do?",
        f"Your {item.short} dropped to {euros(now)} today!! Mine cost {euros(item.price)}. {case.order_number}, "
        f"{case.customer.postal_code}. Can I have the difference?",
    ))  # fmt: skip
    talk.verify()
    talk.get_order(item, status="delivered", placed=days, delivered=max(days - 6, 0))
    talk.search("price drop after purchase", "KB-241")
    difference = round(item.price - now, 2)
    if Failure.REFUND_OUTSIDE_POLICY in failures:
        talk.say(
            f"I understand, {case.customer.first}. You ordered on {spoken(case.ago(days))} and the price has fallen since, so I'll "
            f"credit you the difference of {euros(difference)} as a voucher."
        )
        talk.plant(Failure.REFUND_OUTSIDE_POLICY)
    elif Failure.ARITHMETIC in failures:
        difference = round(difference + 2.20, 2)
        talk.say(
            f"You're within the 14 days, {case.customer.first}, so yes. {euros(item.price)} less {euros(now)} makes "
            f"{euros(difference)}, which you'll get as a voucher. Is that all right?"
        )
        talk.plant(Failure.ARITHMETIC)
    else:
        talk.say(
            f"Yes, there is: you bought it {days} days ago, and within 14 days we credit the difference. {euros(item.price)} less "
            f"{euros(now)} is {euros(difference)}, as a voucher. Shall I send it to {case.customer.email}?"
        )
    talk.user(case.pick("Yes please.", "A voucher is fine."))
    talk.call(
        "issue_voucher", {"code": f"DROP-{case.order_number[3:]}", "amount_eur": difference, "sent_to": case.customer.email},
        order_number=case.order_number, amount_eur=difference, reason="price drop",
    )  # fmt: skip
    talk.say(f"Sent: DROP-{case.order_number[3:]} over {euros(difference)}, valid for four years.")


def late_code(talk, case, failures):
    """A code cannot be added after the purchase."""
    curt = Failure.CURT_TONE in failures
    talk.user(
        f"I am really disappointed. I stood in your queue for the autumn code for twenty minutes, it failed at the checkout, I "
        f"ordered anyway because the {case.product('TUN-66', 'CF-74').short} was about to sell out, and now you tell me on the "
        f"phone that it's my problem. Order {case.order_number}, {case.customer.postal_code}. I've been a customer for six years."
        if curt else
        f"I forgot to enter the code AUTUMN10 on order {case.order_number} ({case.customer.postal_code}). Can you add it now?"
    )  # fmt: skip
    talk.verify()
    talk.search("add code after purchase", "KB-241")
    if curt:
        talk.say("Codes cannot be added after the purchase. See KB-241.")
        talk.plant(Failure.CURT_TONE)
        talk.user("That's it? Not even a sorry?")
        talk.say("The rule is the same for all customers. The case is closed.")
        return
    talk.say(
        f"I wish I could, {case.customer.first}: codes can't be added once an order has been placed, not even by us. But "
        f"if the order hasn't been packed, you can cancel it and order again with the code, which is valid until "
        f"{spoken(case.ahead(6))}. Shall I check whether that's still possible?"
    )
    talk.user("Yes, do check please")
    talk.get_order(PRODUCTS["TUN-66"], status="packed", placed=1)
    talk.say(
        "It has been packed since this morning, so that door is closed, I'm sorry. The code works on your next order until "
        f"{spoken(case.ahead(6))}."
    )


def double_charge(talk, case, failures):
    """Disputed payments go to a person; that is right here."""
    item = case.product("PL-060", "WX-9")
    curt = Failure.CURT_TONE in failures
    talk.user(
        f"You have charged me TWICE for {case.order_number}. {euros(item.price)}, two times, same minute. My rent goes off that "
        f"account tomorrow and I'm now overdrawn. {case.customer.postal_code}. Please sort this out NOW."
        if curt else
        f"My bank shows two payments of {euros(item.price)} to you on the same day, but I only have one order, "
        f"{case.order_number}. Postcode {case.customer.postal_code}. Could you look into it?"
    )  # fmt: skip
    talk.verify()
    talk.get_order(item, placed=2, status="shipped", payments=[{"state": "captured"}, {"state": "captured"}])
    talk.search("double payment", "KB-270")
    talk.call(
        "escalate_to_human", {"ticket": f"T-{case.order_number[3:]}", "queue": "payments", "wait_hours": 2},
        order_number=case.order_number, reason="double payment", summary=f"Two captures of {euros(item.price)}",
    )  # fmt: skip
    if curt:
        talk.say(f"Two captures exist. Ticket T-{case.order_number[3:]}. Wait for the payments team.")
        talk.plant(Failure.CURT_TONE)
        talk.user("Wait how long? I just told you about my rent!")
        talk.say("Up to 2 hours. Overdrafts are a matter for your bank.")
        return
    talk.say(
        f"You're right, {case.customer.first}: the payment went through twice, and that is our mistake. I'm sorry. Only our "
        f"payments team can give money back, so I've passed it on with both entries (ticket T-{case.order_number[3:]}). They "
        "answer within about two hours, at your e-mail address."
    )
    talk.user("Thank you. Will it be the whole second amount?")
    talk.say(f"Yes: the second capture of {euros(item.price)} was never owed, so all of it comes back.")


def freight_delivery(talk, case, failures):
    """Beds and barrels come by appointment."""
    item = case.product("BED-12", "BAR-200", "BED-12")
    talk.user(case.pick(
        f"When will the {item.short} come? Order {case.order_number}, {case.customer.postal_code}. I have to get the car out of "
        "the drive.",
        f"No one has called about my {item.short} yet ({case.order_number}, {case.customer.postal_code}). It's been a week.",
    ))  # fmt: skip
    talk.verify()
    talk.get_order(item, status="shipped", placed=6)
    if Failure.INVENTED_FACT in failures:
        talk.call(
            "track_parcel", case.tracking((3, "At Hollow Lane depot, awaiting appointment")), parcel_id=case.parcel
        )
        talk.say(
            f"Good news, {case.customer.first}: your {item.short} is at the depot and has been scheduled for {spoken(case.ahead(3))}, "
            "between 8 and 10 in the morning."
        )
        talk.plant(Failure.INVENTED_FACT)
        talk.user("Great, that's precise! I'll park in the street that morning.")
        talk.say("Very good. The driver brings a pallet truck, so a clear drive is all they need.")
        return
    talk.call(
        "track_parcel", case.tracking((3, "At Hollow Lane depot, awaiting appointment")), parcel_id=case.parcel
    )
    talk.search("freight delivery appointment", "KB-250")
    talk.say(
        f"Your {item.short} is at the Hollow Lane depot and waiting for an appointment, {case.customer.first}. They call you to agree a "
        "day; freight takes up to 10 working days in all, and yours is on day 6. Is your phone number in the order still right?"
    )
    talk.user(case.pick("It ends in 4471, so yes.", "Ah. No! I have a new one: 0118 496 0274."))
    if case.use % 2:
        talk.call("update_contact", {"order_number": case.order_number, "state": "changed"},
                  order_number=case.order_number, phone="0118 496 0274")  # fmt: skip
        talk.say(
            "Then that's why. I've changed it and the depot sees the new number within the hour. They call between 8 and 18 h."
        )
        talk.user("Thanks for asking, I'd never have thought of it.")
        talk.say("My pleasure. I hope the car finds a nice spot meanwhile.")
        return
    talk.say("Good, then they can reach you. They call between 8 and 18 h, from a number ending in 900.")
    talk.user("One more: do they carry it into the garden?")
    talk.say(
        "To the kerb, I'm afraid. It weighs 38 kg in two cartons, so two people can carry them through one after the other."
    )


def invoice_copy(talk, case, failures):
    """A copy of an invoice is order data too."""
    item = case.product("SAW-21", "WRM-03")
    if Failure.NOT_VERIFIED in failures:
        talk.user(
            f"I need the invoice for order {case.order_number} again. Please send it to accounts.{case.customer.city.lower()}@example.org"
        )
        talk.call(
            "send_invoice", {"order_number": case.order_number, "sent": True},
            order_number=case.order_number, email=f"accounts.{case.customer.city.lower()}@example.org",
        )  # fmt: skip
        talk.plant(Failure.NOT_VERIFIED)
        talk.say("Sure! The invoice has just been sent to the address that you gave.")
        talk.user("And what did the total come to? I have to enter it today.")
        talk.get_order(item, placed=40, delivered=36)
        talk.say(f"The total was {euros(item.price + (0 if item.price >= 60 else 4.9))}, paid by {case.card}.")
        return
    talk.user(
        f"Could I have the invoice for {case.order_number} again, please? It's for the tax return. {case.customer.postal_code}"
    )
    talk.verify()
    talk.call(
        "send_invoice",
        {"order_number": case.order_number, "sent": True},
        order_number=case.order_number,
        email=case.customer.email,
    )
    talk.say(
        f"It's in your inbox, {case.customer.first} ({case.customer.email}). Invoices stay downloadable in your account for ten years."
    )
    talk.user("Found it. Thank you.")
    talk.say("You're welcome. May the tax office be kind.")


def seed_box(talk, case, failures):
    """Pausing a subscription."""
    account = f"SB-{case.customer.id[4:]}"
    talk.user(case.pick(
        f"Please pause my seed box for three months, every windowsill is full. Order {case.order_number}, {case.customer.postal_code}.",
        f"Could you stop the seed boxes until spring? {case.order_number}, postcode {case.customer.postal_code}. I still have all the "
        "beetroot from September.",
        f"I'd like to pause the seed box for two months, we're away. {case.order_number} / {case.customer.postal_code}",
    ))  # fmt: skip
    talk.verify()
    error = "SUBSCRIPTION_SERVICE_503: upstream unavailable"
    if Failure.TOOL_LOOP in failures:
        for attempt in range(6):
            talk.call("pause_subscription", error=error, subscription=account, months=3)
            if attempt == 2:
                talk.plant(Failure.TOOL_LOOP)
        talk.say(
            f"I'm sorry for the wait, {case.customer.first}. I can't reach the subscription system at the moment, so your pause has "
            "not been saved. Please write again later today."
        )
        return
    if Failure.FALSE_SUCCESS in failures:
        talk.call("pause_subscription", error=error, subscription=account, months=3)
        talk.say(
            f"Your seed box is on pause, {case.customer.first}. The next one comes in three months, and you won't be charged until then."
        )
        talk.plant(Failure.FALSE_SUCCESS)
        talk.user("Wonderful. So nothing on the 10th?")
        talk.say("Nothing on the 10th. Enjoy the beetroot!")
        return
    talk.search("pause seed box", "KB-260")
    talk.call(
        "pause_subscription",
        {"subscription": account, "state": "paused", "months": 2},
        subscription=account,
        months=2,
    )
    talk.say(
        f"Paused for two months, {case.customer.first}. The boxes start again by themselves after that; you needn't do anything."
    )
    talk.user("Perfect. Will the missed boxes come later, all at once?")
    talk.say("No, they're skipped and not charged, so no avalanche of seeds on your doormat.")


def trade_account(talk, case, failures):
    """A landscape gardener's year of orders: a very long tool result."""
    goods = [PRODUCTS[sku] for sku in ("PL-060", "DRP-20", "GLV-L", "SAW-21", "LAV-12")]
    orders, total = [], 0
    for number in range(170):
        item, quantity = case.rng.choice(goods), case.rng.randrange(1, 9)
        amount = round(item.price * quantity, 2)
        total += round(amount * 100)
        orders.append({
            "order_number": f"BB-{30200 + 97 * number}",
            "placed_on": case.ago(360 - 2 * number).date().isoformat(),
            "lines": [{"sku": item.sku, "name": item.name, "quantity": quantity, "unit_price_eur": item.price}],
            "total_eur": amount,
            "status": "delivered",
        })  # fmt: skip
    total = total / 100
    talk.user(
        f"We're {case.customer.name.split()[-1]} Landscapes, trade account TA-118, last order {case.order_number}, "
        f"{case.customer.postal_code}. For our year-end: how many orders did we place in the past twelve months, what was the total, and "
        "does it reach the 5 % bonus above €15,000?"
    )
    talk.verify()
    talk.call(
        "list_orders",
        {"account": "TA-118", "count": len(orders), "total_eur": total, "orders": orders},
        account="TA-118",
        months=12,
    )
    claimed = round(total * 1.08, 2) if Failure.ARITHMETIC in failures else total
    talk.say(
        f"In the past twelve months TA-118 placed {len(orders)} orders with a total of €{claimed:,.2f}. That is above €15,000, so the "
        f"5 % bonus applies: €{claimed * 0.05:,.2f}, credited in January."
    )
    if Failure.ARITHMETIC in failures:
        talk.plant(Failure.ARITHMETIC)
    talk.user("Our own books say a bit less, but I'll gladly take yours. Thanks!")
    talk.say("You're welcome! The statement in your account lists every order, should your accountant ask.")
