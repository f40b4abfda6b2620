"""What the guard looks for in a text: money, days, promises and talk of itself, in all three languages; folded."""

import re

# What a sign or a word of money means; "" is a dollar or a peso of whatever country.
CURRENCIES = {
    "r$": "BRL", "reais": "BRL", "real": "BRL", "brl": "BRL", "conto": "BRL", "contos": "BRL", "pila": "BRL",
    "pilas": "BRL",
    "us$": "USD", "u$s": "USD", "u$": "USD", "usd": "USD", "dolar": "USD", "dolares": "USD", "dollar": "USD",
    "dollars": "USD", "bucks": "USD", "buck": "USD", "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR",
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "libra": "GBP", "libras": "GBP", "quid": "GBP",
    "¥": "JPY", "jpy": "JPY", "yen": "JPY", "yenes": "JPY", "ienes": "JPY", "cny": "CNY", "yuan": "CNY",
    "₿": "BTC", "btc": "BTC", "bitcoin": "BTC", "bitcoins": "BTC", "usdt": "USDT", "chf": "CHF",
    "inr": "INR", "₹": "INR", "rs": "INR",
    "ar$": "ARS", "ars": "ARS", "mx$": "MXN", "mxn": "MXN", "clp$": "CLP", "clp": "CLP", "cop$": "COP", "cop": "COP",
    "uyu": "UYU", "pyg": "PYG", "s/": "PEN", "soles": "PEN",
    "ca$": "CAD", "c$": "CAD", "a$": "AUD", "au$": "AUD", "aud": "AUD",
    "$": "", "peso": "", "pesos": "",
    "cent": "cents", "cents": "cents", "centavo": "cents", "centavos": "cents", "centimos": "cents", "pence": "cents",
}  # fmt: skip
OF_DOLLARS_OR_PESOS = frozenset(("", "USD", "ARS", "MXN", "CLP", "COP", "UYU", "CAD", "AUD"))
_NAMES = "|".join(re.escape(name) for name in sorted(CURRENCIES, key=len, reverse=True))
MONEY_BEFORE = re.compile(rf"((?<![a-z])(?:[a-z]{{1,3}}\$|{_NAMES})|\$)\s*$")
MONEY_AFTER = re.compile(rf"\s*({_NAMES})(?![a-z])")
# Capital letters; small ones spell words, too.
CODE = re.compile(
    r"(?<![A-Za-z])(AED|AOA|ARS|AUD|BOB|BRL|CAD|CHF|CLP|CNY|COP|CRC|CUP|DKK|DOP|EUR|GBP|GTQ|HKD|HNL|INR|JPY|KRW|MXN|MZN"
    r"|NIO|NOK|NZD|PAB|PEN|PLN|PYG|RUB|SAR|SEK|SGD|TRY|USD|UYU|VES|ZAR)(?![A-Za-z])"
)
THOUSAND = re.compile(r"\s?(?:k|mil|thousand|lucas)\b", re.IGNORECASE)
# An amount without figures.
IN_WORDS = re.compile(
    r"[^\W\d_]+ (?:reais|dollars?|dolar(?:es)?|bucks|euros?|pesos?|pounds|libras|quid|soles|cents|centavos)\b"
    r"|\b(?:grand|fiver|tenner|a (?:thousand|hundred|tenth))\b|\b\w+ (?:por cento|por ciento|percent)\b"
    r"|\b(?:vint|trint|quarent|cinquent|sessent|setent|oitent|novent|cent)(?:ao|inha|inho)\b"
)

