"""Goods that go back: returns in time and too late, live goods, breakage, guarantee."""

from annotation.demo.catalogue import euros, spoken
from annotation.demo.failures import Failure


def return_in_time(talk, case, failures):
    """Within the 45 days; the label is deducted once."""
    first = case.product("CF-74", "DRP-20", "TUN-66", "WX-9")
    second = case.product("GLV-L", "SAW-21", "LAN-3", "GLV-L")
    days = 38 if Failure.OUTDATED_ARTICLE in failures else case.pick(12, 38, 20, 41)
    talk.user(case.pick(
        f"Hi, I'd like to send back two things from order {case.order_number}: the {first.short} and the {second.short}. "
        f"Both still in their boxes. Postcode is {case.customer.postal_code}. How much do I get back?",
        f"hello, order {case.order_number}, {case.customer.postal_code}. The {first.short} doesn't fit where I wanted it "
        f"and the {second.short} was an impulse buy, honestly. Can both go back, and what will the refund come to?",
        f"Good evening. I ordered a {first.name} and {second.name} ({case.order_number}, postcode "
        f"{case.customer.postal_code}). We're moving to a flat without a garden after all, so neither is of any use. "
        "Unopened. What would be refunded, exactly?",
    ))  # fmt: skip
    talk.verify()
    talk.get_order(first, second, placed=days + 4, delivered=days)
    delivered = spoken(case.ago(days))
    if Failure.OUTDATED_ARTICLE in failures:
        talk.search("return window unused goods", "KB-077", "KB-204")
        talk.say(
            f"Thanks, {case.customer.first}. I can see that your order was delivered on {delivered}. Unfortunately our "
            f"return window is 30 days from delivery, and you are on day {days}, so I'm not able to accept these items "
            "back. I'm sorry about that."
        )
        talk.plant(Failure.OUTDATED_ARTICLE)
        talk.user(
            case.pick(
                "Hm. The card in the parcel says something about 45 days. Is that not the same thing?",
                "Really? I was sure it said 45 days when I ordered. That's most of the reason I wasn't in a hurry.",
                "That's a pity.",
            )
        )
        talk.say(
            "I understand the confusion. According to our help article on returns and refunds, unused goods may come back "
            "within 30 days of delivery. Is there anything else I can help with?"
        )
        return
    talk.search("return window and return label cost", "KB-204")
    goods = first.price + second.price
    due = goods - 4.50
    if Failure.ARITHMETIC in failures:
        talk.say(
            f"Happy to help, {case.customer.first}. Your order arrived on {delivered}, so you are well within the 45 days. "
            f"The goods come to {euros(goods)}. With the return label (€4.50 for each item) deducted, you will receive "
            f"{euros(goods - 9.90)} on your {case.card}. Shall I start the return?"
        )
        talk.plant(Failure.ARITHMETIC)
        due = goods - 9.90
    else:
        talk.say(
            f"Both can come back, {case.customer.first}: your order arrived on {delivered} and you have 45 days. That is "
            f"{euros(first.price)} + {euros(second.price)} = {euros(goods)}, less €4.50 for the label (once, for the "
            f"whole parcel), so {euros(due)} to your {case.card}. Shall I start the return?"
        )
    talk.user(
        case.pick(
            "Yes please, go ahead.", "Fine by me. Do it.", "Yes. One parcel for both is fine, I have the big box."
        )
    )
    talk.call(
        "start_return",
        {"return_number": f"RT-{case.order_number[3:]}", "label_sent_to": case.customer.email, "refund_eur": round(due, 2)},
        order_number=case.order_number, skus=[first.sku, second.sku], refund_eur=round(due, 2), reason="not needed",
    )  # fmt: skip
    talk.say(
        f"Done. The return label for RT-{case.order_number[3:]} is on its way to {case.customer.email}. Once the parcel is "
        f"back with us, {euros(due)} reaches your {case.card} within 5 working days."
    )


