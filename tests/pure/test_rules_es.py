"""What sellers write in Spanish, and the rule that it is."""

import pytest

from tests.pure.test_rules_shorthand import (
    ALWAYS,
    CLOSED,
    FIRST,
    HAGGLING,
    NEGATIVE,
    NOT_VIP,
    NOTIFY,
    POSITIVE,
    URGENT,
    VIP,
    WEEKEND,
    WORKDAYS,
    ask,
    both,
    channel,
    check,
    either,
    hours,
    named,
    no,
    notify,
    on,
    reply,
    says,
    sends,
    since,
    speaks,
    status,
    tag,
    tagged,
    task,
    unread,
    until,
    urgency,
)

SENTENCES = [
    (
        "Cuando un cliente esté molesto fuera de horario, responde 'Abrimos a las 9'",
        both(NEGATIVE, CLOSED),
        [reply("Abrimos a las 9")],
    ),
    ("Cuando el cliente pida descuento, avísame", says("descuento"), [NOTIFY]),
    (
        "Si el mensaje es urgente y el contacto es VIP, crea una tarea 'Llamar ya' con prioridad urgente",
        both(URGENT, VIP),
        [task("Llamar ya", "urgent")],
    ),
    (
        "Si alguien menciona \"reembolso\" o parece enojado, etiqueta la conversación 'riesgo' y avísame",
        either(says("reembolso"), NEGATIVE),
        [tag("riesgo"), NOTIFY],
    ),
    (
        "Todo lead urgente de WhatsApp se convierte en tarea de alta prioridad",
        both(URGENT, channel("whatsapp")),
        [task("Dar seguimiento", "high")],
    ),
    (
        "Avísame cuando un mensaje sea negativo en Instagram después de las 18h",
        both(NEGATIVE, channel("instagram"), since(18)),
        [NOTIFY],
    ),
    ("Los fines de semana, responde 'Volvemos el lunes'", WEEKEND, [reply("Volvemos el lunes")]),
    (
        "Cuando pregunten por el precio, envío o descuento, responde 'Un momento'",
        says("precio", "envío", "descuento"),
        [reply("Un momento")],
    ),
    (
        "Si el cliente no es VIP y se queja, crea una tarea para mañana",
        both(NOT_VIP, NEGATIVE),
        [task("Dar seguimiento", due_in="P1D")],
    ),
    (
        "Si tiene más de 3 mensajes sin leer, crea una tarea 'Responder' en 2 horas con prioridad alta",
        unread("gt", 3),
        [task("Responder", "high", "PT2H")],
    ),
    ("Avísame si el cliente negocia, excepto los fines de semana", both(HAGGLING, no(WEEKEND)), [NOTIFY]),
    ("Si la conversación tiene la etiqueta 'vip', avísame", tagged("vip"), [NOTIFY]),
    ('Cuando el cliente diga "gracias", cierra la conversación', says("gracias"), [status("closed")]),
    ("Marca como pendiente cuando el cliente pida factura", says("factura"), [status("pending")]),
    (
        "Avísame de mensajes urgentes entre las 9h y las 18h de lunes a viernes",
        both(URGENT, hours(9, 17), WORKDAYS),
        [NOTIFY],
    ),
    ('Si el nombre del contacto es "María", avísame', ask("contact.name", "eq", "María"), [NOTIFY]),
    ("Cuando la clienta María escriba, avísame", named("María"), [NOTIFY]),
    (
        "Si el sentimiento es negativo y el canal es whatsapp o instagram, avísame",
        both(NEGATIVE, channel("whatsapp", "instagram")),
        [NOTIFY],
    ),
    ("Responde 'Gracias' a los mensajes positivos", POSITIVE, [reply("Gracias")]),
    (
        "Cuando el cliente pida descuento, avísame, salvo que sea VIP",
        both(says("descuento"), NOT_VIP),
        [NOTIFY],
    ),
    (
        "Si el mensaje no es ni urgente ni negativo, cierra la conversación",
        no(either(URGENT, NEGATIVE)),
        [status("closed")],
    ),
    (
        "Cuando el mensaje sea urgente o negativo, y el contacto sea VIP, avísame",
        both(either(URGENT, NEGATIVE), VIP),
        [NOTIFY],
    ),
    (
        "Si (el mensaje es urgente o negativo) y el contacto es VIP, avísame",
        both(either(URGENT, NEGATIVE), VIP),
        [NOTIFY],
    ),
    ("Cuando un cliente escriba en inglés, añade la etiqueta english", speaks("en"), [tag("english")]),
    (
        "Cuando el cliente pida factura, recuérdame enviar la factura en 2 días",
        says("factura"),
        [task("Enviar la factura", due_in="P2D")],
    ),
    ("Solo los lunes, si el mensaje es urgente, avísame", both(on(1), URGENT), [NOTIFY]),
    ("Avísame solo si el mensaje es urgente", URGENT, [NOTIFY]),
    ("Crea una tarea 'x' cuando llegue un mensaje de un cliente VIP", VIP, [task("x")]),
    (
        "Mensajes negativos: avísame y crea una tarea urgente",
        NEGATIVE,
        [NOTIFY, task("Dar seguimiento", "urgent")],
    ),
    (
        'Si el mensaje contiene "factura" y "urgente", avísame',
        says("factura", "urgente", every=True),
        [NOTIFY],
    ),
    ("Si hay una queja, avísame", NEGATIVE, [NOTIFY]),
    ("Cuando haya un reclamo por WhatsApp, avísame", both(NEGATIVE, channel("whatsapp")), [NOTIFY]),
    ("Etiqueta como 'queja' los mensajes negativos", NEGATIVE, [tag("queja")]),
    ("SI EL MENSAJE ES URGENTE, AVÍSAME", URGENT, [NOTIFY]),
    ("Por favor, avísame cuando un VIP escriba", VIP, [NOTIFY]),
    ("Si la urgencia es alta o media, avísame", urgency("high", "medium"), [NOTIFY]),
    (
        "Después de las 18h o los fines de semana, responde 'Cerrado'",
        either(since(18), WEEKEND),
        [reply("Cerrado")],
    ),
    ("Entre las 22h y las 6h, responde 'Dormimos'", hours(22, 5), [reply("Dormimos")]),
    ('Antes de las 8h, responde "Abrimos a las 8"', until(8), [reply("Abrimos a las 8")]),
    ('Si el mensaje no menciona "precio", cierra la conversación', no(says("precio")), [status("closed")]),
    (
        "Quiero que me avises cuando llegue un mensaje urgente por correo",
        both(URGENT, channel("email")),
        [NOTIFY],
    ),
    (
        "Si el cliente regatea, añade la etiqueta 'regateo' y responde 'Lo siento'",
        HAGGLING,
        [tag("regateo"), reply("Lo siento")],
    ),
    ("Los sábados y domingos, responde 'Cerrado'", WEEKEND, [reply("Cerrado")]),
    (
        "Si el mensaje es urgente pero no es de WhatsApp, avísame",
        both(URGENT, no(channel("whatsapp"))),
        [NOTIFY],
    ),
    ('Cuando el mensaje tenga la palabra "cancelar", avísame', says("cancelar"), [NOTIFY]),
    (
        "Si la conversación no tiene la etiqueta 'cliente', añade la etiqueta 'nuevo'",
        no(tagged("cliente")),
        [tag("nuevo")],
    ),
    ("Cuando el cliente tenga 5 o más mensajes sin leer, avísame", unread("gte", 5), [NOTIFY]),
    (
        "Cuando la conversación esté cerrada y el cliente escriba, reabre la conversación",
        ask("conversation.status", "eq", "closed"),
        [status("open")],
    ),
    (
        "Cuando el cliente hable de pagos, crea una tarea 'Cobrar' con prioridad baja y plazo de 3 días",
        says("pagos"),
        [task("Cobrar", "low", "P3D")],
    ),
    (
        "Avísame cuando el cliente pida presupuesto y crea una tarea para enviar la propuesta en 2 días",
        says("presupuesto"),
        [NOTIFY, task("Enviar la propuesta", due_in="P2D")],
    ),
    (
        'Cuando el contacto se llame Ana y mencione "pedido", avísame',
        both(named("Ana"), says("pedido")),
        [NOTIFY],
    ),
    ("Si el idioma es portugués, responde 'Olá!'", speaks("pt"), [reply("Olá!")]),
    (
        "Fuera del horario de atención, envía el mensaje 'Volvemos pronto' al cliente",
        CLOSED,
        [reply("Volvemos pronto")],
    ),
    ('Si el mensaje es urgente, avísame con el título "Mira"', URGENT, [notify("Mira")]),
    ("Cuando el cliente no sea VIP o el mensaje sea negativo, avísame", either(NOT_VIP, NEGATIVE), [NOTIFY]),
    (
        "Cuando el mensaje no sea ni urgente ni negativo y el cliente no sea VIP, marca como pendiente",
        both(no(either(URGENT, NEGATIVE)), NOT_VIP),
        [status("pending")],
    ),
    (
        "Cuando pidan precio o envío por Instagram, responde 'Ya te escribo'",
        both(says("precio", "envío"), channel("instagram")),
        [reply("Ya te escribo")],
    ),
    (
        "Los lunes y martes entre las 9h y las 12h, etiqueta los mensajes urgentes como 'mañana'",
        both(on(1, 2), hours(9, 11), URGENT),
        [tag("mañana")],
    ),
    ("Cuando un cliente VIP envíe un mensaje urgente, avísame", both(VIP, URGENT), [NOTIFY]),
    ("Los mensajes sobre envíos: etiqueta como 'envío'", says("envíos"), [tag("envío")]),
    ("Si es sábado o domingo, responde 'Cerrado'", WEEKEND, [reply("Cerrado")]),
    ("Cuando el cliente quiera negociar, avísame", HAGGLING, [NOTIFY]),
    (
        "Cuando alguien de Instagram pregunte por el precio, responde 'DM'",
        both(channel("instagram"), says("precio")),
        [reply("DM")],
    ),
    (
        "De lunes a viernes de 9h a 18h, etiqueta los mensajes como 'horario'",
        both(WORKDAYS, hours(9, 17)),
        [tag("horario")],
    ),
    ("Cuando el cliente no sea VIP o el mensaje negativo, avísame", either(NOT_VIP, NEGATIVE), [NOTIFY]),
    ("Si el cliente manda una foto, avísame", sends("image"), [NOTIFY]),
    ("Cuando llegue un audio o un video, avísame", sends("audio", "video"), [NOTIFY]),
    ("Si el mensaje no tiene foto, avísame", no(sends("image")), [NOTIFY]),
    ("Si el mensaje es un audio, avísame", sends("audio"), [NOTIFY]),
    ("Si es la primera conversación del cliente, avísame", FIRST, [NOTIFY]),
]
TRIGGERS = [
    ("Cuando una tarea se atrase, avísame", ALWAYS, [NOTIFY], "task.overdue"),
    (
        "Cuando un lead se enfríe, crea una tarea para llamar al cliente mañana",
        ALWAYS,
        [task("Llamar al cliente", due_in="P1D")],
        "lead.stalled",
    ),
    (
        "Cuando empiece una conversación nueva en Instagram, etiquétala como 'nuevo'",
        channel("instagram"),
        [tag("nuevo")],
        "conversation.created",
    ),
    ("Cuando una tarea esté vencida y el contacto sea VIP, avísame", VIP, [NOTIFY], "task.overdue"),
    ("Cuando un lead deje de responder, avísame", ALWAYS, [NOTIFY], "lead.stalled"),
    ("Si un cliente nuevo escribe, avísame", FIRST, [NOTIFY], "conversation.created"),
    ("Responde con 'Hola' cuando alguien escriba por primera vez", FIRST, [reply("Hola")], "conversation.created"),
]


@pytest.mark.parametrize(("sentence", "when", "then"), SENTENCES)
def test_compiles(sentence, when, then):
    check("es", sentence, when, then)


@pytest.mark.parametrize(("sentence", "when", "then", "trigger"), TRIGGERS)
def test_compiles_what_happens(sentence, when, then, trigger):
    check("es", sentence, when, then, trigger)
