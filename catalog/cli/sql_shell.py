"""The interactive shell of `mainstem sql`: history, completion, statements over several lines."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

_ENDS = (";", "exit", "quit", ".exit", ".quit", "\\q")


class Words(Completer):
    """Complete the word before the cursor: a keyword, or the name of a table."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted(words)

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterable[Completion]:
        """Offer the words that begin as the one before the cursor does."""
        del event
        begun = document.get_word_before_cursor(WORD=True).lower()
        for word in self._words:
            if begun and word.lower().startswith(begun):
                yield Completion(word, start_position=-len(begun))


def run(words: Iterable[str], answer: Callable[[str], bool]) -> None:
    """Read statements and answer them until the end of input; complete these words."""
    prompt: PromptSession[str] = PromptSession(
        history=FileHistory(str(history_file(os.environ))),
        completer=Words(words),
        complete_while_typing=False,
        multiline=True,
        key_bindings=_bindings(),
        prompt_continuation="   ...> ",
    )
    while True:
        try:
            text = prompt.prompt("mainstem> ").strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if text in _ENDS[1:]:
            return
        if text.strip(";"):
            answer(text)


def history_file(environment: Mapping[str, str]) -> Path:
    """Return where the shell remembers what was typed, and make its folder."""
    state = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(state) / "mainstem"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "sql_history"


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        text = buffer.text.strip()
        if not text or text.endswith(";") or text in _ENDS:
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return bindings