def return_too_late(talk, case, failures):
    """After day 45 there is nothing to give, however good the story."""
    item = case.product("WX-9", "TUN-66", "LAN-3", "PL-060", "DRP-20", "CF-74")
    days = case.pick(61, 52, 88, 47, 70, 58)
    story = case.pick(
        "I bought it for my father's birthday, but he was in hospital until last week and has never opened it.",
        "It's been sitting in the hall in its box since it came, we've had builders in.",
        "Turns out my sister had bought me the very same set. It has never been out of the wrapping.",
        "I know I'm a couple of days over, I was travelling for work and only just got home.",
        "I never got round to setting it up and, if I'm honest, I never will.",
        "The allotment committee has just banned them, of all things. It's unopened.",
    )
    question = ""
    if Failure.MISSED_QUESTION in failures:
        question = (
            " And, separately: do you still sell the spare wicks for the older planters? I couldn't find them."
        )
    talk.user(
        case.pick(
            f"Hello, can I return the {item.short} from order {case.order_number}? {story} My postcode is "
            f"{case.customer.postal_code}.",
            f"I'd like to send the {item.short} back. {story} Order {case.order_number}, {case.customer.postal_code}.",
            f"{story} Can I send the {item.short} back? {case.order_number} / {case.customer.postal_code}",
            f"Hi! About the {item.short} (order {case.order_number}, {case.customer.postal_code}). {story} Would a return "
            "still be possible?",
            f"order {case.order_number}, {case.customer.postal_code}: the {item.short}. {story} Could I give it back?",
        )
        + question
    )
    talk.verify()
    talk.get_order(item, placed=days + 3, delivered=days)
    arrived = spoken(case.ago(days))
    if Failure.REFUND_OUTSIDE_POLICY not in failures:
        talk.search("return after 45 days", "KB-204", "KB-230")
        talk.say(
            f"Thank you for telling me, {case.customer.first}. Your order with the {item.short} was delivered on {arrived}, {days} days ago. "
            "Returns are possible for 45 days, and I can't make an exception, so I have to say no to this one. If it "
            "turns out to be faulty, that is another matter: the guarantee then covers it, and I'd gladly help."
        )
        talk.user(case.pick("That's a shame. Not even a voucher?", "Couldn't you do a part refund at least?"))
        talk.say(
            "No, I'm afraid not, and I'd rather tell you plainly than keep you waiting for something I can't give. As it is "
            "unopened, you could pass it on with its guarantee: that belongs to the item, not to the buyer. Just keep the "
            "invoice with it."
        )
        return
    back = item.price - 4.50 if case.use in (1, 3) else item.price
    if case.use % 2 == 0:
        talk.search("return after 45 days", "KB-204")
    talk.say(case.pick(
        f"I'm so sorry to hear that, {case.customer.first}, and I hope he is on the mend. Given the circumstances I've made "
        f"an exception for you: please send the {item.short} back and we'll refund the full {euros(item.price)}.",
        f"No problem at all! I can see the {item.short} arrived on {arrived}. As it is still in its box, I'll set up a "
        f"return for you and {euros(back)} will go back to your {case.card}.",
        f"That does happen! As a gesture of goodwill I can offer you a voucher for the full {euros(item.price)} in exchange "
        f"for the {item.short}. Would you like me to set that up?",
        "Thanks for being upfront about it. You are only slightly outside the 45 days, so that's absolutely fine. "
        f"I'll arrange the return and you'll have {euros(back)} back within 5 working days.",
        f"I understand. Since the {item.short} is unused, I can refund it in full once it is back with us.",
        f"How annoying! I've noted that this was out of your hands. We'll take the {item.short} back and refund "
        f"{euros(item.price)} to your {case.card}.",
    ))  # fmt: skip
    talk.plant(Failure.REFUND_OUTSIDE_POLICY)
    if Failure.MISSED_QUESTION in failures:
        talk.plant(Failure.MISSED_QUESTION)
    talk.user(
        case.pick(
            "Oh, thank you, that's really kind. What do I have to do?",
            "Great, yes please.",
            "Brilliant. Next steps?",
        )
    )
    talk.call(
        "start_return",
        {"return_number": f"RT-{case.order_number[3:]}", "label_sent_to": case.customer.email, "override": "agent"},
        order_number=case.order_number, skus=[item.sku], refund_eur=back, reason="goodwill", override_window=True,
    )  # fmt: skip
    talk.say(
        case.pick(
            f"All set: the label is in your inbox ({case.customer.email}). Drop the parcel at any Rivermoor point and we'll "
            "take care of the rest.",
            f"Print the label that I've just sent to {case.customer.email}, stick it over the old one, and that's all.",
            f"The label is on its way to {case.customer.email}. No printer? Any Rivermoor point prints it from your phone.",
        )
    )


