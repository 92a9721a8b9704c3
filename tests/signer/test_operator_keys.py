"""An operator key does the same wherever it is kept: sealed here, in AWS KMS, behind Web3Signer."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from eth_account import Account
from eth_hash.auto import keccak
from eth_keys.main import KeyAPI
from moto.kms.utils import ECDSAPrivateKey

from tests.support.key_services import (
    OUTAGES,
    TOKEN,
    Aws,
    Trouble,
    Web3SignerPeer,
    moto_server,
    sign_digests_as_they_are,
    wait_less,
)
from ticketchain.artifacts import load
from ticketchain.chain.abi import decode_result, encode_call
from ticketchain.chain.deploy import ADMIN, ATTESTOR, RELAYER
from ticketchain.context import open_context
from ticketchain.domain.consents import Paid, RefundsPaid
from ticketchain.domain.errors import SignerRefused
from ticketchain.domain.ports import TransactionFields
from ticketchain.sealing.errors import KeyProviderDown, KeyProviderProblem, SealBroken
from ticketchain.sealing.keyring import Keyring
from ticketchain.sealing.seal import Purpose, Seal
from ticketchain.settings import Settings
from ticketchain.signer.config import Config
from ticketchain.signer.desk import SigningDesk
from ticketchain.signer.keys import new_key
from ticketchain.signer.opening import open_desk
from ticketchain.signer.operator_keys import LocalOperatorKey, OperatorKey, key_elsewhere, sign_transaction
from ticketchain.signer.recovery import ORDER, recoverable

pytestmark = pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")  # boto3 keeps its connections

CALL = TransactionFields(31337, 7, 100_000, 20, 2, "0x5FbDB2315678afecb367f032d93F642f64180aa3", b"\x01\x02\x03\x04")
SECP256K1 = {"KeySpec": "ECC_SECG_P256K1", "KeyUsage": "SIGN_VERIFY"}
Change = Callable[[int, int], tuple[int, int]]


@dataclass
class Bench:
    """`open`: the key again, as after a restart. Of a key elsewhere, `fail` puts what keeps it in trouble, and `change`
    changes r and s of what it answers from now on.
    """

    open: Callable[[], OperatorKey]
    fail: Callable[[Trouble], None] = field(default=lambda _: None)
    change: Callable[[Change], None] = field(default=lambda _: None)


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, moto_url: str) -> Iterator[Aws]:
    aws = Aws(monkeypatch, moto_url)
    yield aws
    aws.close()


@pytest.fixture
def web3signer() -> Iterator[Web3SignerPeer]:
    peer = Web3SignerPeer()
    yield peer
    peer.close()


@pytest.fixture(params=["local", "aws-kms", "web3signer"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    if request.param != "local":
        return elsewhere(request.param, request)
    seal = Seal(Keyring(tmp_path / "master.key"), 31337)
    sealed = new_key(seal, Purpose.ATTESTOR, "attestor")
    return Bench(lambda: LocalOperatorKey(seal, sealed, Purpose.ATTESTOR))


@pytest.fixture(params=["aws-kms", "web3signer"])
def service(request: pytest.FixtureRequest) -> Bench:
    return elsewhere(request.param, request)


def elsewhere(kind: str, request: pytest.FixtureRequest) -> Bench:
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    return in_kms(request, patch) if kind == "aws-kms" else behind_web3signer(request, patch)


def in_kms(request: pytest.FixtureRequest, patch: pytest.MonkeyPatch) -> Bench:
    aws: Aws = request.getfixturevalue("aws")
    sign_digests_as_they_are(patch)
    key, sign = aws.key(**SECP256K1), ECDSAPrivateKey.sign

    def change(how: Change) -> None:
        def changed(self: Any, message: bytes, algorithm: str) -> bytes:
            return encode_dss_signature(*how(*decode_dss_signature(sign(self, message, algorithm))))

        patch.setattr(ECDSAPrivateKey, "sign", changed)

    return Bench(lambda: key_elsewhere(f"aws-kms:{key}"), aws.fail, change)


def behind_web3signer(request: pytest.FixtureRequest, patch: pytest.MonkeyPatch) -> Bench:
    peer: Web3SignerPeer = request.getfixturevalue("web3signer")

    def change(how: Change) -> None:
        def changed(signature: bytes) -> bytes:
            r, s = how(*(int.from_bytes(signature[at : at + 32], "big") for at in (0, 32)))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big") + signature[64:]

        peer.change = changed

    def fail(trouble: Trouble) -> None:
        peer.trouble = trouble
        wait_less(patch, trouble)
        if trouble == "closed":
            peer.close()

    return Bench(lambda: key_elsewhere(f"web3signer:{peer.url}#{peer.addresses[1]}"), fail, change)


def recovered(signature: bytes, preimage: bytes) -> str:
    plain = KeyAPI().Signature(signature[:64] + bytes([signature[64] - 27]))
    return plain.recover_public_key_from_msg_hash(keccak(preimage)).to_checksum_address()


def test_a_signature_is_65_bytes_low_and_recovers_to_the_address(bench: Bench) -> None:
    key = bench.open()
    for number in range(30):
        preimage = b"preimage %d" % number
        signature = key.sign(preimage)
        assert (len(signature), recovered(signature, preimage)) == (65, key.address)
        assert 0 < int.from_bytes(signature[32:64], "big") <= ORDER // 2
        assert signature[64] in (27, 28)


def test_the_address_stays_the_same(bench: Bench) -> None:
    assert bench.open().address == bench.open().address


def test_a_transaction_is_sent_by_the_address(bench: Bench) -> None:
    key = bench.open()
    made = sign_transaction(key, CALL)
    assert Account.recover_transaction(made.raw) == key.address
    assert made.hash == keccak(made.raw)


@pytest.mark.parametrize("size", [0, 1, 32, 65, 60_000])
def test_any_length_is_hashed_before_it_is_signed(bench: Bench, size: int) -> None:
    key, preimage = bench.open(), Random(size).randbytes(size)
    assert recovered(key.sign(preimage), preimage) == key.address


def test_the_high_twin_is_answered_low(service: Bench) -> None:
    key = service.open()
    service.change(lambda r, s: (r, max(s, ORDER - s)))
    for number in range(8):
        preimage = b"high %d" % number
        signature = key.sign(preimage)
        assert int.from_bytes(signature[32:64], "big") <= ORDER // 2
        assert recovered(signature, preimage) == key.address


@pytest.mark.parametrize(
    "change",
    [lambda r, s: (r, s ^ 1), lambda r, s: (s, r), lambda r, s: (0, s), lambda r, s: (r, 0), lambda r, s: (r, ORDER)],
    ids=["another s", "swapped", "no r", "no s", "s too large"],
)
def test_what_is_not_a_signature_of_this_by_this_key_is_refused(service: Bench, change: Change) -> None:
    key = service.open()
    service.change(change)
    with pytest.raises(KeyProviderProblem, match="nothing was signed"):
        key.sign(b"preimage")


@pytest.mark.parametrize("trouble", OUTAGES)
def test_an_outage_is_said_so_soon(service: Bench, trouble: Trouble) -> None:
    service.fail(trouble)
    with pytest.raises(KeyProviderDown, match="try again later") as down:
        service.open().sign(b"preimage")
    assert TOKEN not in str(down.value)


@pytest.mark.parametrize("trouble", ["denied", "nonsense"])
def test_what_somebody_must_mend_is_no_outage(service: Bench, trouble: Trouble) -> None:
    service.fail(trouble)
    with pytest.raises(KeyProviderProblem) as problem:
        service.open().sign(b"preimage")
    assert TOKEN not in str(problem.value)


def test_a_service_that_hashes_the_digest_again_is_convicted(aws: Aws) -> None:
    """moto as it is does so: it takes a digest for a message. Nothing that it signs would recover to the address."""
    key = key_elsewhere(f"aws-kms:{aws.key(**SECP256K1)}")
    with pytest.raises(KeyProviderProblem, match="no signature of"):
        key.sign(b"preimage")


@pytest.mark.parametrize("spec", [{"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}, {"KeySpec": "RSA_2048"}])
def test_a_key_of_another_kind_in_kms_is_refused_at_once(aws: Aws, spec: dict[str, str]) -> None:
    with pytest.raises(KeyProviderProblem, match="ECC_SECG_P256K1"):
        key_elsewhere(f"aws-kms:{aws.key(**{'KeyUsage': 'SIGN_VERIFY', **spec})}")


def test_a_key_that_web3signer_has_not_is_refused_at_once(web3signer: Web3SignerPeer) -> None:
    stranger = Account.create().address
    with pytest.raises(KeyProviderProblem, match=f"no key of {stranger}"):
        key_elsewhere(f"web3signer:{web3signer.url}#{stranger}")


@pytest.mark.parametrize(
    "place",
    ["", "local", "aws-kms:", "kms:x", "web3signer:http://w.test", "web3signer:#0x", "web3signer:http://w.test#0x12"],
)
def test_a_place_that_cannot_be_is_one_sentence(place: str) -> None:
    with pytest.raises(KeyProviderProblem, match="write"):
        key_elsewhere(place)


def test_a_sealed_key_opens_only_for_its_purpose_and_name(tmp_path: Path) -> None:
    seal = Seal(Keyring(tmp_path / "master.key"), 31337)
    sealed = new_key(seal, Purpose.ATTESTOR, "attestor")
    with pytest.raises(SealBroken):
        LocalOperatorKey(seal, sealed, Purpose.ADMIN)
    with pytest.raises(SealBroken):
        LocalOperatorKey(seal, type(sealed)("admin", sealed.address, sealed.sealed, sealed.version), Purpose.ATTESTOR)


def test_the_recovery_id_is_found_for_both_parities_and_never_guessed() -> None:
    account, seen = Account.create(), set[int]()
    for _ in range(40):
        digest = secrets.token_bytes(32)
        theirs = account.unsafe_sign_hash(digest)
        ours = recoverable(theirs.r, theirs.s, digest, account.address)
        assert ours == bytes(theirs.signature)
        seen.add(ours[64])
        with pytest.raises(KeyProviderProblem):
            recoverable(theirs.r, theirs.s, digest, Account.create().address)
    assert seen == {27, 28}


# ------------------------------------------------------------------------------------------------ all of the operator's


@pytest.fixture
def places(aws: Aws, web3signer: Web3SignerPeer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Admin and attestor in KMS, the first relayer behind Web3Signer; the second one stays in the vault."""
    sign_digests_as_they_are(monkeypatch)
    at_web3signer = f"web3signer:{web3signer.url}#{web3signer.addresses[0]}"
    in_kms = {name: f"aws-kms:{aws.key(**SECP256K1)}" for name in ("attestor", "admin")}
    return in_kms | {"relayer": at_web3signer}


