"""The person in front of a host: is shown questions, and answers as told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import mcp_types as types

Answer = Callable[[], types.ElicitResult]

YES: Answer = partial(types.ElicitResult, action="accept", content={"confirm": True})
UNTICKED: Answer = partial(types.ElicitResult, action="accept", content={"confirm": False})
NO: Answer = partial(types.ElicitResult, action="decline")
PUT_AWAY: Answer = partial(types.ElicitResult, action="cancel")


@dataclass
class Person:
    """Answers every question alike; `questions` are what was shown."""

    answer: Answer = YES
    questions: list[str] = field(default_factory=list[str])

    async def __call__(self, context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        """The SDK's elicitation callback."""
        self.questions.append(params.message)
        return self.answer()
