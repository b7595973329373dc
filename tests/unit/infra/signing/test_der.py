from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.signing import der

oids = st.tuples(
    st.sampled_from([(0, 39), (1, 2), (2, 5), (2, 999)]),
    st.lists(st.integers(min_value=0, max_value=2**70), max_size=8),
).map(lambda parts: ".".join(map(str, (*parts[0], *parts[1]))))


class TestReading:
    def test_raw_bytes_of_every_element_are_those_received(self) -> None:
        inner = der.octet_string(b"\x01\x02")
        outer = der.sequence(der.integer(7), inner)
        node = der.parse(outer)
        assert node.raw == outer
        assert [child.raw for child in node.children()] == [der.integer(7), inner]

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "truncated"),
            (b"\x30", "truncated"),
            (b"\x04\x05abc", "truncated"),
            (b"\x04\x82\x01", "truncated"),
            (b"\x04\x01ab", "trailing bytes"),
            (b"\x30\x80\x00\x00", "indefinite length"),
            (b"\x04\x81\x03abc", "length is not in its shortest form"),
            (b"\x04\x82\x00\x85" + bytes(0x85), "length is not in its shortest form"),
            (b"\x04\x85\x01\x00\x00\x00\x00", "length of more than four octets"),
            (b"\x1f\x20\x00", "tag number above 30"),
        ],
    )
    def test_what_is_not_der_is_refused(self, data: bytes, reason: str) -> None:
        with pytest.raises(der.DerError) as caught:
            der.parse(data)
        assert caught.value.reason == reason

    def test_a_child_may_not_reach_beyond_its_parent(self) -> None:
        node = der.parse(b"\x30\x03\x04\x02a")
        with pytest.raises(der.DerError, match="truncated"):
            node.children()

    def test_nesting_is_bounded(self) -> None:
        data = der.null()
        for _ in range(der.MAX_DEPTH + 1):
            data = der.sequence(data)
        node = der.parse(data)
        for _ in range(der.MAX_DEPTH):
            node = node.only_child()
        with pytest.raises(der.DerError, match="nested too deeply"):
            node.only_child()

    def test_elements_of_one_level_are_bounded(self) -> None:
        node = der.parse(der.encode(der.SEQUENCE, der.null() * (der.MAX_CHILDREN + 1)))
        with pytest.raises(der.DerError, match="too many elements"):
            node.children()

    def test_size_is_bounded(self) -> None:
        with pytest.raises(der.DerError, match="larger than the limit"):
            der.parse(bytes(der.MAX_SIZE + 1))

    def test_an_error_tells_the_place(self) -> None:
        node = der.parse(der.sequence(der.integer(1), der.null()))
        with pytest.raises(der.DerError) as caught:
            node.children()[1].integer()
        assert caught.value.offset == 5

    @given(st.binary(max_size=64))
    def test_any_bytes_are_read_or_refused(self, data: bytes) -> None:
        try:
            node = der.parse(data)
        except der.DerError:
            return
        assert node.raw == data


class TestFields:
    def test_missing_unexpected_and_wrong_elements_are_refused(self) -> None:
        fields = der.parse(der.sequence(der.integer(1), der.null())).fields()
        with pytest.raises(der.DerError, match="expected tag 0x04"):
            fields.take(der.OCTET_STRING)
        assert fields.take(der.INTEGER).integer() == 1
        assert fields.optional(der.BOOLEAN) is None
        with pytest.raises(der.DerError, match="unexpected element"):
            fields.finish()
        assert [node.tag for node in fields.rest()] == [der.NULL]
        with pytest.raises(der.DerError, match="missing"):
            fields.take()

    def test_an_element_of_another_kind_has_no_fields(self) -> None:
        with pytest.raises(der.DerError, match="expected tag 0x30"):
            der.parse(der.encode(der.SET, der.null())).fields()


