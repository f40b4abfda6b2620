"""The digits of mobiles that come and go: Brazil, Mexico, Argentina; and everything that only looks like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alfred.channels.phones import variants

AREAS = {
    *range(11, 20), 21, 22, 24, 27, 28, *range(31, 36), 37, 38, *range(41, 50), 51, 53, 54, 55,
    *range(61, 70), 71, 73, 74, 75, 77, 79, *range(81, 90), *range(91, 100),
}  # fmt: skip


@pytest.mark.parametrize(
    ("handle", "other"),
    [
        ("+5511987654321", "+551187654321"),
        ("+551187654321", "+5511987654321"),
        ("+5511961234567", "+551161234567"),
        ("+551161234567", "+5511961234567"),
        ("+5521999999999", "+552199999999"),
        ("+552199999999", "+5521999999999"),
        ("+5592981234567", "+559281234567"),
        ("+559971234567", "+5599971234567"),
        # Eight digits that begin with a 9 are an old mobile, not a number whose last digit is missing.
        ("+551196543210", "+5511996543210"),
        # Area code 55 after country code 55.
        ("+5555991234567", "+555591234567"),
        ("+555591234567", "+5555991234567"),
        # Mexico's 1 and Argentina's 9 stand behind the country's code.
        ("+5217221234567", "+527221234567"),
        ("+525512345678", "+5215512345678"),
        ("+5491187654321", "+541187654321"),
        ("+543514123456", "+5493514123456"),
    ],
)
def test_a_mobile_has_two_ways_to_be_written(handle, other):
    assert variants(handle) == [handle, other]


@pytest.mark.parametrize(
    "handle",
    [
        pytest.param("+551123456789", id="landline"),
        pytest.param("+551133334444", id="landline 3"),
        pytest.param("+551143334444", id="landline 4"),
        pytest.param("+551153334444", id="landline 5"),
        pytest.param("+5511912345678", id="nine digits whose old part is no mobile's"),
        pytest.param("+5511952345678", id="nine digits, landline with a 9 in front"),
        pytest.param("+5511887654321", id="nine digits that do not begin with 9"),
        pytest.param("+551107654321", id="eight digits that begin with 0"),
        pytest.param("+551117654321", id="eight digits that begin with 1"),
        pytest.param("+5511900000012", id="nine digits, a 0 after the 9"),
        pytest.param("+55119876543", id="seven digits"),
        pytest.param("+55119987654321", id="ten digits"),
        pytest.param("+5587654321", id="eight digits right after 55"),
        pytest.param("+55987654321", id="nine digits right after 55"),
        pytest.param("+5510987654321", id="area code 10 is nobody's"),
        pytest.param("+5520987654321", id="area code 20 is nobody's"),
        pytest.param("+5523987654321", id="area code 23 is nobody's"),
        pytest.param("+5552987654321", id="area code 52 is nobody's"),
        pytest.param("+5500987654321", id="area code 00"),
        pytest.param("+5508007654321", id="0800"),
        pytest.param("+5530031234", id="short code 3003"),
        pytest.param("+551904", id="short code"),
        pytest.param("190", id="emergency"),
        pytest.param("+549118765432", id="Argentina, a digit too few"),
        pytest.param("+5499187654321", id="Argentina, an area code that begins with 9"),
        pytest.param("+351987654321", id="Portugal"),
        pytest.param("+15551987654321", id="not +55 at all"),
        pytest.param("+12025550123", id="United States"),
        pytest.param("+521722123456", id="Mexico, a digit too few"),
        pytest.param("+521122123456", id="Mexico, an area code that begins with 1"),
        pytest.param("5511987654321", id="no plus: not how a phone is stored"),
        pytest.param("11987654321", id="national"),
        pytest.param("+55 11 98765-4321", id="written with spaces"),
        pytest.param("+5511987654321\n", id="a line feed at the end"),
        pytest.param("+551198765432１", id="a digit that is not ASCII"),
        pytest.param("5511987654321@lid", id="@lid"),
        pytest.param("+5511987654321@lid", id="@lid with a plus"),
        pytest.param("84251122334455@lid", id="@lid of WhatsApp"),
        pytest.param("BR.1A2B3C4D5E6F", id="business-scoped user id"),
        pytest.param("marina@example.com", id="e-mail"),
        pytest.param("", id="nothing"),
    ],
)
def test_anything_else_is_only_itself(handle):
    assert variants(handle) == [handle]


@pytest.mark.parametrize("area", range(100))
def test_only_area_codes_in_use(area):
    handle = f"+55{area:02}987654321"
    assert len(variants(handle)) == (2 if area in AREAS else 1)


@given(st.text() | st.from_regex(r"\+5[245][0-9]{8,12}", fullmatch=True))
def test_both_ways_name_each_other(handle):
    ways = variants(handle)
    assert ways[0] == handle
    for other in ways[1:]:
        assert variants(other) == [other, handle]
        assert abs(len(other) - len(handle)) == 1