def config(folder: Path, places: dict[str, str]) -> Config:
    return Config(
        str(folder / "signer"),
        str(folder / "keys" / "master.key"),
        31337,
        "http://localhost:8000",
        ("0x5FbDB2315678afecb367f032d93F642f64180aa3",),
        relayers=2,
        operator_keys=places,
    )


@contextmanager
def desk_with(folder: Path, places: dict[str, str]) -> Iterator[SigningDesk]:
    desk = open_desk(config(folder, places))
    try:
        yield desk
    finally:
        desk.vault.close()


def test_a_desk_signs_with_keys_from_everywhere(tmp_path: Path, places: dict[str, str]) -> None:
    with desk_with(tmp_path, places) as desk:
        there = {name: key_elsewhere(place).address for name, place in places.items()}
        assert (desk.relayer, desk.attestor, desk.admin) == (there["relayer"], there["attestor"], there["admin"])
        assert len(set(desk.relayers)) == 2
        for address in desk.relayers:
            assert Account.recover_transaction(desk.filler(address, 0, 20, 2).raw) == address
        made = desk.deploy_transaction(TransactionFields(31337, 0, 9_000_000, 20, 2, None, load("TicketDesk").bytecode))
        assert Account.recover_transaction(made.raw) == desk.admin
        assert len(desk.attest(RefundsPaid(1, 500, [Paid(b"r" * 16, 4500)]))) == 65
        addresses = (desk.relayers, desk.attestor, desk.admin)
    with desk_with(tmp_path, places) as again:
        assert (again.relayers, again.attestor, again.admin) == addresses


