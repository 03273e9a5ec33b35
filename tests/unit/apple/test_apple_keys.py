import base64
import itertools
import json
import traceback
from functools import partial

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from appstore_analytics.apple.keys import ApiKey, KeyRing, Tokens
from appstore_analytics.contract.errors import ConfigurationRefused
from local.apple.keys import ApiRole, fresh_key
from tests.aws_in_process import aws_in_process
from tests.clock import Clock
from tests.unit.apple.apple_in_process import secret_of

ISSUER = "57246542-96fe-1a63-e053-0824d011072a"
TEAM = fresh_key(ApiRole.ADMIN, ISSUER)
INDIVIDUAL = fresh_key(ApiRole.FINANCE, None)
NAME = "appstore-analytics/apple/main"


def tokens_of(key, clock):
    return Tokens(partial(ApiKey.from_secret, secret_of(key), NAME), clock)


def verified(token, key):
    """The claims, after the signature was checked with the public half of the key."""
    public = load_pem_private_key(key.private_key_pem.encode(), None).public_key()
    options = {"verify_exp": False, "verify_iat": False}
    return jwt.decode(token, public, algorithms=["ES256"], audience="appstoreconnect-v1", options=options)


def pem_of(private_key, encryption=None):
    return private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def test_a_team_keys_token_names_its_issuer_and_has_no_scope():
    clock = Clock()
    token = tokens_of(TEAM, clock).bearer()
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": TEAM.key_id, "typ": "JWT"}
    claims = verified(token, TEAM)
    assert sorted(claims) == ["aud", "exp", "iat", "iss"]
    assert (claims["iss"], claims["aud"], claims["iat"]) == (ISSUER, "appstoreconnect-v1", int(clock.seconds()))
    assert 0 < claims["exp"] - claims["iat"] <= 20 * 60


def test_an_individual_keys_token_says_sub_user_and_no_issuer():
    claims = verified(tokens_of(INDIVIDUAL, Clock()).bearer(), INDIVIDUAL)
    assert sorted(claims) == ["aud", "exp", "iat", "sub"]
    assert claims["sub"] == "user"


def test_a_token_is_reused_and_renewed_two_minutes_before_its_end():
    clock = Clock()
    tokens = tokens_of(TEAM, clock)
    first = tokens.bearer()
    claims = verified(first, TEAM)
    clock.pass_by(seconds=claims["exp"] - claims["iat"] - 121)
    assert tokens.bearer() == first
    clock.pass_by(seconds=1)
    renewed = tokens.bearer()
    assert verified(renewed, TEAM)["iat"] == int(clock.seconds())
    assert tokens.bearer() == renewed


def test_a_forgotten_token_is_made_anew():
    tokens = tokens_of(TEAM, Clock())
    first = tokens.bearer()
    tokens.forget()
    assert tokens.bearer() != first


MARK = "c29tZSBjb250ZW50"  # is in every bad secret, and must not be in any message
P384 = pem_of(ec.generate_private_key(ec.SECP384R1()))
RSA = pem_of(rsa.generate_private_key(65537, 2048))
LOCKED = pem_of(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"word"))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "key_id"),
        (MARK, "key_id"),
        (f'{{"key_id": "{MARK}"', "key_id"),
        (json.dumps([MARK]), "key_id"),
        (json.dumps({"private_key": MARK}), "key_id"),
        (secret_of(TEAM, key_id="", issuer_id=MARK), "key_id"),
        (secret_of(TEAM, key_id=[MARK]), "key_id"),
        (secret_of(TEAM, issuer_id=[MARK]), "issuer_id"),
        (json.dumps({"key_id": MARK}), "private_key"),
        (secret_of(TEAM, private_key=MARK), "private_key"),
        (secret_of(TEAM, private_key={MARK: MARK}), "private_key"),
        (secret_of(TEAM, private_key=f"-----BEGIN PRIVATE KEY-----\n{MARK}\n-----END PRIVATE KEY-----"), "private_key"),
        (secret_of(TEAM, private_key=f"\ud800{MARK}"), "private_key"),
        (secret_of(TEAM, private_key=P384), "private_key"),
        (secret_of(TEAM, private_key=RSA), "private_key"),
        (secret_of(TEAM, private_key=LOCKED), "private_key"),
    ],
)
def test_a_bad_secret_is_one_sentence_that_names_secret_and_field_and_never_its_content(text, field):
    with pytest.raises(ConfigurationRefused) as refused:
        ApiKey.from_secret(text, NAME)
    sentence = str(refused.value)
    assert NAME in sentence
    assert field in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    said = "".join(traceback.format_exception(refused.value))
    assert MARK not in said
    assert not any(line in said for pem in (P384, RSA, LOCKED) for line in pem.splitlines()[1:-1])