class TestValues:
    @given(st.integers(min_value=-(2**200), max_value=2**200))
    def test_an_integer_survives_a_round_trip(self, value: int) -> None:
        assert der.parse(der.integer(value)).integer() == value

    @pytest.mark.parametrize("data", [b"\x02\x00", b"\x02\x02\x00\x7f", b"\x02\x02\xff\x80"])
    def test_an_integer_has_one_encoding(self, data: bytes) -> None:
        with pytest.raises(der.DerError):
            der.parse(data).integer()

    @given(oids)
    def test_an_object_identifier_survives_a_round_trip(self, dotted: str) -> None:
        assert der.parse(der.oid(dotted)).oid() == dotted

    def test_the_identifier_of_dstu_4145_has_its_published_bytes(self) -> None:
        encoded = der.oid("1.2.804.2.1.1.1.1.3.1.1")
        assert encoded == bytes.fromhex("060b 2a86240201010101030101")

    @pytest.mark.parametrize("dotted", ["1", "3.1", "1.40", "1.-1", "a.b"])
    def test_an_impossible_object_identifier_is_refused(self, dotted: str) -> None:
        with pytest.raises(ValueError, match=r"object identifier|invalid literal"):
            der.oid(dotted)

    @pytest.mark.parametrize("content", [b"", b"\x2a\x86", b"\x2a\x80\x01"])
    def test_a_malformed_object_identifier_is_refused(self, content: bytes) -> None:
        with pytest.raises(der.DerError, match="OBJECT IDENTIFIER"):
            der.parse(der.encode(der.OBJECT_IDENTIFIER, content)).oid()

    def test_booleans_have_one_encoding_each(self) -> None:
        assert der.parse(der.boolean(True)).boolean() is True
        assert der.parse(der.boolean(False)).boolean() is False
        with pytest.raises(der.DerError):
            der.parse(b"\x01\x01\x01").boolean()

    def test_bits_are_read_by_number(self) -> None:
        node = der.parse(bytes.fromhex("030206c0"))
        assert node.named_bits() == {0, 1}
        with pytest.raises(der.DerError, match="whole octets"):
            node.bit_string()
        assert der.parse(der.bit_string(b"ab")).bit_string() == b"ab"
        for malformed in ("0300", "030101", "03020880"):
            with pytest.raises(der.DerError):
                der.parse(bytes.fromhex(malformed)).named_bits()

    def test_what_strings_wrap_is_one_element_with_nothing_after(self) -> None:
        assert der.parse(der.octet_string(der.integer(5))).inner().integer() == 5
        assert der.parse(der.bit_string(der.integer(5))).bits_inner().integer() == 5
        with pytest.raises(der.DerError, match="trailing"):
            der.parse(der.octet_string(der.integer(5) + b"\x00")).inner()

    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (der.utf8_string("Каса"), "Каса"),
            (der.printable_string("TINUA-1"), "TINUA-1"),
            (der.encode(der.BMP_STRING, "Каса".encode("utf-16-be")), "Каса"),
            (der.encode(der.UNIVERSAL_STRING, "Каса".encode("utf-32-be")), "Каса"),
            (der.encode(der.UTF8_STRING, b"a\xff"), "a�"),
        ],
    )
    def test_all_string_types_are_read(self, data: bytes, text: str) -> None:
        assert der.parse(data).text() == text

    def test_a_number_is_no_text(self) -> None:
        with pytest.raises(der.DerError):
            der.parse(der.integer(1)).text()


class TestTimes:
    @pytest.mark.parametrize(
        ("tag", "text", "expected"),
        [
            (der.UTC_TIME, "260910072500Z", datetime(2026, 9, 10, 7, 25, tzinfo=UTC)),
            (der.UTC_TIME, "2609100725Z", datetime(2026, 9, 10, 7, 25, tzinfo=UTC)),
            (der.UTC_TIME, "500101000000Z", datetime(1950, 1, 1, tzinfo=UTC)),
            (der.UTC_TIME, "491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
            (der.UTC_TIME, "260910102500+0300", datetime(2026, 9, 10, 7, 25, tzinfo=UTC)),
            (
                der.GENERALIZED_TIME,
                "20260910072500.25Z",
                datetime(2026, 9, 10, 7, 25, 0, 250_000, tzinfo=UTC),
            ),
        ],
    )
    def test_times_are_read_as_utc(self, tag: int, text: str, expected: datetime) -> None:
        assert der.parse(der.encode(tag, text.encode())).time() == expected

    @pytest.mark.parametrize(
        ("tag", "text"),
        [
            (der.UTC_TIME, "260910072500"),
            (der.UTC_TIME, "261310072500Z"),
            (der.UTC_TIME, "26091007250Z"),
            (der.UTC_TIME, "260910072500.5Z"),
            (der.UTC_TIME, "260910072500+03"),
            (der.GENERALIZED_TIME, "260910072500Z"),
            (der.UTF8_STRING, "260910072500Z"),
        ],
    )
    def test_what_is_no_time_is_refused(self, tag: int, text: str) -> None:
        with pytest.raises(der.DerError):
            der.parse(der.encode(tag, text.encode())).time()

    @given(st.integers(min_value=-20 * 365 * 86_400, max_value=130 * 365 * 86_400))
    def test_a_time_survives_a_round_trip_to_the_second(self, seconds: int) -> None:
        moment = datetime.fromtimestamp(seconds, UTC)
        assert der.parse(der.time(moment + timedelta(microseconds=5))).time() == moment


class TestWriting:
    @pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65_535, 65_536, 1_000_000])
    def test_every_length_is_written_as_the_reader_wants_it(self, length: int) -> None:
        content = bytes(length)
        assert der.parse(der.octet_string(content)).octets() == content

    def test_a_set_is_sorted_by_its_bytes(self) -> None:
        parts = [der.octet_string(b"bb"), der.integer(5), der.octet_string(b"a")]
        tags = [child.raw for child in der.parse(der.set_of(parts)).children()]
        assert tags == sorted(parts)

    def test_a_changed_identifier_octet_leaves_the_rest(self) -> None:
        element = der.set_of([der.integer(1)])
        assert (
            der.parse(der.retagged(element, der.context(0))).content == der.parse(element).content
        )
