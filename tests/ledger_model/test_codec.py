"""The small encoder agrees with eth_abi, and the small signatures with eth_account."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger_model.codec import tuple_encoder
from tests.ledger_model.people import address_of, private_key
from tests.ledger_model.signing import TYPES, Signed, Signer

ADDRESS = st.integers(0, 2**160 - 1)
U40 = st.integers(0, 2**40 - 1)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "uint40": U40,
    "int48": st.integers(-(2**47), 2**47 - 1),
    "bool": st.booleans(),
    "bytes3": st.binary(min_size=3, max_size=3),
    "bytes": st.binary(max_size=70),
    "string": st.text(max_size=40),
    "uint40[]": st.lists(U40, max_size=3),
    "uint24[4]": st.tuples(*[st.integers(0, 2**24 - 1)] * 4),
    "(uint64,bytes)": st.tuples(U40, st.binary(max_size=40)),
    "(uint256,uint256)[]": st.lists(st.tuples(U40, U40), max_size=3),
    "(bytes3,(uint40,uint16)[],uint24[4],bool)": st.tuples(
        st.binary(min_size=3, max_size=3),
        st.lists(st.tuples(U40, st.integers(0, 9)), max_size=3),
        st.tuples(*[st.integers(0, 9)] * 4),
        st.booleans(),
    ),
    "bytes[]": st.lists(st.binary(max_size=40), max_size=3),
}


@given(
    st.lists(st.sampled_from(sorted(VALUES)), max_size=5).flatmap(
        lambda kinds: st.tuples(st.just(tuple(kinds)), st.tuples(*[VALUES[kind] for kind in kinds]))
    )
)
@settings(max_examples=300, deadline=None)
def test_encoding_is_the_abi(case: tuple[tuple[str, ...], tuple[Any, ...]]) -> None:
    kinds, values = case
    assert tuple_encoder(kinds)(values) == encode(kinds, values)


@given(ADDRESS)
def test_addresses_are_numbers(account: int) -> None:
    assert tuple_encoder(("address",))((account,)) == encode(["address"], [f"0x{account:040x}"])


@pytest.mark.parametrize("name", sorted(TYPES))
def test_signatures_are_eip_712(name: str) -> None:
    members = [member.split(" ") for member in TYPES[name].partition("(")[2].rstrip(")").split(",")]
    samples: dict[str, Any] = {"bytes32": b"h" * 32, "bytes16": b"r" * 16, "bytes3": b"EUR", "bool": True}
    values = [samples.get(kind, -7 if kind.startswith("int") else 7) for kind, _ in members]
    shown = [
        f"0x{value:040x}" if kind == "address" else value for (kind, _), value in zip(members, values, strict=True)
    ]
    key, ledger = private_key(1), 0x1234
    domain = {"name": "ticketchain", "version": "1", "chainId": 1, "verifyingContract": f"0x{ledger:040x}"}
    fields = [{"name": field, "type": kind} for kind, field in members]
    data = dict(zip([field for _, field in members], shown, strict=True))
    expected = Account.sign_message(encode_typed_data(domain, {name: fields}, data), key.secret).signature
    signer = Signer(1, ledger, {address_of(key): key})
    assert signer.encode(Signed(address_of(key), (name, *values))) == bytes(expected)