# Words that are a number in one language, and something else in another.
NO_NUMBERS = {"pt": frozenset(("doce",)), "en": frozenset(("once",)), "es": frozenset(("ten",))}
_FEW = (
    r"(?:dois|duas|tres|quatro|cinco|seis|sete|oito|nove|two|three|four|five|six|seven|eight|nine|dos|cuatro|siete|ocho"
    r"|nueve)"
)
INSTALMENTS = re.compile(r"\s*(?:x\b|vezes|veces|cuotas|parcelas|prestacoes|installments|payments)")
A_COUNT = re.compile(
    rf"\b(?:(?:as|os|por|for|los|las|leve|leva|lleve|lleva|pelos|pelas|all) {_FEW}|both|ambos|ambas)\b"
    rf"|\b{_FEW} (?:por|for)\b"
)
FOR_EACH = re.compile(r"\b(?:cada|each|apiece|per|a piece|unidade|unitario|unit|unidad)\b")
TIMED = re.compile(
    r"\s*(?:h\b|hs\b|hrs?\b|horas?\b|hours?\b|a\.?m\b|p\.?m\b|d(?:ia|ía|ay)s?\b|min|seman|week|m[eê]s"
    r"|mes|month|%|x\b|º|°)"
)

FREE = re.compile(
    r"\b(?:gratis|gratuit[oa]s?|de graca|cortesia|brinde|free(?! to\b)|on the house|dobro|double(?! check)"
    r"|(?:no|zero|without) (?:\w+ )?(?:charges?|costs?|fees?|interest)|sem (?:custos?|taxas?|frete|juros)"
    r"|frete zero|sem cobranca|sin (?:costes?|costos?|cargos?|gastos?|interes(?:es)?)"
    r"|half (?:the|of|price|off)|metade d[eo]|(?:a|la) mitad|mitad de|meio preco|terco d[eo]|tercio"
    r"|third (?:of|off)|um terco"
    r"|(?:por|da|de) (?:nossa|nuestra) (?:conta|cuenta)|por conta da (?:casa|loja)|on us\b|our treat|(?:is|are) on me\b"
    r"|nao cobr\w+|no (?:te |le )?cobr\w+|(?:do not|don't|won't|not) charge"
    r"|(?:te|le|les|lo|la) regal\w+|regalamos|de regalo|ganh(?:a|e|am|em) (?:um|uma|de|outr[ao])"
    r"|(?:i|we)(?:'ll| will)? (?:pay|cover)|pag(?:o|amos|aremos) (?:o|a|el|la) (?:frete|entrega|envio)"
    r"|buy (?:one|two|\d+)|(?:two|three|\d+)[ -]for[ -](?:one|two|the price)"
    r"|pague (?:uma?|dois|duas)|paga (?:uno|una|dos)"
    r"|inclu[ií]d[oa]s?|inclus[oa]s?|included|complimentary|bonus|throw(?:ing)? in|pay nothing"
    rf"|(?:{_FEW}|dez|doze|diez|doce|ten|twelve) (?:vezes|veces|cuotas|parcelas|installments|payments)"
    r"|te dou a|reembols\w+|refund\w*|(?:te )?devolvemos|money back|aceitamos devol\w+|(?:can|may) return"
    r"|warrant\w+|promet\w+|promise|juro|swear|minha palavra|mi palabra|menor preco|cheapest"
    r"|vale.?presente|gift card|voucher|cupom|cupon|coupon|promo ?code|garant\w+|guarante\w+"
    r"|desconto|descuento|discount)\b"
)

