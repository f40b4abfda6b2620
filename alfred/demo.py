"""The demo account: a small shop for furniture and its customers, as messengers would post them."""

from typing import Any, NamedTuple

from alfred.terms import ChannelType

EMAIL, PASSWORD = "demo@alfred.ai", "password"
PHONE_ACCOUNT, INSTAGRAM_ACCOUNT, MAILBOX = "109900000000001", "17840000000000001", "vendas@farol.example.com"


class Line(NamedTuple):
    """Something said: hours ago, by the customer (or the shop)."""

    hours: float
    text: str
    ours: bool = False


class Talk(NamedTuple):
    """One customer's conversation; `read` once it was seen by the shop."""

    type: ChannelType
    handle: str
    name: str
    lines: tuple[Line, ...]
    read: bool = True
    tags: tuple[str, ...] = ()
    settings: dict[str, Any] = {}  # noqa: RUF012 a tuple's default is never changed


def talks() -> list[Talk]:
    """At least 25 customers and 60 messages: Portuguese, English and Spanish; urgent, unread, gone quiet."""
    return [*_WHATSAPP, *_INSTAGRAM, *_MAIL]


_WHATSAPP = [
    Talk(
        "whatsapp",
        "+5511900000012",
        "Marina Quintela",
        (
            Line(30, "Oi! Vocês têm a mesa Lagoa em carvalho?"),
            Line(29, "Temos sim, Marina! Pronta entrega.", ours=True),
            Line(2, "Ótimo. Quanto fica com 4 cadeiras? Tem desconto no pix?"),
            Line(0.5, "Preciso fechar hoje, é urgente: a visita chega à noite!"),
        ),
        read=False,
        tags=("mesa",),
        settings={"base_price": "2400.00", "vip": True, "preferred_tone": "friendly"},
    ),
    Talk(
        "whatsapp",
        "+5511900000013",
        "Caio Bernardes",
        (
            Line(50, "Bom dia, o guarda-roupa chegou com a porta riscada."),
            Line(49, "Sentimos muito, Caio. Pode mandar uma foto?", ours=True),
            Line(26, "Mandei ontem e ninguém respondeu. Péssimo atendimento!"),
        ),
        read=False,
        tags=("garantia",),
    ),
    Talk(
        "whatsapp",
        "+5521900000014",
        "Lívia Sampaio",
        (
            Line(100, "Vocês entregam em Niterói?"),
            Line(99, "Entregamos! O frete fica em R$ 90.", ours=True),
            Line(98, "Perfeito, obrigada!"),
        ),
    ),
    Talk(
        "whatsapp",
        "+5531900000015",
        "Otávio Rangel",
        (
            Line(120, "Faz a cadeira Brisa por 350?"),
            Line(119, "Consigo 380 à vista.", ours=True),
            Line(118, "Vou pensar e te falo."),
        ),
        settings={"base_price": "420.00"},
    ),
    Talk(
        "whatsapp",
        "+5541900000016",
        "Helena Prado",
        (
            Line(31, "Chegou hoje, já montaram."),
            Line(30, "Que bom, Helena! Gostou?", ours=True),
            Line(6, "Amei o sofá, ficou lindo na sala! 😍"),
        ),
    ),
    Talk(
        "whatsapp",
        "+5551900000017",
        "Rui Antunes",
        (
            Line(28, "Bom dia, comprei o armário ontem."),
            Line(27, "Bom dia, Rui! Como ajudamos?", ours=True),
            Line(3, "Pode agendar a montagem para sexta às 10h?"),
        ),
        read=False,
    ),
    Talk(
        "whatsapp",
        "+5561900000018",
        "Bianca Teles",
        (
            Line(200, "Qual o horário de vocês no sábado?"),
            Line(199, "Sábado das 9 às 14h.", ours=True),
        ),
    ),
    Talk(
        "whatsapp",
        "+12025550123",
        "Priya Hallworth",
        (
            Line(28, "Hi! Do you ship to Lisbon?"),
            Line(27, "We do, by container, twice a month.", ours=True),
            Line(5, "Great. Could you do 15% off if I take six chairs?"),
        ),
        read=False,
        settings={"base_price": "95.00", "currency": "USD"},
    ),
    Talk(
        "whatsapp",
        "+447700900124",
        "Owen Tully",
        (Line(9, "The table leg is broken and I need it fixed before tomorrow, please call me now."),),
        read=False,
    ),
    Talk(
        "whatsapp",
        "+34600000125",
        "Lucía Berruezo",
        (
            Line(40, "Hola, ¿cuánto cuesta el escritorio Faro?"),
            Line(39, "¡Hola, Lucía! Cuesta 240 euros.", ours=True),
            Line(4, "¿Me lo dejas en 200?"),
        ),
        read=False,
        settings={"base_price": "240.00", "currency": "EUR"},
    ),
    Talk(
        "whatsapp",
        "+5215500000126",
        "Tomás Arriaga",
        (
            Line(110, "Quiero dos sillas Brisa, por favor."),
            Line(109, "Anotado, Tomás. ¿A qué dirección?", ours=True),
        ),
    ),
    Talk(
        "whatsapp",
        "+5571900000019",
        "Davi Coutinho",
        (Line(1, "Cadê meu pedido? Era para ontem e preciso dele agora."),),
        read=False,
        tags=("entrega",),
    ),
]
_INSTAGRAM = [
    Talk(
        "instagram",
        "8000000000000021",
        "Instagram 21",
        (
            Line(20, "Essa luminária tem em azul? 💙"),
            Line(19, "Tem sim! Azul e areia.", ours=True),
            Line(18, "Quero a azul!"),
        ),
    ),
    Talk("instagram", "8000000000000022", "Instagram 22", (Line(7, "Qual o preço do aparador?"),), read=False),
    Talk(
        "instagram",
        "8000000000000023",
        "Instagram 23",
        (
            Line(130, "Do you restore old chairs?"),
            Line(129, "Only our own ones, sorry!", ours=True),
        ),
    ),
    Talk("instagram", "8000000000000024", "Instagram 24", (Line(11, "¡Me encanta esta mesa! ¿Hacen envíos a Chile?"),)),
    Talk(
        "instagram",
        "8000000000000025",
        "Instagram 25",
        (
            Line(90, "Fui cobrada duas vezes, resolvam isso"),
            Line(89, "Já estornamos a segunda cobrança.", ours=True),
            Line(88, "Caiu aqui, obrigada pela rapidez!"),
        ),
        tags=("financeiro",),
    ),
    Talk("instagram", "8000000000000026", "Instagram 26", (Line(160, "vcs fazem sob medida?"),), read=False),
]
_MAIL = [
    Talk("email", "ana.lourenco@example.com", "Ana Lourenço", (
        Line(60, "Bom dia. Preciso de um orçamento para 12 cadeiras e 3 mesas, com nota fiscal."),
        Line(58, "Bom dia, Ana. Envio até amanhã.", ours=True),
        Line(8, "Ainda aguardo o orçamento, por favor enviem hoje."),
    ), read=False, settings={"preferred_tone": "formal", "base_price": "8600.00"}),
    Talk("email", "compras@hotelmar.example.com", "Hotel Mar", (
        Line(140, "Solicitamos proposta para mobiliar 20 quartos até o fim do mês."),
        Line(139, "Recebido, preparamos a proposta.", ours=True),
    ), tags=("atacado",), settings={"vip": True, "preferred_tone": "formal"}),
    Talk("email", "j.whitcombe@example.org", "June Whitcombe", (
        Line(70, "When will my order ship?"), Line(69, "Next week, June.", ours=True),
        Line(15, "Please cancel my order and refund the deposit."),
    ), read=False),
    Talk("email", "sofia.paz@example.net", "Sofía Paz", (
        Line(33, "Adjunto la factura. ¿Cuándo llega el pedido?"),
        Line(32, "Llega el martes, Sofía.", ours=True),
        Line(31, "Perfecto, gracias."),
    )),
    Talk("email", "m.okafor@example.com", "Maya Okafor", (
        Line(45, "Is Tuesday still fine for the delivery?"), Line(44, "It is, between 9 and 12.", ours=True),
        Line(22, "Thank you, the shelves are wonderful and the team was so kind."),
    )),
    Talk("email", "suporte@condominio.example.com", "Condomínio Aurora", (
        Line(180, "Podem reservar a sala de exposição para a próxima semana?"),
        Line(179, "Reservado para quarta.", ours=True),
    )),
    Talk("email", "paulo.estrela@example.com", "Paulo Estrela", (
        Line(14, "Recebi a cômoda hoje."),
        Line(13, "A gaveta veio errada. Quero a troca esta semana."),
    ), read=False, tags=("garantia",)),
    Talk("email", "r.delgado@example.org", "Raúl Delgado", (
        Line(75, "No tengo prisa, pero me gustaría un descuento por pago al contado."),
        Line(74, "Con pago al contado, 8 % menos.", ours=True),
    )),
]  # fmt: skip

