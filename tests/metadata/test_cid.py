"""Content ids: the known ones, and that there is one spelling of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketchain.metadata.cid import BadCid, cid_from_digest, cid_of, digest_from_cid, digest_of


@pytest.mark.parametrize(
    ("data", "cid"),
    [
        # As `ipfs add --cid-version=1` of js-ipfs 0.66 names them: one raw leaf is one raw block.
        (b"", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
        (b"hello world", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"),
    ],
)
def test_known_ids(data: bytes, cid: str) -> None:
    assert cid_of(data) == cid
    assert digest_from_cid(cid) == digest_of(data)


@given(digest=st.binary(min_size=32, max_size=32))
def test_a_digest_survives_its_id(digest: bytes) -> None:
    cid = cid_from_digest(digest)
    assert cid.startswith("bafkrei") and len(cid) == 59
    assert digest_from_cid(cid) == digest


@given(data=st.binary(), other=st.binary())
def test_different_content_has_different_ids(data: bytes, other: bytes) -> None:
    assert (cid_of(data) == cid_of(other)) == (data == other)


@given(text=st.text() | st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", min_size=58, max_size=58).map("b".__add__))
def test_junk_raises_bad_cid_and_nothing_else(text: str) -> None:
    try:
        assert cid_from_digest(digest_from_cid(text)) == text
    except BadCid as error:
        assert "cid" in str(error)


GOOD = cid_of(b"hello world")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "../../etc/passwd",
        GOOD.upper(),
        GOOD + "=",
        GOOD[:-1],
        GOOD[:-1] + "f",  # the same 36 bytes with other spare bits
        "QmaozNR7DZHQK1ZcU9p7QdrshMvXqWK6gpu5rmrkPdT3L4",
        "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
        "zb2rhj7crUKTQYRGCRATFaQ6YFLTde2YzdqbbhAASkL9uRDXn",
    ],
)
def test_other_ids_are_refused(text: str) -> None:
    with pytest.raises(BadCid, match="bafkrei"):
        digest_from_cid(text)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_digest_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32"):
        cid_from_digest(bytes(length))
