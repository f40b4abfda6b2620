"""What sellers write in English, and the rule that it is."""

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
    urgency,
)

SENTENCES = [
    (
        "If someone mentions \"refund\" or sounds angry, tag the conversation 'risk' and notify me",
        either(says("refund"), NEGATIVE),
        [tag("risk"), NOTIFY],
    ),
    (
        "notify me when a message is negative on instagram after 6pm",
        both(NEGATIVE, channel("instagram"), since(18)),
        [NOTIFY],
    ),
    ("Notify me about urgent messages", URGENT, [NOTIFY]),
    (
        "Notify me of negative messages on WhatsApp outside business hours",
        both(NEGATIVE, channel("whatsapp"), CLOSED),
        [NOTIFY],
    ),
    (
        "When a customer asks for a discount, notify me and create a task for tomorrow",
        says("discount"),
        [NOTIFY, task("Follow up", due_in="P1D")],
    ),
    (
        "When a VIP customer complains, create an urgent task 'Call now' due in 2 hours",
        both(VIP, NEGATIVE),
        [task("Call now", "urgent", "PT2H")],
    ),
    (
        "If the message contains \"invoice\" and it is from a VIP, create a high priority task 'Send'",
        both(says("invoice"), VIP),
        [task("Send", "high")],
    ),
    ("On weekends, reply 'We open on Monday'", WEEKEND, [reply("We open on Monday")]),
    (
        'After 6pm, reply "We\'re closed, back at 9" and tag it after-hours',
        since(18),
        [reply("We're closed, back at 9"), tag("after-hours")],
    ),
    ("If it's urgent or from a VIP, let me know", either(URGENT, VIP), [NOTIFY]),
    (
        'If the customer\'s name is "Maria Silva", notify me',
        ask("contact.name", "eq", "Maria Silva"),
        [NOTIFY],
    ),
    ("If the contact is named João, alert me", named("João"), [NOTIFY]),
    ("When a message from customer Maria arrives, notify me", named("Maria"), [NOTIFY]),
    (
        "If there are more than 3 unread messages, create a task 'Answer' within 1 hour",
        unread("gt", 3),
        [task("Answer", due_in="PT1H")],
    ),
    ("If the conversation is tagged 'vip' or 'gold', notify me", tagged("vip", "gold"), [NOTIFY]),
    ("If the conversation has the tag 'spam', close the conversation", tagged("spam"), [status("closed")]),
    (
        "If the sentiment is negative and the urgency is high, create a task with urgent priority",
        both(NEGATIVE, URGENT),
        [task("Follow up", "urgent")],
    ),
    ("Reply 'Thanks!' to positive messages", POSITIVE, [reply("Thanks!")]),
    (
        "Every urgent WhatsApp message becomes a high priority task",
        both(URGENT, channel("whatsapp")),
        [task("Follow up", "high")],
    ),
    ("Tag urgent messages as 'hot'", URGENT, [tag("hot")]),
    ("When a customer negotiates, tag it negotiation", HAGGLING, [tag("negotiation")]),
    ("If a message isn't urgent, set the status to pending", no(URGENT), [status("pending")]),
    (
        "If someone mentions price, discount or shipping, reply 'One moment'",
        says("price", "discount", "shipping"),
        [reply("One moment")],
    ),
    (
        "If either the message is urgent or the contact is VIP, and it is on WhatsApp, notify me",
        both(either(URGENT, VIP), channel("whatsapp")),
        [NOTIFY],
    ),
    (
        "If the message is neither urgent nor negative, close it",
        both(no(URGENT), no(NEGATIVE)),
        [status("closed")],
    ),
    ("If the message is not urgent nor negative, close it", no(either(URGENT, NEGATIVE)), [status("closed")]),
    (
        "When a client writes in Spanish between 9am and 6pm, notify me",
        both(speaks("es"), hours(9, 17)),
        [NOTIFY],
    ),
    (
        "notify me when someone asks about delivery unless they are VIP",
        both(says("delivery"), NOT_VIP),
        [NOTIFY],
    ),
    ("Notify me only on weekends if the message is urgent", both(WEEKEND, URGENT), [NOTIFY]),
    ("Notify me when the message is urgent, but only on weekdays", both(URGENT, WORKDAYS), [NOTIFY]),
    ("When a message is urgent on Mondays or Tuesdays, notify me", both(URGENT, on(1, 2)), [NOTIFY]),
    ("When a message arrives from a VIP, notify me", VIP, [NOTIFY]),
    ('When someone says "hello", reply "Hi! How can I help?"', says("hello"), [reply("Hi! How can I help?")]),
    ("If urgent, notify me", URGENT, [NOTIFY]),
    ("If someone asks how to pay, reply 'With card'", says("how to pay"), [reply("With card")]),
    ("remind me to call when a customer is angry", NEGATIVE, [task("Call")]),
    (
        "Remind me to send the quote in 2 days when someone asks for a quote",
        says("quote"),
        [task("Send the quote", due_in="P2D")],
    ),
    ("When a customer asks for a discount then notify me.", says("discount"), [NOTIFY]),
    ("When unread count is greater than 5, notify me", unread("gt", 5), [NOTIFY]),
    ("If a message comes in on email, tag it email", channel("email"), [tag("email")]),
    ("IF A MESSAGE IS URGENT, NOTIFY ME!", URGENT, [NOTIFY]),
    (
        "tag it 'vip' and reply 'We open at 9' when a VIP writes on weekends",
        both(VIP, WEEKEND),
        [tag("vip"), reply("We open at 9")],
    ),
    (
        "Please let me know whenever I get an urgent message on messenger",
        both(URGENT, channel("messenger")),
        [NOTIFY],
    ),
    (
        "If (the message is urgent or negative) and the contact is VIP, notify me",
        both(either(URGENT, NEGATIVE), VIP),
        [NOTIFY],
    ),
    (
        "If the message is urgent or negative, and the contact is VIP, notify me",
        both(either(URGENT, NEGATIVE), VIP),
        [NOTIFY],
    ),
    (
        "If the message is urgent and negative or the contact is VIP, notify me",
        either(both(URGENT, NEGATIVE), VIP),
        [NOTIFY],
    ),
    (
        'When the message doesn\'t mention "price", close the conversation',
        no(says("price")),
        [status("closed")],
    ),
    ("From 10pm to 6am, reply 'Good night'", hours(22, 5), [reply("Good night")]),
    (
        "Between Monday and Friday from 9:00 to 18:00, tag urgent messages 'today'",
        both(WORKDAYS, hours(9, 17), URGENT),
        [tag("today")],
    ),
    (
        "If both the message is urgent and the contact is VIP, create a task 'Both' in half an hour",
        both(URGENT, VIP),
        [task("Both", due_in="PT30M")],
    ),
    ('Messages mentioning "warranty" from VIP customers: notify me', both(says("warranty"), VIP), [NOTIFY]),
    (
        "When the conversation is closed and the customer complains, reopen the conversation",
        both(ask("conversation.status", "eq", "closed"), NEGATIVE),
        [status("open")],
    ),
    (
        'If the urgency is medium or high, notify me with the title "Look"',
        urgency("medium", "high"),
        [notify("Look")],
    ),
    (
        "Create a task called 'Check stock' for tomorrow if someone mentions stock",
        says("stock"),
        [task("Check stock", due_in="P1D")],
    ),
    (
        "When a message without the tag 'done' is negative, mark it as pending",
        both(no(tagged("done")), NEGATIVE),
        [status("pending")],
    ),
    ("If a non-urgent message arrives, tag it 'later'", no(URGENT), [tag("later")]),
    (
        "If the channel is not email and the message is urgent, notify me",
        both(no(channel("email")), URGENT),
        [NOTIFY],
    ),
    (
        "notify me if someone asks for a refund except on weekends",
        both(says("refund"), no(WEEKEND)),
        [NOTIFY],
    ),
    ('When someone mentions "a" and "b", notify me', says("a", "b", every=True), [NOTIFY]),
    (
        "When a message is urgent, notify me; create a task 'X'; add the tags 'a' and 'b'",
        URGENT,
        [NOTIFY, task("X"), tag("a"), tag("b")],
    ),
    ("If the hour is between 9am and 12pm, reply 'Good morning'", hours(9, 11), [reply("Good morning")]),
    (
        'On Fridays after 5pm reply "See you Monday" and notify me',
        both(on(5), since(17)),
        [reply("See you Monday"), NOTIFY],
    ),
    ("Tag conversations from Instagram as social", channel("instagram"), [tag("social")]),
    ("For urgent messages, notify me", URGENT, [NOTIFY]),
    ("If the contact is VIP and it's the weekend, notify me", both(VIP, WEEKEND), [NOTIFY]),
    (
        "Create a follow-up task for tomorrow when a customer asks for a quote",
        says("quote"),
        [task("Follow up", due_in="P1D")],
    ),
    ("When a VIP customer sends an urgent message, notify me", both(VIP, URGENT), [NOTIFY]),
    ('If it\'s Saturday or Sunday, reply "Closed"', WEEKEND, [reply("Closed")]),
    ("When a customer wants to negotiate the price, notify me", HAGGLING, [NOTIFY]),
    ("If unread messages exceed 10, notify me", unread("gt", 10), [NOTIFY]),
    ('Messages about shipping: tag with "shipping"', says("shipping"), [tag("shipping")]),
    ("If it mentions either price or discount, notify me", says("price", "discount"), [NOTIFY]),
    (
        "When the customer asks for a discount but only if VIP, notify me",
        both(says("discount"), VIP),
        [NOTIFY],
    ),
    ("When VIP or urgent, notify me", either(VIP, URGENT), [NOTIFY]),
    (
        'If it contains "sale" but not "wholesale", notify me',
        both(says("sale"), no(says("wholesale"))),
        [NOTIFY],
    ),
    ("If the customer sends an audio, notify me", sends("audio"), [NOTIFY]),
    ("When a voice message or a video arrives, notify me", sends("audio", "video"), [NOTIFY]),
    ("If the message doesn't have a photo, notify me", no(sends("image")), [NOTIFY]),
    ("Tag messages with documents as 'doc'", sends("document"), [tag("doc")]),
    ("If the message has an attachment, notify me", sends("image", "audio", "video", "document"), [NOTIFY]),
    ("If it is the first conversation with this customer, notify me", FIRST, [NOTIFY]),
]
TRIGGERS = [
    ("Whenever a task is overdue, notify me", ALWAYS, [NOTIFY], "task.overdue"),
    (
        "When a lead goes cold, create a task to call the customer tomorrow",
        ALWAYS,
        [task("Call the customer", due_in="P1D")],
        "lead.stalled",
    ),
    (
        "When a new conversation starts on Instagram, tag it 'new'",
        channel("instagram"),
        [tag("new")],
        "conversation.created",
    ),
    (
        "When a task is overdue and the contact is VIP, create an urgent task",
        VIP,
        [task("Follow up", "urgent")],
        "task.overdue",
    ),
    ('For each new conversation, tag it "new"', ALWAYS, [tag("new")], "conversation.created"),
    ("When a new customer writes, notify me", FIRST, [NOTIFY], "conversation.created"),
    ("When someone writes for the first time, notify me", FIRST, [NOTIFY], "conversation.created"),
]


@pytest.mark.parametrize(("sentence", "when", "then"), SENTENCES)
def test_compiles(sentence, when, then):
    check("en", sentence, when, then)


@pytest.mark.parametrize(("sentence", "when", "then", "trigger"), TRIGGERS)
def test_compiles_what_happens(sentence, when, then, trigger):
    check("en", sentence, when, then, trigger)
