"""What nobody outside the tax service knows for sure, each as a setting with its reason.

The defaults are the reading a client should be built for; a test that claims a client survives the
other reading turns the switch. Question numbers in the reasons are those of the open questions of our
protocol notes (§12); docs/simulator.md lists them all with their switches.
"""

from datetime import timedelta
from typing import Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

RefusalStatus = Literal["by-code", "always-400"]
CheckName = Literal[
    "register", "access", "tin", "names", "clock", "number", "session", "state", "content", "totals"
]

DEFAULT_CHECK_ORDER: tuple[CheckName, ...] = get_args(CheckName)


class Switches(BaseModel):
    """Every uncertain behaviour of the server; the description of a field is its reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # --- form of answers --------------------------------------------------------------------------

    refusal_form: Literal["text", "ticket"] = Field(
        default="text",
        description="Clients met HTTP 400 with text; the description also allows a signed ticket "
        "with ERRORCODE under HTTP 200 (question 1).",
    )
    refusal_text_encoding: Literal["utf-8", "windows-1251"] = Field(
        default="utf-8",
        description="The encoding of the text is not stated; clients read UTF-8 and fall back to "
        "windows-1251 (question 1).",
    )
    refusal_status: RefusalStatus = Field(
        default="by-code",
        description="The description lists 401 for no access and 404 for an unknown register; "
        "clients report 400 for every refusal of a document.",
    )
    commands_in_cms: bool = Field(
        default=False,
        description="Answers of commands were met as plain JSON; one client unwraps a CMS around "
        "them (question 2).",
    )
    result_code_as_text: bool = Field(
        default=False,
        description="ResultCode of CheckExt is described as a string; captures hold an integer.",
    )
    error_code_on_success: Literal["absent", "zero", "Ok"] = Field(
        default="absent",
        description='With resultAsJson one gateway shows "ErrorCode":"Ok" on success.',
    )
    compress_replies: bool = Field(
        default=False,
        description="Replies may be compressed when the client accepts gzip; off, so that "
        "measurements show the document's cost and not zlib's.",
    )

    # --- what is accepted -------------------------------------------------------------------------

    size_limit_bytes: int = Field(
        default=200 * 1024,
        gt=0,
        description="200 KB of uncompressed message in the description; 512000 bytes were measured "
        "(question 4).",
    )
    size_minimum_bytes: int = Field(
        default=10, ge=0, description="A body below 10 bytes was measured to get 416."
    )
    clock_tolerance_seconds: int = Field(
        default=600,
        ge=0,
        description="A document too far from the server's clock is refused; how far is unknown "
        "(question 5).",
    )
    refuse_time_going_back: bool = Field(
        default=True,
        description="Known from packages; online it is our reading that it holds too.",
    )
    check_order: tuple[CheckName, ...] = Field(
        default=DEFAULT_CHECK_ORDER,
        description="Whether the number, the state, the time or the names are judged first is "
        "unknown (question 6). A check left out is not made.",
    )
    receipt_after_z_report: Literal["refuse", "accept"] = Field(
        default="refuse",
        description="Not described; accepted it would make codes 6 and 8 deadlock the shift "
        "(question 7).",
    )
    foreign_key_code: Literal[2, 4, 9] = Field(
        default=4,
        description="A shift belongs to the key that opened it; which code another key gets for a "
        "receipt is not stated.",
    )
    refuse_offline_documents_at_doc: bool = Field(
        default=True,
        description="Documents with OFFLINE or ORDERTAXNUM belong in a package; nothing states "
        "that the document address refuses them.",
    )
    strict_parts: bool = Field(
        default=True,
        description="Which parts a kind of document has is known from samples only.",
    )
    arithmetic: bool = Field(
        default=True,
        description="The server checks totals of payment forms; its tolerances are not published. "
        "Judged to the kopeck.",
    )
    tax_check: Literal["off", "turnover", "formula"] = Field(
        default="off",
        description="Captures show receipts accepted with taxes that follow no formula "
        "(question 26). `turnover` compares TURNOVER with the lines; `formula` the tax too, a "
        "half kopeck either way.",
    )
    return_check: Literal["off", "known", "all"] = Field(
        default="known",
        description="`known`: a return of a receipt in the book may not exceed it, nor name "
        "another kind of document; unknown receipts pass, because a register can be older than "
        "the book. `all` refuses unknown ones of the same register too.",
    )
    part_payment_chain: bool = Field(
        default=True,
        description="That a further payment or final settlement names a prepayment, and that no more than the price is "
        "paid over the chain, is our reading: the description gives the elements and no rule.",
    )
    rounding_steps_kopecks: tuple[int, ...] = Field(
        default=(),
        description="No source says that the server checks the step of cash rounding "
        "(question 23). Empty: not checked.",
    )
    closed_register_allows: Literal["z-and-close", "everything", "nothing"] = Field(
        default="z-and-close",
        description="A register whose registration is cancelled with an open shift: what it may "
        "still send is not described.",
    )

    stale_documents: Literal["refuse", "accept"] = Field(
        default="refuse",
        description="Whether a document that was lost before may be delivered late is unknown; the "
        "time of a document must not be ahead in either case (question 9).",
    )
    payment_form_codes: tuple[int, ...] = Field(
        default=(),
        description="The full table of payment form codes is not published (question 13). Empty: "
        "not checked.",
    )
    settled_needs_payment_row: bool = Field(
        default=False,
        description="Whether a final settlement with nothing left to pay needs a payment row of "
        "0.00 is unknown (question 27).",
    )
    kupyna_digests: Literal["accept", "refuse"] = Field(
        default="accept",
        description="Whether signatures with digests of DSTU 7564 are taken is not stated; refused "
        "with code 12 (question 20).",
    )

    # --- offline ----------------------------------------------------------------------------------

    package_answer: Literal["plain", "ticket"] = Field(
        default="plain",
        description="OK or JSON by the description and one client; another client expects a "
        "ticket (question 3).",
    )
    package_refused: Literal["all", "rest"] = Field(
        default="all",
        description="Whether the documents before a refused one stay registered is not described "
        "(question 8).",
    )
    session_rollback: Literal["end", "package", "off"] = Field(
        default="end",
        description="What the state command does that names a session already ended is read from "
        "its fields only: its end alone is taken back, all that came with it, or nothing "
        "(question 11). Never when the register has sent anything since.",
    )
    chain_check: Literal["sample", "first-financial", "off"] = Field(
        default="sample",
        description="The official package links every document from the third on; the description "
        "begins with the first receipt or Z-report. Whether the server looks is unknown "
        "(question 10).",
    )
    chain_hash: Literal["signed", "signed-or-xml"] = Field(
        default="signed",
        description="The hash is of the signed bytes; one client sends that of the XML and is "
        "accepted (question 10).",
    )
    control_number_sum: Literal["full", "paid", "either"] = Field(
        default="full",
        description="Which amount of a part-paid receipt enters the control number is unknown "
        "(question 12).",
    )
    revoke_nothing: Literal["refuse", "ignore"] = Field(
        default="refuse",
        description="What the revoke flag does when there is no online document to revoke is not "
        "described.",
    )
    offline_limits: Literal["refuse", "block", "off"] = Field(
        default="refuse",
        description="Whether the limits are enforced under martial law is unknown; the description "
        "says the register is blocked until a new period begins (question 18). `refuse` stops the "
        "package at the first document beyond; `block` takes it and blocks until the month ends.",
    )
    offline_session_minutes: int = Field(
        default=36 * 60, gt=0, description="36 hours in one session (question 18)."
    )
    offline_month_minutes: int = Field(
        default=168 * 60, gt=0, description="168 hours in a calendar month (question 18)."
    )
    offline_counted_to: Literal["last-financial", "end"] = Field(
        default="last-financial",
        description="The description counts a session to its last receipt or Z-report, tax offices "
        "to its end.",
    )
    blocked_code: Literal[1, 2, 4, 5, 9, 10] = Field(
        default=9,
        description="Which code a blocked register gets is not documented (question 18).",
    )
    blocked_text: str = Field(
        default="ПРРО з фіскальним номером {register} заблоковано",
        description="Nor is the text; {register} stands for the fiscal number (question 18).",
    )

    # --- how it counts ----------------------------------------------------------------------------

    z_check: Literal["off", "strict"] = Field(
        default="strict",
        description="The change log says that payment forms and SOURCESUM of a Z-report are "
        "compared with the shift's totals; how strictly is not published.",
    )
    transfers_in_sum: bool = Field(
        default=False,
        description="That a Z-report counts transfers beside SUM, ORDERSCNT and PAYFORMS is "
        "inferred from one sample (question 22).",
    )
    return_rounding_sign: Literal["as-sale", "reversed"] = Field(
        default="as-sale",
        description="Whether RNDSUM of a return has the sign of the sale is unknown (question 28).",
    )
    storno_counts: Literal["removed", "counted-without-sum"] = Field(
        default="removed",
        description="Whether a stornoed receipt stays in OrdersCount is unknown (question 15); its "
        "money does not.",
    )
    part_payment_counts: Literal["paid", "full"] = Field(
        default="paid",
        description="Whether Sum counts the full price or the amount paid is unknown (question 25).",
    )
    no_rounding_sum: Literal["all-when-any", "rounded-only"] = Field(
        default="all-when-any",
        description="NoRndSum was 0 when nothing was rounded; whether it then counts the receipts "
        "without rounding too is unknown.",
    )
    turnover_discount_absent: Literal["zero", "turnover"] = Field(
        default="zero",
        description="A capture shows 0.0 when the receipts had no TURNOVERDISCOUNT; an emulator "
        "repeats the turnover.",
    )
    z_report_document_type: str | None = Field(
        default="SaleGoods",
        description="What CheckDocType says for a Z-report in lists is a guess (question 15).",
    )
    original_carries_fiscal_number: bool = Field(
        default=False,
        description="Whether CheckExt type 1 is the XML as sent or with ORDERTAXNUM is not stated.",
    )

    @model_validator(mode="after")
    def _each_check_once(self) -> Self:
        if len(set(self.check_order)) != len(self.check_order):
            raise ValueError("check_order names a check twice")
        return self

    @property
    def clock_tolerance(self) -> timedelta:
        """How far a document's time may be from the server's, either way."""
        return timedelta(seconds=self.clock_tolerance_seconds)
