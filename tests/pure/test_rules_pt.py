"""What sellers write in Portuguese, and the rule that it is."""

import pytest

from tests.pure.test_rules_shorthand import (
    ALWAYS,
    CLOSED,
    HAGGLING,
    NEGATIVE,
    NOT_VIP,
    NOTIFY,
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
    ("Quando o cliente pedir desconto, me avise", says("desconto"), [NOTIFY]),
    (
        "Se a mensagem for urgente e o contato for VIP, crie uma tarefa 'Ligar já' com prioridade urgente",
        both(URGENT, VIP),
        [task("Ligar já", "urgent")],
    ),
    (
        "Todo lead urgente do WhatsApp vira tarefa de alta prioridade",
        both(URGENT, channel("whatsapp")),
        [task("Acompanhar a conversa", "high")],
    ),
    (
        "Quando a mensagem for negativa ou urgente, avise e crie uma tarefa para amanhã",
        either(NEGATIVE, URGENT),
        [NOTIFY, task("Acompanhar a conversa", due_in="P1D")],
    ),
    (
        'Quando alguém mencionar "reembolso" ou "devolução", marque com a tag \'risco\' e me avise',
        says("reembolso", "devolução"),
        [tag("risco"), NOTIFY],
    ),
    (
        "Quando perguntarem o preço, valor do frete ou prazo, responda 'Já te respondo!'",
        says("preço", "valor do frete", "prazo"),
        [reply("Já te respondo!")],
    ),
    ("Se o cliente estiver irritado e não for VIP, me avise", both(NEGATIVE, NOT_VIP), [NOTIFY]),
    ("Me avise quando chegar mensagem de cliente VIP fora do horário comercial", both(VIP, CLOSED), [NOTIFY]),
    ('Fora do horário comercial, responda "Voltamos amanhã às 9h"', CLOSED, [reply("Voltamos amanhã às 9h")]),
    ("Aos fins de semana, responda 'Só na segunda'", WEEKEND, [reply("Só na segunda")]),
    ("Responda 'Estamos fechados' aos sábados e domingos", WEEKEND, [reply("Estamos fechados")]),
    ("Quando o cliente negociar, me avise, exceto aos fins de semana", both(HAGGLING, no(WEEKEND)), [NOTIFY]),
    (
        "Me avise de mensagens urgentes do WhatsApp depois das 18h",
        both(URGENT, channel("whatsapp"), since(18)),
        [NOTIFY],
    ),
    (
        'Se a mensagem contiver "orçamento" e for em inglês, adicione a tag "english"',
        both(says("orçamento"), speaks("en")),
        [tag("english")],
    ),
    (
        "Se tiver mais de 3 mensagens não lidas, crie uma tarefa 'Responder' em 2 horas com prioridade alta",
        unread("gt", 3),
        [task("Responder", "high", "PT2H")],
    ),
    ("Quando o cliente João mandar mensagem, me avise", named("João"), [NOTIFY]),
    ('Se o nome do contato for "Maria", me avise', ask("contact.name", "eq", "Maria"), [NOTIFY]),
    ('Se a conversa tiver a tag "vip" ou a tag "ouro", avise-me', tagged("vip", "ouro"), [NOTIFY]),
    ("Se a urgência for alta ou média, me notifique", urgency("high", "medium"), [NOTIFY]),
    (
        "Quando o cliente reclamar entre 9h e 18h de segunda a sexta, crie um lembrete urgente",
        both(NEGATIVE, hours(9, 17), WORKDAYS),
        [task("Acompanhar a conversa", "urgent")],
    ),
    ('Quando o cliente disser "obrigado", feche a conversa', says("obrigado"), [status("closed")]),
    (
        "Se (a mensagem for urgente ou negativa) e o contato for VIP, me avise",
        both(either(URGENT, NEGATIVE), VIP),
        [NOTIFY],
    ),
    (
        "Se a mensagem for urgente ou negativa, e o contato for VIP, me avise",
        both(either(URGENT, NEGATIVE), VIP),
        [NOTIFY],
    ),
    ("Marque como pendente quando o cliente pedir boleto", says("boleto"), [status("pending")]),
    ("Mensagens negativas: me avise", NEGATIVE, [NOTIFY]),
    ('Se não mencionar "preço", me avise', no(says("preço")), [NOTIFY]),
    (
        "Quando o cliente pedir desconto, me avise a menos que seja VIP",
        both(says("desconto"), NOT_VIP),
        [NOTIFY],
    ),
    ("Se a mensagem for urgente e também negativa, me avise", both(URGENT, NEGATIVE), [NOTIFY]),
    ("Quando o cliente pedir desconto me avise", says("desconto"), [NOTIFY]),
    ("Quando pedirem nota fiscal, me lembre de enviar a nota", says("nota fiscal"), [task("Enviar a nota")]),
    ("Quando o cliente pedir desconto, me avise se for VIP", both(says("desconto"), VIP), [NOTIFY]),
    ("Responda mensagens negativas com 'Sentimos muito'", NEGATIVE, [reply("Sentimos muito")]),
    (
        "Avise quando o sentimento for negativo e o canal for whatsapp ou instagram",
        both(NEGATIVE, channel("whatsapp", "instagram")),
        [NOTIFY],
    ),
    (
        "Se a mensagem não for nem urgente nem negativa, feche a conversa",
        no(either(URGENT, NEGATIVE)),
        [status("closed")],
    ),
    (
        "Se a mensagem não for urgente nem negativa, feche a conversa",
        no(either(URGENT, NEGATIVE)),
        [status("closed")],
    ),
    ("SE A MENSAGEM FOR URGENTE, ME AVISE!", URGENT, [NOTIFY]),
    ("quando o cliente falar de preço e for vip me avise", both(says("preço"), VIP), [NOTIFY]),
    ("Por favor, me avise sempre que um cliente VIP mandar mensagem", VIP, [NOTIFY]),
    ("Quero que você me avise quando chegar uma mensagem urgente", URGENT, [NOTIFY]),
    (
        'Quando eu receber uma mensagem urgente por e-mail, me avise com o título "Urgente por e-mail"',
        both(URGENT, channel("email")),
        [notify("Urgente por e-mail")],
    ),
    ("Quando um VIP escrever, me avise", VIP, [NOTIFY]),
    (
        "Se for urgente, crie uma tarefa com prioridade alta e prazo de 24 horas",
        URGENT,
        [task("Acompanhar a conversa", "high", "PT24H")],
    ),
    (
        'Quando o cliente mencionar pix, boleto ou cartão, adicione as tags "pagamento" e "financeiro"',
        says("pix", "boleto", "cartão"),
        [tag("pagamento"), tag("financeiro")],
    ),
    ('Antes das 8h, responda: "Abrimos às 8h"', until(8), [reply("Abrimos às 8h")]),
    ("Das 22h às 6h, responda 'Estamos dormindo'", hours(22, 5), [reply("Estamos dormindo")]),
    (
        "Quando a mensagem for urgente, avise, crie uma tarefa 'Ver agora' e marque com a tag urgente",
        URGENT,
        [NOTIFY, task("Ver agora"), tag("urgente")],
    ),
    ("Se houver negociação e o cliente for VIP, me avise", both(HAGGLING, VIP), [NOTIFY]),
    (
        "Se houver reclamação no Instagram, crie uma tarefa urgente",
        both(NEGATIVE, channel("instagram")),
        [task("Acompanhar a conversa", "urgent")],
    ),
    ('Quando a mensagem tiver a palavra "cancelar", me avise', says("cancelar"), [NOTIFY]),
    (
        "Se o cliente pedir desconto ou parcelamento e não for VIP, responda 'Sem desconto'",
        both(says("desconto", "parcelamento"), NOT_VIP),
        [reply("Sem desconto")],
    ),
    ("Se tanto a mensagem for urgente como o contato for VIP, me avise", both(URGENT, VIP), [NOTIFY]),
    (
        "Somente em dias úteis, se o cliente perguntar sobre entrega, responda 'Amanhã'",
        both(WORKDAYS, says("entrega")),
        [reply("Amanhã")],
    ),
    (
        "Se a mensagem for urgente, mas não for do WhatsApp, me avise",
        both(URGENT, no(channel("whatsapp"))),
        [NOTIFY],
    ),
    ("Se o dia for segunda ou terça, responda 'Boa semana'", on(1, 2), [reply("Boa semana")]),
    (
        "Quando a conversa estiver fechada e o cliente escrever, reabra a conversa",
        ask("conversation.status", "eq", "closed"),
        [status("open")],
    ),
    ("Se o idioma for espanhol, responda '¡Hola!'", speaks("es"), [reply("¡Hola!")]),
    (
        'Quando o contato se chamar Ana e mencionar "pedido", me avise',
        both(named("Ana"), says("pedido")),
        [NOTIFY],
    ),
    ("Se o cliente tiver 5 ou mais mensagens não lidas, me avise", unread("gte", 5), [NOTIFY]),
    (
        "Mensagens não urgentes de clientes VIP no Messenger: crie uma tarefa em 30 minutos",
        both(no(URGENT), VIP, channel("messenger")),
        [task("Acompanhar a conversa", due_in="PT30M")],
    ),
    ("Quando o número de mensagens não lidas for maior que 10, me avise", unread("gt", 10), [NOTIFY]),
    (
        "Depois das 18h ou aos fins de semana, responda 'Fechado'",
        either(since(18), WEEKEND),
        [reply("Fechado")],
    ),
    (
        "Me avise quando o cliente pedir orçamento e crie uma tarefa para enviar a proposta em 2 dias",
        says("orçamento"),
        [NOTIFY, task("Enviar a proposta", due_in="P2D")],
    ),
    (
        "Se a mensagem mencionar \"troca\" em português, envie a mensagem 'Já vamos ver' ao cliente",
        both(says("troca"), speaks("pt")),
        [reply("Já vamos ver")],
    ),
    ("Depois das 18h responda 'Fechado' e me avise", since(18), [reply("Fechado"), NOTIFY]),
    ("Avise-me quando um cliente VIP enviar uma mensagem urgente", both(VIP, URGENT), [NOTIFY]),
    ("Se o contato for VIP ou a urgência for alta, me avise", either(VIP, URGENT), [NOTIFY]),
    ('Mensagens sobre entrega: marque com "entrega"', says("entrega"), [tag("entrega")]),
    ("Se o cliente tentar negociar o preço, me avise", HAGGLING, [NOTIFY]),
    ("Quando for segunda-feira e a mensagem for urgente, me avise", both(on(1), URGENT), [NOTIFY]),
    ("Para mensagens urgentes, crie uma tarefa", URGENT, [task("Acompanhar a conversa")]),
    (
        'Quando um cliente mandar mensagem no WhatsApp com a palavra "orçamento", me avise',
        both(channel("whatsapp"), says("orçamento")),
        [NOTIFY],
    ),
    ("Quando o cliente falar comigo no Instagram, me avise", channel("instagram"), [NOTIFY]),
    ("Quando o cliente pedir para cancelar, me avise", says("cancelar"), [NOTIFY]),
    ('Se contiver "pix" mas não "boleto", me avise', both(says("pix"), no(says("boleto"))), [NOTIFY]),
    ('Me avise de mensagens de "João Silva"', named("João Silva"), [NOTIFY]),
    ("Se não mencionar nem preço nem frete, me avise", no(says("preço", "frete")), [NOTIFY]),
]
TRIGGERS = [
    ("Quando uma tarefa atrasar, me avise", ALWAYS, [NOTIFY], "task.overdue"),
    (
        "Quando um lead ficar parado, crie uma tarefa para ligar para o cliente amanhã",
        ALWAYS,
        [task("Ligar para o cliente", due_in="P1D")],
        "lead.stalled",
    ),
    (
        "Quando começar uma nova conversa no Instagram, marque com a tag novo",
        channel("instagram"),
        [tag("novo")],
        "conversation.created",
    ),
    ("Quando um lead esfriar, me avise", ALWAYS, [NOTIFY], "lead.stalled"),
    ("Quando houver uma nova conversa de um cliente VIP, me avise", VIP, [NOTIFY], "conversation.created"),
    ("Tarefa atrasada de cliente VIP: me avise", VIP, [NOTIFY], "task.overdue"),
    ("Quando um lead parar de responder, me avise", ALWAYS, [NOTIFY], "lead.stalled"),
]


@pytest.mark.parametrize(("sentence", "when", "then"), SENTENCES)
def test_compiles(sentence, when, then):
    check("pt", sentence, when, then)


@pytest.mark.parametrize(("sentence", "when", "then", "trigger"), TRIGGERS)
def test_compiles_what_happens(sentence, when, then, trigger):
    check("pt", sentence, when, then, trigger)
