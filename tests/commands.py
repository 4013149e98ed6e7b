"""Commands as a user gives them, within the process."""

from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, StringIO, TextIOWrapper
from unittest.mock import patch

from sparse_adagrad import cli


@dataclass
class Result:
    """What a command has said, and how it ended."""

    exit_code: int
    stdout: str
    stderr: str
    exception: BaseException | None

    @property
    def output(self):
        return self.stdout + self.stderr


def run(arguments, input=""):
    """Run the command here, with `input` for standard input."""
    out, err = StringIO(), StringIO()
    code, exception = 0, None
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        patch("sys.stdin", TextIOWrapper(BytesIO(input.encode()))),
    ):
        try:
            cli.main(arguments)
        except SystemExit as end:
            code = end.code or 0
        except Exception as error:
            code, exception = 1, error
    return Result(code, out.getvalue(), err.getvalue(), exception)