def live_goods(talk, case, failures):
    """Worms and plants: five days, with a photo."""
    item = case.product("LIV-500", "LAV-12", "LIV-500", "LAV-12")
    days = case.pick(2, 12, 3, 9) if Failure.REFUND_OUTSIDE_POLICY not in failures else case.pick(11, 12, 16, 9)
    worms = item.sku == "LIV-500"
    trouble = case.pick(
        "Most of them were dead when I opened the bag and the rest don't look as though they mean to stay.",
        "Eight of the twelve are brown right down to the soil.",
        "The bag had got hot, I think. It smells dreadful and nothing moves.",
        "They arrived limp, I watered them and hoped for the best, but it's over now.",
    )
    early = days <= 5
    talk.user(
        f"Order {case.order_number}, postcode {case.customer.postal_code}. The {item.short} came "
        f"{'on ' + spoken(case.ago(days)) if early else 'a while ago'}. {trouble} What can you do?"
        + (" Photo attached." if early else ""),
        photo="soil" if early else None,
    )
    if early:
        talk.guard()
    talk.verify()
    talk.get_order(item, placed=days + 2, delivered=days)
    talk.search("live goods arrived dead or wilted", "KB-211")
    if early:
        talk.say(
            case.pick(
                "Oh no, that is a sad parcel", "I'm sorry to see that", "Heat does that to them, I'm so sorry"
            )
            + f", {case.customer.first}. Thank you for the photo and for writing so quickly: you are "
            f"within the 5 days for live goods, so it's your choice. I can send fresh {item.short} "
            f"{'on the next cool-weather dispatch, Tuesday,' if worms else 'from the next tray'} or refund "
            f"{euros(item.price)}. Which would you like?"
        )
        talk.user(
            case.pick(
                "Fresh ones please. Could they come in something insulated?",
                "Replacement!",
                "I'll take new worms. No pressure.",
            )
        )
        talk.call(
            "create_replacement", {"replacement_order": f"{case.order_number}-R1", "dispatch": "next cool-weather dispatch"},
            order_number=case.order_number, sku=item.sku, reason="dead on arrival",
        )  # fmt: skip
        talk.say(
            f"They're booked: replacement {case.order_number}-R1, at no cost. "
            + (
                "I can't choose the packaging, but live goods go out in an insulated box as a rule. "
                if case.use % 2 == 0
                else ""
            )
            + "You needn't send anything back."
        )
        return
    if Failure.REFUND_OUTSIDE_POLICY in failures:
        talk.say(
            case.pick(
                f"That's no way to receive a plant, {case.customer.first}, I'm sorry. You don't need to send anything back: I'm "
                f"refunding {euros(item.price)} to your {case.card}.",
                f"I'm really sorry about the {item.short}, {case.customer.first}. Live goods should reach you in good health. "
                f"I've arranged a full refund of {euros(item.price)} for you right away.",
            )
        )
        talk.plant(Failure.REFUND_OUTSIDE_POLICY)
        talk.user(f"Thanks! Didn't expect that after {'nearly two weeks' if days > 9 else 'nine days'}.")
        talk.call(
            "issue_refund", {"refund_id": f"RF-{case.order_number[3:]}", "amount_eur": item.price, "state": "queued"},
            order_number=case.order_number, amount_eur=item.price, reason="live goods damaged",
        )  # fmt: skip
        talk.say(f"You're welcome! The refund has been queued and reaches your {case.card} within 5 working days.")
        return
    talk.say(
        f"I'm sorry, {case.customer.first}, that's a disappointing sight. Our rule for live goods is that we replace or refund "
        f"them when they're reported within 5 days of delivery with a photo; yours came {days} days ago, so I can't offer "
        "either. If it helps: cut the brown stems back to the first green leaf, water from below once a week and keep the "
        "tray frost-free. Lavender often comes back from the base in spring."
    )
    talk.user("ok. I'll try that. Would have been nice to have that 5 day thing on the box!")
    talk.say(
        "That's a fair point, and I'm passing it on to the team that writes the leaflet. Good luck with the lavender!"
    )