_UNIT = r"(?:dias?|horas?|semanas?|mes(?:es)?|minutos?|days?|hours?|weeks?|months?|minutes?)"
_WEEKDAY = (
    r"(?:(?:segunda|terca|quarta|quinta|sexta)(?:.feira)?|sabado|domingo|lunes|martes|miercoles|jueves|viernes"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
)
DAYS = re.compile(
    rf"\b(?:{_WEEKDAY} que v(?:em|iene)|(?:next|this|proxim[ao]) {_WEEKDAY}"
    r"|amanha|tomorrow|(?<!la )(?<!de )manana|segunda(?:.feira)?|terca(?:.feira)?|quarta(?:.feira)?|quinta(?:.feira)?"
    r"|sexta(?:.feira)?|sabado|domingo|monday|tuesday|wednesday|thursday|friday|saturday|sunday|lunes"
    r"|martes|miercoles|jueves|viernes"
    r"|today|tonight|hoje mesmo|hoy mismo|ainda hoje|hoje ainda"
    r"|(?:hoje|hoy) (?:a|de|por la|a la) (?:tarde|noite|noche|manha|manana)"
    r"|esta noche|(?:chega|entregamos|llega) dia \w+|feriado|holidays?|festivo|overnight|(?:next|same).day|fortnight"
    r"|within hours|(?:quarter|half) past|(?:fim|final|fin) d[eo] (?:mes|dia|ano)|end of (?:the )?(?:day|month|week)"
    r"|(?:this|next) (?:week|month|year|weekend)|(?:n?esta|n?essa|proxima|la proxima) semana|semana que v(?:em|iene)"
    r"|(?:proximo mes|mes que v(?:em|iene))|fi[mn] de semana|weekend"
    r"|natal|christmas|navidad|ano novo|new year|pascoa|easter|noon|midnight|meio.dia|meia.noite|mediodia|medianoche"
    r"|janeiro|fevereiro|marco|abril|maio|junho|julho|agosto|setembro|outubro|novembro|dezembro"
    r"|january|february|april|(?:in|by|until) (?:march|may)|june|july|august|september|october|november|december"
    r"|enero|febrero|marzo|mayo|junio|julio|septiembre|octubre|noviembre|diciembre"
    rf"|{_FEW} (?:(?:to|a|o|ou|or) {_FEW} )?(?:business |working )?{_UNIT}|par de {_UNIT}"
    rf"|(?:half an?|meia|media|couple of|few|poucos|poucas|pocos|pocas) {_UNIT}"
    rf"|(?:in|within|em|en|dentro de|ate|hasta|after|apos) (?:an?|uma?|una?|one) {_UNIT}"
    rf"|(?:on|by) the (?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)"
    rf"|(?:at|by|until) {_FEW}|a las {_FEW})\b"
    r"|\b(?:cheg|entreg|envi|mand|receb|recib|lleg)\w*[^.!?]{0,30} (?:hoje|hoy)\b"
)
ALSO_NAMES = frozenset(("julio", "abril", "april", "june", "august", "marco", "domingo", "natal"))
# With its accent: "as sete" is all seven.
O_CLOCK = re.compile(r"\bàs (?:uma|duas|três|quatro|cinco|seis|sete|oito|nove)\b", re.IGNORECASE)

INSIDE = re.compile(
    r"system prompt|prompt d[eo] sistema|\bprompt\b|instruc(?:oes|ciones)|instructions|language model"
    r"|modelo de (?:linguagem|lenguaje)"
    r"|developer mode|modo desenvolvedor|modo desarrollador|jailbreak|\bdan mode\b|api.?key"
    r"|chave (?:da|de) api|clave (?:de la|de) api"
    r"|customer_messages|shop_facts|\bassistant:|\bsystem:|\bopenai\b|\bchatgpt\b|\banthropic\b"
    r"|inteligencia artificial|artificial intelligence"
    r"|\b(?:an ai|ai (?:assistant|model)|(?:de|uma|una) ia)\b|\bchatbot\b"
    r"|\bshop facts\b|\bdraft:|\b(?:sou|soy|i am|i'm) (?:um |un |a |an )?(?:robo|robot|bot|humano|human|large)\b"
    r"|\bmy rules\b|minhas regras|mis reglas|preco minimo|precio minimo"
    r"|minimum price|lowest price|floor price"
)
MARKUP = re.compile(
    r"```|</?\w+[^>]*>|\]\(|!\[|[{}<>]|\\u|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\u2024\u3002\uff00-\uffef]"
)
# An address that is spelt out or taken apart, any name with a dot in it, and a name in another network.
ADDRESS = re.compile(
    r"(?<![\w@.-])(?:[\w-]{1,63}\.){1,4}[^\W\d_]{2,24}(?:/\S*)?(?![\w@])"
    r"|\b(?:ponto|dot|punto) (?:com|net|org|br|io|me|co|ar|mx|es|pt)\b|\s\.[^\W\d_]{2,}\b"
    r"|\w ?[\[(](?:\.|@|at|dot|arroba|ponto|punto)[\])]|\b\w+://\S+|(?<![\w.])@\w[\w.]+",
    re.IGNORECASE,
)
