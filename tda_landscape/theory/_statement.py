"""What a theorem says of one network and its data: hypotheses, each checked, and a conclusion."""

from __future__ import annotations

from dataclasses import dataclass

WORDS = {True: "holds", False: "fails", None: "not decided"}


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One condition, with the numbers that decide it.

    Attributes
    ----------
    sentence : str
    holds : bool or None
        None where it is not decided: near the tolerance of a rank, or nothing here can check it.
    of_width : bool
        Whether wider hidden layers are all that it takes.
    """

    sentence: str
    holds: bool | None
    of_width: bool = False

    def __str__(self) -> str:
        """The answer and the sentence."""
        return f"{WORDS[self.holds]}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Statement:
    """A theorem as it stands for one network.

    Attributes
    ----------
    source : str
        Where it is proved; "derived here" for own results.
    conclusion : str
        What follows where every hypothesis holds.
    hypotheses : tuple of Hypothesis
    simple, no_spurious_valley : bool or None
        What the conclusion says of N_u = 1 for all u, and of property P.1; None for nothing.
    n_global_components : int or None
        Components at the lowest energy by the conclusion; None where it gives no number.
    at_least : int
        A lower bound of that number.
    suffices : tuple (flag, width) or None
        A width of every hidden layer from which on `flag` is true by this theorem.
    """

    source: str
    conclusion: str
    hypotheses: tuple[Hypothesis, ...]
    simple: bool | None = None
    no_spurious_valley: bool | None = None
    n_global_components: int | None = None
    at_least: int = 1
    suffices: tuple[str, int] | None = None

    @property
    def applies(self) -> bool | None:
        """Whether every hypothesis holds; None where none fails but one is not decided."""
        answers = [hypothesis.holds for hypothesis in self.hypotheses]
        return False if False in answers else None if None in answers else True

    @property
    def width(self) -> tuple[str, int] | None:
        """`suffices`, where nothing but the width is in the way."""
        return self.suffices if all(h.holds for h in self.hypotheses if not h.of_width) else None

    def __str__(self) -> str:
        """The conclusion, its source and the hypotheses; of one that does not apply, those that stand in its way."""
        told = [h for h in self.hypotheses if self.applies or not h.holds]
        return "\n".join([f"  {self.conclusion}", f"    {self.source}", *(f"    {h}" for h in told)])


def at_least(count: int, lower: int, upper: int) -> bool | None:
    """Whether count >= q for a number q between two bounds."""
    return True if count >= upper else False if count < lower else None