PEM = TEAM.private_key_pem
BODY = "".join(PEM.splitlines()[1:-1])
BOM = "\ufeff"


@pytest.mark.parametrize(
    "written",
    [
        PEM,
        f"{BOM}{PEM}",
        f"  \n{PEM}\n\n",
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\\r\\n"),
        PEM.replace("\n", " "),
        PEM.replace("\n", ""),
        BODY,
        f"{BODY[:64]}\n{BODY[64:]}\n",
        base64.b64encode(PEM.encode()).decode(),
        base64.encodebytes(PEM.encode()).decode(),
    ],
)
def test_a_private_key_that_has_one_reading_is_read(written):
    key = ApiKey.from_secret(secret_of(TEAM, private_key=written), NAME)
    assert verified(Tokens(lambda: key, Clock()).bearer(), TEAM)


@pytest.mark.parametrize("around", [("", "\n"), (" ", "\r\n"), (BOM, ""), ("\u00a0", "\t")])
def test_what_surrounds_an_id_is_no_part_of_it(around):
    before, after = around
    secret = secret_of(TEAM, key_id=f"{before}{TEAM.key_id}{after}", issuer_id=f"{before}{ISSUER}{after}")
    key = ApiKey.from_secret(secret, NAME)
    assert (key.key_id, key.issuer_id) == (TEAM.key_id, ISSUER)
    assert ApiKey.from_secret(secret_of(TEAM, issuer_id=f"{before}{after}"), NAME).issuer_id is None


@pytest.mark.parametrize("mark", [BOM, "\u00ef\u00bb\u00bf", "\n"])
def test_a_secret_that_was_saved_with_a_byte_order_mark_is_read(mark):
    assert ApiKey.from_secret(f"{mark}{secret_of(TEAM)}\n", NAME).key_id == TEAM.key_id


def test_line_ends_that_are_not_escaped_are_read():
    secret = secret_of(TEAM).replace("\\n", "\n")
    assert verified(Tokens(lambda: ApiKey.from_secret(secret, NAME), Clock()).bearer(), TEAM)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PEM, "holds only the text of a .p8 file: put JSON"),
        ("[" * 60_000, "is not JSON"),
        ("null", "holds no API key yet"),
        ("{}", "holds no API key yet"),
        ('{"key_id": ""}', "holds no API key yet"),
        (json.dumps(secret_of(TEAM)), "is not a JSON object: put an object with key_id, issuer_id and private_key"),
        (f"[{secret_of(TEAM)}]", "is not a JSON object"),
        (secret_of(TEAM).replace("_id", "Id"), "has fields with other names: put an object with key_id"),
        (secret_of(TEAM).replace("key_id", "KEY_ID"), "has fields with other names"),
        ('{"key_id":' * 6_000, "is not JSON"),
        (secret_of(TEAM, key_id="2X9R 4HXF34"), "key_id .* exactly as App Store Connect shows it"),
        (secret_of(TEAM, key_id=ISSUER), "key_id .* exactly as"),
        (secret_of(TEAM, key_id="AuthKey_2X9R4HXF34.p8"), "key_id .* without blanks, quotes or a file's name"),
        (secret_of(TEAM, key_id='"2X9R4HXF34"'), "key_id .* exactly as"),
        (secret_of(TEAM, key_id=1234567890), "key_id .* must be text"),
        (secret_of(TEAM, issuer_id=f"<{ISSUER}>"), "issuer_id .* leave it out for individual keys"),
        (secret_of(TEAM, private_key=None), "private_key .* is missing: put the text of Apple's .p8 file there"),
        (secret_of(TEAM, private_key=" "), "private_key .* is missing"),
        (secret_of(TEAM, private_key="AuthKey_2X9R4HXF34.p8"), "private_key .* is the name of a file"),
        (secret_of(TEAM, private_key=PEM.split("-----END")[0]), "private_key .* is cut off: its END line is missing"),
        (secret_of(TEAM, private_key=PEM.replace("PRIVATE", "PUBLIC")), "private_key .* is not a private key"),
        (secret_of(TEAM, private_key=LOCKED), "private_key .* locked with a password"),
        (secret_of(TEAM, private_key=RSA), "private_key .* of another kind"),
        (secret_of(TEAM, private_key=BODY[:-8]), "private_key .* characters missing|cannot be read"),
    ],
    ids=itertools.count(),
)
def test_a_secret_without_one_reading_is_refused_by_what_is_wrong_with_it(text, words):
    with pytest.raises(ConfigurationRefused, match=words):
        ApiKey.from_secret(text, NAME)