RULES = (
    "Quando o cliente pedir desconto, me avise e marque como 'negociação'",
    "Se a mensagem for urgente, crie uma tarefa 'Responder agora' com prioridade urgente",
    "If a message is negative, tag it 'risk' and notify me",
)
TASKS = (  # title, priority, days from now until it is due
    ("Enviar orçamento para Ana Lourenço", "high", -1),
    ("Ligar para Caio sobre a porta riscada", "urgent", -2),
    ("Confirmar a montagem de sexta", "medium", 2),
    ("Send the container dates to Priya", "medium", 5),
    ("Preparar a proposta do Hotel Mar", "high", 7),
)
FLOW: dict[str, Any] = {
    "name": "Triagem",
    "description": "O que fazer com cada mensagem nova.",
    "enabled": True,
    "definition": {
        "start": "urgent",
        "nodes": [
            {"id": "urgent", "type": "condition", "label": "É urgente?", "yes": "tell", "no": "price",
             "when": {"field": "message.urgency", "op": "eq", "value": "high"}},
            {"id": "tell", "type": "action", "next": None, "action": {"action": "notify", "title": "Tem pressa"}},
            {"id": "price", "type": "condition", "label": "Fala de preço?", "yes": "tag", "no": None,
             "when": {"field": "message.negotiation", "op": "eq", "value": True}},
            {"id": "tag", "type": "action", "action": {"action": "add_tag", "tag": "negociação"}, "next": None},
        ],
    },
}  # fmt: skip
