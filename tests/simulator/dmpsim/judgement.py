"""What every transaction has in common: the options, the envelope and its VIHF, what was found.

Pure: bytes in, findings and what is wanted out. What depends on earlier requests is the store's to say.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from . import vihf
from .agreement import Settings as AgreementSettings
from .dossiers import Asker, ins_of
from .envelope import SECURITY, Envelope, Expected, check_envelope, read_envelope
from .findings import Finding, Refused, fault
from .formats import OID
from .frame import Frame
from .http1 import Request
from .names import SAML, tag
from .safe_xml import children
from .schema import Schemas
from .value_sets import ValueSets
from .vihf import Vihf

FOLDER = "/si-dmp-server/v2/services"
DENIED = "DMPAccessDeniedByRightsService"


@dataclass(frozen=True)
class Settings:
    """What the person who runs the simulator chose."""

    vihf: vihf.Settings
    require_vihf: bool = False
    require_signature: bool = False
    masked_and_invisible: bool = False
    hash_and_size: bool = False
    ins_domains: frozenset[str] = frozenset()
    schemas: Schemas | None = None
    value_sets: ValueSets | None = None

    def agreement(self, now: datetime) -> AgreementSettings:
        return AgreementSettings(now, self.masked_and_invisible, self.ins_domains)


@dataclass
class Judged:
    """As much of a request as could be read, and what is wrong with it."""

    findings: list[Finding] = field(default_factory=list)
    message_id: str | None = None
    assertion_id: str | None = None
    set_unique_id: str | None = None
    unique_ids: tuple[str, ...] = ()
    echo: tuple[str, str] = ("", "")  # what an HL7 answer repeats of the request
    wanted: object = None  # only when nothing is wrong

    def refuse(self, finding: Finding) -> None:
        """Before all that the request itself already has against it."""
        self.findings.insert(0, finding)
        self.wanted = None


@dataclass(frozen=True)
class Opened:
    """A request of which the envelope and the VIHF were judged."""

    frame: Frame
    envelope: Envelope
    vihf: Vihf | None
    settings: Settings
    now: datetime

    def asker(self, patient: str, structure: str) -> Asker:
        """The VIHF says it, else the request itself."""
        return Asker(ins_of(patient), self.vihf.structure if self.vihf else structure)


ReadFrame = Callable[[str | None, bytes, str], Frame]
JudgeBody = Callable[[Opened, Judged], None]
Judge = Callable[[Request, Settings, datetime], Judged]


def judge_with(read: ReadFrame, action: str, path: str, body: JudgeBody) -> Judge:
    """The judge of one transaction: frame, envelope, VIHF, then what `body` knows."""

    def judge(request: Request, settings: Settings, now: datetime) -> Judged:
        judged = Judged()
        try:
            frame = read(request.head.get("Content-Type"), request.body, action)
            envelope = read_envelope(frame.root.body)
            judged.message_id = envelope.message_id
            judged.findings += check_envelope(envelope, Expected(action, path, settings.require_vihf))
            found = _judge_vihf(envelope, request, settings, now, judged)
            body(Opened(frame, envelope, found, settings, now), judged)
        except Refused as refused:
            judged.findings.append(refused.finding)
        if judged.findings:
            judged.wanted = None
        return judged

    return judge


def _judge_vihf(
    envelope: Envelope, request: Request, settings: Settings, now: datetime, judged: Judged
) -> Vihf | None:
    block = envelope.header(SECURITY)
    assertions = [] if block is None else [c for c in children(block) if c.tag == tag(SAML, "Assertion")]
    if len(assertions) != 1:  # the envelope's checks have told it
        return None
    found, findings = vihf.judge_vihf(assertions[0], settings.vihf, now)
    judged.findings += findings
    judged.findings += vihf.check_peer(found, request.peer)
    judged.assertion_id = vihf.quotable_id(found)
    return found


def denied(where: str, what: str) -> Finding:
    """The rights matrix, column of the organisation's certificate."""
    return fault(where, f"{what} is refused to indirect authentication", DENIED)


def if_oid(value: str) -> str | None:
    """Anything else must not reach a log."""
    return value if OID.matches(value) else None
