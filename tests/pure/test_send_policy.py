"""What may be sent now, by channel, provider and the customer's last message."""

from datetime import UTC, datetime, timedelta

import pytest

from alfred.senders.policy import Line, needs_human_tag, policy, refusal

NOW = datetime(2030, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(hours=24)
WEEK = timedelta(days=7)
WHATSAPP = [Line("whatsapp", provider) for provider in ("whatsapp_cloud", "twilio", None)]
META = [Line(kind, provider) for kind in ("messenger", "instagram") for provider in (kind, None)]
FREE = [Line("whatsapp", provider) for provider in ("evolution", "waha", "zapi")] + [
    Line("email", "email"),
    Line("email"),
]


def ago(delta):
    return NOW - delta


@pytest.mark.parametrize("line", WHATSAPP)
def test_whatsapp_is_open_for_a_day(line):
    found = policy(line, ago(DAY - SECOND), None, NOW)
    assert (found.state, found.kinds, found.expires_at) == ("open", ("text", "attachment", "template"), NOW + SECOND)
    for last in (ago(DAY), ago(WEEK), None):
        shut = policy(line, last, None, NOW)
        assert (shut.state, shut.kinds, shut.template_required, shut.remedy) == (
            "closed", ("template",), True, "use_template",
        )  # fmt: skip
        assert shut.reason == ("window" if last else "no_inbound")
        assert shut.enforced == (line.provider is not None)


@pytest.mark.parametrize("line", META)
def test_meta_is_open_for_a_day(line):
    found = policy(line, ago(DAY - SECOND), None, NOW)
    assert (found.state, found.kinds, found.human_only) == ("open", ("text", "attachment"), False)
    shut = policy(line, ago(DAY), None, NOW)
    assert (shut.state, shut.kinds, shut.remedy) == ("closed", (), "wait_for_customer")


@pytest.mark.parametrize("kind", ["messenger", "instagram"])
def test_a_person_may_answer_for_a_week_where_the_shop_has_that_right(kind):
    line = Line(kind, kind, human_agent=True)
    assert not policy(line, ago(DAY - SECOND), None, NOW).human_only
    for last in (ago(DAY), ago(WEEK - SECOND)):
        found = policy(line, last, None, NOW)
        assert (found.state, found.human_only, found.expires_at) == ("open", True, last + WEEK)
        assert refusal(found, ["text"], "person") is None
        assert refusal(found, ["text"], "automation") == "window_closed"
        assert needs_human_tag(line, last, NOW)
    assert policy(line, ago(WEEK), None, NOW).state == "closed"
    assert not needs_human_tag(line, ago(DAY - SECOND), NOW)


@pytest.mark.parametrize("line", FREE)
@pytest.mark.parametrize("last", [None, ago(WEEK), NOW])
def test_gateways_and_mail_know_no_window(line, last):
    found = policy(line, last, None, NOW)
    assert (found.state, found.kinds, found.expires_at) == ("open", ("text", "attachment"), None)


@pytest.mark.parametrize("line", WHATSAPP + META + FREE)
def test_a_channel_that_is_off_sends_nothing(line):
    off = Line(line.type, line.provider, active=False)
    found = policy(off, NOW, None, NOW)
    assert (found.state, found.kinds, found.reason) == ("closed", (), "inactive")
    assert refusal(found, ["text"], "person") == ("channel_inactive" if line.provider else None)


@pytest.mark.parametrize("line", WHATSAPP + META + FREE)
def test_whoever_opted_out_hears_from_people_only(line):
    found = policy(line, NOW, ago(DAY), NOW)
    assert (found.state, found.human_only, found.reason) == ("open", True, "opted_out")
    assert refusal(found, ["text"], "automation") == "recipient_opted_out"
    assert refusal(found, ["text"], "person") is None


def test_an_unconnected_channel_is_only_advised():
    shut = policy(Line("whatsapp"), None, None, NOW)
    assert (shut.enforced, refusal(shut, ["text"], "automation")) == (False, None)


def test_a_template_passes_a_closed_window():
    shut = policy(Line("whatsapp", "whatsapp_cloud"), None, None, NOW)
    assert refusal(shut, ["template"], "automation") is None
    assert refusal(shut, ["text"], "person") == "window_closed"
    assert refusal(shut, ["attachment", "template"], "person") == "window_closed"


def test_a_window_never_counts_from_a_moment_to_come():
    assert policy(WHATSAPP[0], NOW + WEEK, None, NOW).expires_at == NOW + DAY