@pytest.mark.parametrize("key", [TEAM, INDIVIDUAL])
def test_no_repr_shows_the_private_key_or_a_token(key):
    api_key = ApiKey.from_secret(secret_of(key), NAME)
    tokens = Tokens(lambda: api_key, Clock())
    token = tokens.bearer()
    shown = f"{api_key!r} {tokens!r} {tokens} {api_key}"
    assert key.key_id in shown
    assert token not in shown
    assert "private_key" not in shown
    assert "PrivateKey" not in shown


@pytest.fixture
def secrets_manager():
    with aws_in_process():
        yield boto3.client(
            "secretsmanager", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )


def test_a_rotated_key_is_picked_up_after_five_minutes(secrets_manager):
    clock = Clock()
    ring = KeyRing(secrets_manager, NAME.removesuffix("main"), clock)
    secrets_manager.create_secret(Name=NAME, SecretString=secret_of(TEAM))
    token = ring.tokens("main").bearer()
    secrets_manager.put_secret_value(SecretId=NAME, SecretString=secret_of(INDIVIDUAL))
    clock.pass_by(seconds=299)
    assert ring.tokens("main").bearer() == token
    clock.pass_by(seconds=1)
    assert verified(ring.tokens("main").bearer(), INDIVIDUAL)["sub"] == "user"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_secret_that_was_saved_as_the_bytes_of_a_file_is_read(secrets_manager, encoding):
    secrets_manager.create_secret(Name=NAME, SecretBinary=secret_of(TEAM).encode(encoding))
    ring = KeyRing(secrets_manager, NAME.removesuffix("main"), Clock())
    assert verified(ring.tokens("main").bearer(), TEAM)


def test_a_key_that_apple_refuses_is_read_again_at_once(secrets_manager):
    ring = KeyRing(secrets_manager, NAME.removesuffix("main"), Clock())
    secrets_manager.create_secret(Name=NAME, SecretString=secret_of(TEAM))
    tokens = ring.tokens("main")
    assert verified(tokens.bearer(), TEAM)
    secrets_manager.put_secret_value(SecretId=NAME, SecretString=secret_of(INDIVIDUAL))
    tokens.forget()
    assert verified(tokens.bearer(), INDIVIDUAL)


def test_each_account_has_its_own_key_and_a_secret_not_yet_filled_is_read_again_at_once(secrets_manager):
    ring = KeyRing(secrets_manager, NAME.removesuffix("main"), Clock())
    secrets_manager.create_secret(Name=NAME, SecretString=secret_of(TEAM))
    second = NAME.replace("main", "second")
    secrets_manager.create_secret(Name=second, SecretString="{}")
    with pytest.raises(ConfigurationRefused, match=f"{second} .*key_id"):
        ring.tokens("second").bearer()
    secrets_manager.put_secret_value(SecretId=second, SecretString=secret_of(INDIVIDUAL))
    assert verified(ring.tokens("second").bearer(), INDIVIDUAL)
    assert verified(ring.tokens("main").bearer(), TEAM)


def test_a_secret_that_is_not_there_or_about_to_go_is_a_configuration_to_mend(secrets_manager):
    ring = KeyRing(secrets_manager, NAME.removesuffix("main"), Clock())
    with pytest.raises(ConfigurationRefused, match=f"no secret {NAME}: "):
        ring.tokens("main").bearer()
    secrets_manager.create_secret(Name=NAME, SecretString=secret_of(TEAM))
    secrets_manager.delete_secret(SecretId=NAME)
    with pytest.raises(ConfigurationRefused, match=f"no secret {NAME}: "):
        ring.tokens("main").bearer()
    secrets_manager.restore_secret(SecretId=NAME)
    assert verified(ring.tokens("main").bearer(), TEAM)
