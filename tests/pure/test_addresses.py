"""Which hosts may be called: every spelling of a private address is one."""

from ipaddress import ip_address, ip_network

import pytest

from alfred.addresses import Targets, fault_of, literal_of

NONE, LOOPBACK = Targets(), Targets((ip_network("127.0.0.0/8"), ip_network("::1/128")))

PRIVATE = [
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "0x0a.0.0.1",
    "167772161",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.1.1",
    "100.64.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "127.0.0.1.",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::a00:1]",
    "[2002:a00:1::]",
    "[2002:7f00:1::1]",
    "[::127.0.0.1]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd12::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[2001:0:0:0:0:0:80ff:fffe]",
]
METADATA = ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "[::ffff:169.254.169.254]", "0xa9fea9fe"]


@pytest.mark.parametrize("host", PRIVATE + METADATA)
def test_private_literals_are_refused_in_any_spelling(host):
    assert fault_of(f"https://{host}/x", NONE) == "private_address"


@pytest.mark.parametrize("host", METADATA)
def test_metadata_addresses_are_refused_whatever_the_setting_says(host):
    everything = Targets((ip_network("0.0.0.0/0"), ip_network("::/0")))
    assert fault_of(f"https://{host}/x", everything) == "private_address"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_listed_networks_are_allowed(scheme, host):
    assert fault_of(f"{scheme}://{host}:8080/graph", LOOPBACK) is None


@pytest.mark.parametrize("host", ["93.184.216.34", "[2606:4700::1]", "[64:ff9b::8.8.8.8]", "example.com"])
def test_public_hosts_take_https_only(host):
    assert fault_of(f"https://{host}/x", NONE) is None
    assert fault_of(f"http://{host}/x", LOOPBACK) == "insecure_url"


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://a.example/", "https://", "https:///x", "https://u:p@a.example/", "https://u@a.example/",
     "https://a.example/#x", "https://a.example/#", "https://a.example:99999/", "https://a b/", "https://a\\@b/",
     "https://127%2e0.0.1/", "https://[fe80::1%25eth0]/", "https://exämple.com/", "https://a.example/\n",
     "javascript:alert(1)", "https://a.example/" + "x" * 2048],
)  # fmt: skip
def test_what_is_no_url_to_call(url):
    assert fault_of(url, LOOPBACK) == "invalid_url"


def test_a_name_is_judged_by_what_it_leads_to():
    private, public = [ip_address("10.0.0.1")], [ip_address("93.184.216.34")]
    assert fault_of("https://a.example/", NONE, private) == "private_address"
    assert fault_of("https://a.example/", NONE, public) is None
    assert fault_of("http://a.example/", LOOPBACK, public) == "insecure_url"
    assert fault_of("http://localhost/", LOOPBACK, [ip_address("127.0.0.1")]) is None


def test_a_plain_name_that_nobody_knows_yet_is_a_gateway_next_door():
    assert fault_of("http://waha:3000/", LOOPBACK) is None
    assert fault_of("http://waha:3000/", NONE) == "insecure_url"


@pytest.mark.parametrize("host", ["a.example", "1.2.3.4.5", "0xzz", "", ".", "1a.example", "256.1.1.1"])
def test_names_are_no_literals(host):
    assert literal_of(host) is None


def test_a_url_out_of_a_payload_reaches_no_listed_network():
    address = ip_address("127.0.0.1")
    assert LOOPBACK.allow(address)
    assert not LOOPBACK.allow(address, private=False)