def test_a_key_moves_elsewhere_and_back_to_the_one_in_the_vault(tmp_path: Path, places: dict[str, str]) -> None:
    with desk_with(tmp_path, {}) as desk:
        local = desk.attestor
    with desk_with(tmp_path, {"attestor": places["attestor"]}) as desk:
        assert desk.attestor == key_elsewhere(places["attestor"]).address != local
    with desk_with(tmp_path, {"attestor": "local"}) as desk:
        assert desk.attestor == local


def test_an_alias_that_names_another_key_is_refused(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_digests_as_they_are(monkeypatch)
    aws.client.create_alias(AliasName="alias/attestor", TargetKeyId=aws.key(**SECP256K1))
    places = {"attestor": "aws-kms:alias/attestor"}
    with desk_with(tmp_path, places):
        pass
    aws.client.update_alias(AliasName="alias/attestor", TargetKeyId=aws.key(**SECP256K1))
    with pytest.raises(SignerRefused, match="but was"), desk_with(tmp_path, places):
        pass
    aws.client.delete_alias(AliasName="alias/attestor")


def test_two_tasks_do_not_share_a_key_and_unknown_tasks_are_refused(tmp_path: Path, places: dict[str, str]) -> None:
    twice = {"attestor": places["admin"], "admin": places["admin"]}
    with pytest.raises(SignerRefused, match="the key of attestor already"), desk_with(tmp_path, twice):
        pass
    with pytest.raises(KeyProviderProblem, match="'relayer-2' is no key"), desk_with(tmp_path, {"relayer-2": "local"}):
        pass


def test_a_ledger_is_deployed_and_worked_by_keys_that_are_elsewhere(tmp_path: Path, places: dict[str, str]) -> None:
    settings = Settings(data=tmp_path, signer_process=False, operator_keys=places)
    with open_context(settings) as context:
        gateway, signer = context.gateway, context.parts.signer
        roles = {signer.admin: ADMIN, signer.attestor: ATTESTOR, signer.relayer: RELAYER}
        for address, role in roles.items():
            data = encode_call("rolesOf", 0, address)
            assert decode_result("rolesOf", gateway.call(context.deployment.address, data)) == role
        assert gateway.nonce(signer.admin) == 4  # two creations, two roles


def test_a_key_that_moves_takes_its_role_with_it_and_the_former_one_has_none(
    tmp_path: Path, places: dict[str, str]
) -> None:
    admin, moved = {"admin": places["admin"]}, {"admin": places["admin"], "attestor": places["attestor"]}
    former = set[str]()
    for where in (admin, moved, admin):
        settings = Settings(data=tmp_path, signer_process=False, operator_keys=where)
        with open_context(settings) as context:
            now = context.parts.signer.attestor
            assert now not in former
            for address in former | {now}:
                answer = context.gateway.call(context.deployment.address, encode_call("rolesOf", 0, address))
                assert decode_result("rolesOf", answer) == (ATTESTOR if address == now else 0)
        former = {now}


def test_the_admin_of_a_ledger_stays_where_it_is(tmp_path: Path, places: dict[str, str]) -> None:
    with desk_with(tmp_path, {}) as desk:
        local = desk.admin
    with pytest.raises(SignerRefused, match=f"the ledger's admin is {local}"), desk_with(tmp_path, places):
        pass
    with desk_with(tmp_path, {}) as desk:
        assert (desk.admin, desk.retired) == (local, ())