def broken_on_arrival(talk, case, failures):
    """Damaged goods with a photo: replace, no return needed."""
    item = case.product("PL-060", "CF-74", "PL-060")
    second_question = ""
    if Failure.MISSED_QUESTION in failures:
        second_question = " Also, before I forget: I paid with two vouchers and there should be about €11 left on one. Can you see how much?"
    talk.user(
        case.pick(
            f"The {item.short} arrived today with a crack right through the side, see photo. Order {case.order_number}, "
            f"postcode {case.customer.postal_code}. I need it standing by Saturday, can you replace it?",
            f"This is how the {item.short} came out of the box this morning (photo). Order {case.order_number}, "
            f"{case.customer.postal_code}. The box itself was perfect, so I suppose it was packed like that.",
            f"Hi! Photo of my new {item.short}. It's not meant to have two halves, is it? :) {case.order_number}, "
            f"{case.customer.postal_code}",
        )
        + second_question,
        photo="crack",
    )
    talk.guard()
    talk.verify()
    talk.get_order(item, placed=4, delivered=0)
    if Failure.NEEDLESS_ESCALATION in failures:
        talk.call(
            "escalate_to_human", {"ticket": f"T-{case.order_number[3:]}", "queue": "second line", "wait_hours": 26},
            order_number=case.order_number, reason="damaged goods", summary=f"{item.name} arrived cracked, photo supplied",
        )  # fmt: skip
        talk.plant(Failure.NEEDLESS_ESCALATION)
        talk.say(
            f"I'm sorry about this, {case.customer.first}. I've handed your case to a colleague, who will look at your photo "
            f"and get back to you within about a working day. Your ticket is T-{case.order_number[3:]}."
        )
        talk.user("A whole day? It's cracked, you can see that it's cracked. Can't you just send a new one?")
        talk.say(
            "I understand. Your ticket is already with my colleagues and they will answer you as soon as they can."
        )
        return
    talk.call("check_stock", {"sku": item.sku, "available": 23, "dispatch": "today until 16:00"}, sku=item.sku)
    talk.call(
        "create_replacement", {"replacement_order": f"{case.order_number}-R1", "dispatch": "today"},
        order_number=case.order_number, sku=item.sku, reason="damaged in transit",
    )  # fmt: skip
    talk.say(
        f"That's a clean break, I'm sorry, {case.customer.first}. A new {item.short} leaves our warehouse today, free of charge "
        f"({case.order_number}-R1). Parcels take 2–4 working days; I can't promise you a day, but you'll get the tracking "
        "by e-mail tonight. You can keep or recycle the broken one."
    )
    if Failure.MISSED_QUESTION in failures:
        talk.plant(Failure.MISSED_QUESTION)
    talk.user(case.pick("Quick! Thank you.", "Good. And the photo was enough?", "Perfect, thanks."))
    talk.say(case.pick(
        "You're welcome. I hope it stands straight by the weekend.",
        "Yes, the photo was all I needed. Sorry again for the trouble.",
        "Any time. Enjoy it, in one piece this time.",
    ))  # fmt: skip


def guarantee(talk, case, failures):
    """Within the guarantee we replace; money is not paid out."""
    item = case.product("SAW-21", "WX-9", "SAW-21")
    months = case.pick(26, 17, 31)
    talk.user(case.pick(
        f"The hinge of my {item.short} gave way while I was up a ladder in the plum tree. I'm fine, the plum isn't. Bought "
        f"from you about two years ago, order {case.order_number}, postcode {case.customer.postal_code}. Is that guarantee?",
        f"My {item.short} has shown 88% humidity since March, in sun and in rain. Order {case.order_number}, "
        f"{case.customer.postal_code}. I'd rather have my money back than another one, to be honest.",
    ))  # fmt: skip
    talk.verify()
    talk.get_order(item, placed=months * 30 + 3, delivered=months * 30)
    talk.search("guarantee hand tools electronics", "KB-230")
    if Failure.REFUND_OUTSIDE_POLICY in failures:
        talk.say(
            f"Thanks for the details, {case.customer.first}. Electronics carry a 2-year guarantee and you bought yours {months} "
            f"months ago, so you're covered. I'll refund the purchase price of {euros(item.price)} to your {case.card}."
        )
        talk.plant(Failure.REFUND_OUTSIDE_POLICY)
        talk.user("Excellent, that's what I was hoping for.")
        talk.call(
            "issue_refund", {"refund_id": f"RF-{case.order_number[3:]}", "amount_eur": item.price, "state": "queued"},
            order_number=case.order_number, amount_eur=item.price, reason="guarantee",
        )  # fmt: skip
        talk.say(
            f"It's queued as RF-{case.order_number[3:]}. Please recycle the old station at your local collection point."
        )
        return
    talk.say(
        f"I'm glad you got down safely, {case.customer.first}. Yes: hand tools carry a 3-year guarantee, and a hinge is not a "
        f"part that wears, so we replace your {item.short}. Shall I send it to {case.customer.street} as before?"
    )
    talk.user("Yes, same address. Do I have to post the broken one?")
    talk.call(
        "create_replacement", {"replacement_order": f"{case.order_number}-G1", "dispatch": "tomorrow"},
        order_number=case.order_number, sku=item.sku, reason="guarantee: hinge failed",
    )  # fmt: skip
    talk.say(
        f"No, just keep the blade covered when you throw it away. Your replacement is {case.order_number}-G1 and leaves "
        "tomorrow. The guarantee keeps running from your first purchase."
    )
