"""What notifications say: a template for each kind and language, as the seeder stores them.

`{name}` is the user's name and `{word}` is `data.word` of the event. Render reads them from the
store, where an operator may change them; 'en' is the language to fall back on.
"""

from typing import Final

TEXTS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "order_shipped": {
        "en": ("Your order is on its way", "{name}, order {order} has left our warehouse."),
        "de": ("Ihre Bestellung ist unterwegs", "{name}, die Bestellung {order} ist versandt."),
        "fr": ("Votre commande est en route", "{name}, la commande {order} est expédiée."),
        "es": ("Tu pedido está en camino", "{name}, el pedido {order} ha salido del almacén."),
        "pt": ("A sua encomenda está a caminho", "{name}, a encomenda {order} foi enviada."),
        "ja": ("ご注文の品を発送しました", "{name}様、ご注文{order}を発送しました。"),
    },
    "payment_received": {
        "en": ("Payment received", "Thank you, {name}: {amount} for order {order} has arrived."),
        "de": ("Zahlung eingegangen", "Danke, {name}: {amount} für {order} sind da."),
        "fr": ("Paiement reçu", "Merci, {name} : {amount} pour {order} sont arrivés."),
        "es": ("Pago recibido", "Gracias, {name}: ha llegado {amount} de {order}."),
        "pt": ("Pagamento recebido", "Obrigado, {name}: chegaram {amount} de {order}."),
        "ja": ("お支払いを確認しました", "{name}様、{order}のお支払い{amount}を確認しました。"),
    },
    "price_drop": {
        "en": ("The price has dropped", "{name}, {item} now costs {amount}."),
        "de": ("Der Preis ist gefallen", "{name}, {item} kostet jetzt {amount}."),
        "fr": ("Le prix a baissé", "{name}, {item} coûte maintenant {amount}."),
        "es": ("Ha bajado el precio", "{name}, {item} cuesta ahora {amount}."),
        "pt": ("O preço desceu", "{name}, {item} custa agora {amount}."),
        "ja": ("値下げのお知らせ", "{name}様、{item}が{amount}になりました。"),
    },
    "friend_request": {
        "en": ("New friend request", "{name}, {friend} would like to be your friend."),
        "de": ("Neue Freundschaftsanfrage", "{name}, {friend} möchte mit Ihnen befreundet sein."),
        "fr": ("Nouvelle demande d'ami", "{name}, {friend} souhaite devenir votre ami."),
        "es": ("Nueva solicitud de amistad", "{name}, {friend} quiere ser tu amigo."),
        "pt": ("Novo pedido de amizade", "{name}, {friend} quer ser seu amigo."),
        "ja": ("友達リクエスト", "{name}様、{friend}さんから友達リクエストが届きました。"),
    },
    "security_alert": {
        "en": ("New sign-in", "{name}, someone signed in from {place}. Was it you?"),
        "de": ("Neue Anmeldung", "{name}, jemand hat sich aus {place} angemeldet. Waren Sie das?"),
        "fr": ("Nouvelle connexion", "{name}, connexion depuis {place}. Était-ce vous ?"),
        "es": ("Nuevo inicio de sesión", "{name}, alguien ha entrado desde {place}. ¿Has sido tú?"),
        "pt": ("Novo início de sessão", "{name}, alguém entrou a partir de {place}. Foi você?"),
        "ja": ("新しいログイン", "{name}様、{place}からログインがありました。"),
    },
    "news": {
        "en": ("{headline}", "{summary}"),
        "de": ("{headline}", "{summary}"),
        "fr": ("{headline}", "{summary}"),
        "es": ("{headline}", "{summary}"),
        "pt": ("{headline}", "{summary}"),
        "ja": ("{headline}", "{summary}"),
    },
}
"""Kind → language → title and body."""

KINDS: Final = tuple(TEXTS)
