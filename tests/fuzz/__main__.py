"""Damaged and odd input through every command and estimator, for some minutes.

    PYTHONPATH=tests python -m fuzz [--first 0] [--minutes 10] [--cases N]
    PYTHONPATH=tests python -m fuzz --case 1234      that case alone; its folder is kept, to give the command again

Prints every case that did not end as it should, with its number and command, and at the end how many there were. Exits
with 1 if there was one.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
import time
from pathlib import Path

from fuzz.campaign import Judged, campaign, judge
from fuzz.commands import removed_at_the_end
from fuzz.judge import SECONDS


def main() -> int:
    """Read the flags, run the cases, and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--cases", type=int, help="so many instead of the minutes")
    parser.add_argument("--case", type=int, help="this one alone")
    asked = parser.parse_args()
    offline()
    if asked.case is not None:
        judged = judge(asked.case, keep=True)
        print(judged.told)
        return _tell(judged) or int(bool(judged.wrong))
    ends = time.monotonic() + 60 * asked.minutes
    errors = os.fdopen(os.dup(2), "w")  # the process's own, while a case has another
    faulthandler.enable(errors)

    def goes_on(done: int) -> bool:
        # Where even the limit of a case does not stop it, the process ends, with a traceback that shows where.
        faulthandler.dump_traceback_later(10 * SECONDS, exit=True, file=errors)
        return done < asked.cases if asked.cases is not None else time.monotonic() < ends

    done, faulty, longest = 0, 0, 0.0
    for judged in campaign(asked.first, goes_on):
        done, faulty, longest = done + 1, faulty + bool(judged.wrong), max(longest, judged.seconds)
        _tell(judged)
        if done % 100 == 0:
            print(f"{done:,} cases, {faulty} with a fault", file=sys.stderr, flush=True)
    print(f"{done:,} cases from number {asked.first}, {faulty} with a fault; the longest took {longest:.0f} seconds")
    return int(faulty > 0)


def offline() -> None:
    """Let nothing be downloaded, and keep what is generated away from the user's cache."""
    os.environ |= {"XDG_CACHE_HOME": str(removed_at_the_end("cache")), "OMP_NUM_THREADS": "1"}
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        os.environ[name] = "http://127.0.0.1:9"


def _tell(judged: Judged) -> int:
    if judged.wrong:
        print(f"== case {judged.number}: {judged.told}", *judged.wrong, sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(main())
