"""Customers who don't write in English."""

from annotation.demo.catalogue import PRODUCTS, spoken_in
from annotation.demo.failures import Failure


def german_delivery(talk, case, failures):
    item = case.product("CF-74", "DRP-20")
    talk.user(case.pick(
        f"Guten Abend, mein Frühbeet aus der Bestellung {case.order_number} sollte längst da sein. PLZ {case.customer.postal_code}. "
        "Können Sie bitte nachsehen? Außerdem: Liegt eine deutsche Aufbauanleitung bei?",
        f"Moin! Wo bleibt das Bewässerungsset? {case.order_number}, {case.customer.postal_code}. Hier ist seit zwei Wochen kein Regen "
        "gefallen, so etwas gab es noch nie.",
    ))  # fmt: skip
    talk.verify()
    talk.get_order(item, status="shipped", placed=8)
    talk.call(
        "track_parcel",
        case.tracking((6, "Picked up"), (3, "Export hub"), (1, "Arrived in Germany"), expected=2),
        parcel_id=case.parcel,
    )
    day = spoken_in(case.ahead(2), "de")
    if Failure.LANGUAGE_SWITCH in failures:
        talk.say(
            f"Guten Abend, {case.customer.name}, Ihr Paket ist gestern in Deutschland angekommen und soll laut Sendungsverfolgung am {day} "
            "bei Ihnen sein. Eine Aufbauanleitung auf Deutsch liegt bei."
        )
        talk.user("Danke! Und falls ich am Vormittag nicht da bin, kann man das Paket umleiten?")
        talk.search("redirect parcel when customer is out", "KB-118")
        talk.say(
            f"Yes, once a parcel has been handed over, only the carrier can redirect it. Please use the parcel number {case.parcel} on the "
            "carrier's website and choose a pick-up point or a neighbour."
        )
        talk.plant(Failure.LANGUAGE_SWITCH)
        talk.user("Entschuldigung, mein Englisch ist nicht so gut. Was muss ich machen?")
        talk.say(
            'No problem! Open the carrier\'s website, enter the parcel number and select "redirect". It only takes a minute.'
        )
        return
    talk.say(
        f"Moin, {case.customer.name}, da haben Sie mein Mitgefühl. Das Paket ist gestern in Deutschland angekommen; die Sendungsverfolgung "
        f"nennt den {day}. Bis dahin hilft nur die Gießkanne."
    )
    talk.user("Die Kanne und ich kennen uns. Danke für die schnelle Antwort!")
    talk.say(
        "Sehr gern. Ein kleiner Tipp: Legen Sie die Schläuche vor dem Anschließen eine Stunde in die Sonne, dann lassen sie sich leicht aufstecken."
    )


def french_return(talk, case, failures):
    item = PRODUCTS["LAN-3"]
    talk.user(
        f"Bonjour, je voudrais renvoyer les lanternes de la commande {case.order_number} (code postal {case.customer.postal_code}). Elles "
        "sont plus petites que je ne pensais. Est-ce que le retour est gratuit ?"
    )
    talk.verify()
    talk.get_order(item, placed=14, delivered=10)
    talk.search("retour gratuit étiquette", "KB-204")
    talk.say(
        f"Bonjour {case.customer.first}, c'est tout à fait possible : vous avez 45 jours à compter de la livraison du "
        f"{spoken_in(case.ago(10), 'fr')}. L'étiquette de retour coûte 4,50 €, déduits du remboursement ; vous recevrez donc 37,50 € sur le "
        "prix des lanternes. Voulez-vous que je lance le retour ?"
    )
    talk.user("Oui, merci. C'est très clair.")
    talk.call(
        "start_return", {"return_number": f"RT-{case.order_number[3:]}", "label_sent_to": case.customer.email},
        order_number=case.order_number, skus=[item.sku], refund_eur=37.5, reason="smaller than expected",
    )  # fmt: skip
    talk.say("C'est fait : l'étiquette vous attend dans votre boîte aux lettres électronique. Bonne journée !")


def spanish_return(talk, case, failures):
    item = PRODUCTS["PL-060"]
    talk.user(
        f"Hola, compré una jardinera hace un par de meses (pedido {case.order_number}, código postal {case.customer.postal_code}) y no la he "
        "estrenado. ¿Puedo devolverla? ¿Y hacen envíos a Canarias?"
    )
    talk.verify()
    talk.get_order(item, placed=67, delivered=63)
    if Failure.REFUND_OUTSIDE_POLICY in failures:
        talk.say(
            f"¡Hola, {case.customer.first}! Veo que la recibió el {spoken_in(case.ago(63), 'es')}. Como está sin estrenar, no hay problema: le "
            "devolvemos 50,40 € (54,90 € menos la etiqueta). Y sí, también enviamos a Canarias, con unos días más de plazo."
        )
        talk.plant(Failure.REFUND_OUTSIDE_POLICY)
        talk.user("¡Qué bien! Mándeme la etiqueta, por favor.")
        talk.call(
            "start_return", {"return_number": f"RT-{case.order_number[3:]}", "label_sent_to": case.customer.email, "override": "agent"},
            order_number=case.order_number, skus=[item.sku], refund_eur=50.4, reason="unused", override_window=True,
        )  # fmt: skip
        talk.say("Enviada. En cuanto recibamos el paquete, tendrá el dinero en un plazo de 5 días laborables.")
        return
    talk.search("devolución fuera de plazo", "KB-204")
    talk.say(
        "Lo siento mucho: el plazo es de 45 días desde la entrega y ya ha pasado. A Canarias sí enviamos, con unos días más."
    )
    talk.user("Vaya. Gracias de todos modos.")
    talk.say("Gracias a usted por entenderlo. ¡Que disfrute de la jardinera!")


def japanese_gift(talk, case, failures):
    item = PRODUCTS["GLV-L"]
    talk.user(
        f"こんにちは。注文 {case.order_number}(郵便番号 {case.customer.postal_code})の革手袋をプレゼント用に包んでいただけますか。"
        "納品書は入れないでほしいです。"
    )
    talk.verify()
    talk.get_order(item, status="paid", placed=0)
    talk.call(
        "update_order_note", {"order_number": case.order_number, "state": "saved"},
        order_number=case.order_number, note="Gift wrap. No delivery note in the parcel.",
    )  # fmt: skip
    talk.say(
        f"{case.customer.name.split()[0]}様、ご連絡ありがとうございます。まだ梱包前でしたので、ギフト包装と、納品書を同封しないよう手配いたしました。"
        "納品書はご登録のメールアドレスにお送りします。"
    )
    talk.user("ありがとうございます。追加料金はかかりますか?")
    talk.say("いいえ、ギフト包装は無料です。喜んでいただけますように。")
