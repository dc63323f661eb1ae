"""How templates are compiled: as Jinja does it, without looking again at each rendering for what never changes here.

Nothing that templates call asks for the context, the evaluation context or the environment, all of them escape, and
their own texts are constants. https://jinja.palletsprojects.com/en/stable/api/#jinja2.Environment.code_generator_class

A template is compiled once, with its texts marked. Its code in a language is the same code with the texts of that
language in their places: compiling all anew for each language would take a second or two.
"""

import re
from collections.abc import Callable, MutableMapping
from types import CodeType
from typing import Any

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame, MacroRef
from jinja2.runtime import Macro
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

NEEDS_ESCAPING = re.compile("[&<>'\"]").search
# NUL is in no text.
MARKED = re.compile(r"\0([^\0]+)\0")
# What templates were compiled to, for all services of this process.
_COMPILED: dict[tuple[str | None, str], CodeType] = {}


class _Texts(NodeTransformer):
    """Texts of ours become parts of the page's own markup, as far as no value is to be put into them; the others are
    looked up here, so that `filled` has only their values to put in."""

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802  # Jinja's name.
        called: nodes.Node = self.generic_visit(node)
        match node:
            case nodes.Call(node=nodes.Name(name="_"), args=[nodes.Const(value=str(text))], kwargs=[]):
                return nodes.TemplateData(f"\0{text}\0", lineno=node.lineno)
            case nodes.Call(node=nodes.Name(name="_") as name, args=[nodes.Const(value=str(text)) as constant]):
                name.name, constant.value = "filled", f"\0{text}\0"
        return called


class _Compiler(CodeGenerator):
    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        super().visit_Template(_Texts().visit(node), frame)

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        """Called as it stands. `Context.call` would look first whether it wants a context."""
        self.visit(node.node, frame)
        self.write("(")
        for argument in (*node.args, *node.kwargs):
            self.visit(argument, frame)
            self.write(", ")
        self.write("caller=caller)" if forward_caller else ")")

    def macro_def(self, macro_ref: MacroRef, frame: Frame) -> None:
        self.write("environment.called(macro, ")
        super().macro_def(macro_ref, frame)
        self.write(")")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.escaped(")


class Templates(Environment):
    """`text_of` translates a text of ours."""

    code_generator_class = _Compiler

    def __init__(self, text_of: Callable[[str], str], **options: Any) -> None:
        super().__init__(**options)
        self._text_of = text_of

    def compile(  # type: ignore[override]  # Jinja can be asked for the source as well; nobody here asks.
        self, source: str, name: str | None = None, filename: str | None = None
    ) -> CodeType:
        key = filename, source
        if key not in _COMPILED:
            _COMPILED[key] = super().compile(source, name, filename)
        return _in_words(_COMPILED[key], self._text_of)

    # What is markup already, or needs no escaping, stays the same object; markupsafe would copy it.
    @staticmethod
    def escaped(value: Any) -> str:
        """Ready to stand in a page."""
        is_plain = type(value) is Markup or (type(value) is str and NEEDS_ESCAPING(value) is None)
        return value if is_plain else escape(value)

    @staticmethod
    def called(function: Callable[..., str], macro: Macro) -> Callable[..., str]:
        """A macro as it is called nearly always: with all of its arguments, by position. `Macro` looks first how."""
        count = len(macro.arguments)

        def call(*given: Any, **named: Any) -> str:
            if named or macro.caller or len(given) != count:
                return macro(*given, **named)
            return str.__new__(Markup, function(*given))

        return call

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals themselves where a template has none of its own: Jinja's layers of mappings are slow to ask."""
        return super().make_globals(d) if d else self.globals


def _in_words(code: CodeType, text_of: Callable[[str], str]) -> CodeType:
    def worded(constant: Any) -> Any:
        if isinstance(constant, CodeType):
            return _in_words(constant, text_of)
        is_marked = isinstance(constant, str) and "\0" in constant
        return MARKED.sub(lambda text: text_of(text[1]), constant) if is_marked else constant

    return code.replace(co_consts=tuple(map(worded, code.co_consts)))
