"""The readers of type encodings and the rules of placement, by themselves."""

from __future__ import annotations

import pytest

from libobjc.encoding import Unreadable, parse
from libobjc.placement import Place, place, place_result


@pytest.mark.parametrize(
    ("encoding", "sizes"),
    [
        ("v40@0:8@16Q24Q32", [8, 8, 8]),
        ("v@:r^@{_NSRange=QQ}", [8, 16]),
        ("v@:{?={?=QQQ}{?=QQQ}}I", [48, 4]),
        ("@@:{EncoderComputeServiceConfig=@@@i@iIBB}", [56]),
        ("@@:^(?={?=b8b24IQQ}{?=b8b24IQQ})Q", [8, 8]),
        ("^{MTLStatSampleRec=^vQ[0Q]}@:", []),
        ('v@:@?@"NSString"*', [8, 8, 8]),
        ("v@:{?=cI}S", [8, 2]),
    ],
)
def test_sizes(encoding: str, sizes: list[int]) -> None:
    assert [it.size for it in parse(encoding).arguments] == sizes


@pytest.mark.parametrize("bad", ["", "v", "v@", "vQ:", "v@:{", "v@:{a}", "v@:(?=id)", "v@:b8", "v@:D"])
def test_what_cannot_be_passed_is_refused(bad: str) -> None:
    with pytest.raises(Unreadable):
        parse(bad)


def test_registers_and_the_stack() -> None:
    placed = place(parse("v@:@QQ{?=QQQ}{?=QQQ}@QQ{?=QQQ}Q"))
    kinds = [(it.by_reference or it).kind for it in placed.arguments]
    assert kinds == ["x"] * 6 + ["stack"] * 4
    assert placed.stack == 32


def test_apple_packs_the_stack() -> None:
    placed = place(parse("v@:QQQQQQBSIBd{?=III}I"))
    assert [it.first for it in placed.arguments[6:10]] == [0, 2, 4, 8]
    assert placed.arguments[10] == Place("v", 0)
    assert placed.arguments[11:] == (Place("stack", 16), Place("stack", 32))
    assert placed.stack == 36


def test_an_aggregate_is_never_split() -> None:
    placed = place(parse("v@:QQQQQ{_NSRange=QQ}Q"))
    assert placed.arguments[5:] == (Place("stack", 0), Place("stack", 16))
    placed = place(parse("v@:dddddd{?=dddd}f"))
    assert placed.arguments[6:] == (Place("stack", 0), Place("stack", 32))


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [
        ("v@:", "x"),
        ("{_NSRange=QQ}@:", "x"),
        ("f@:", "v"),
        ("{?=ffff}@:", "v"),
        ("{?=dddd}@:", "v"),
        ("{?=fffff}@:", "memory"),
        ("{?=QQQ}@:", "memory"),
        ("{?=Qd}@:", "x"),
    ],
)
def test_results(encoding: str, kind: str) -> None:
    assert place_result(parse(encoding).result).kind == kind
