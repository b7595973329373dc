"""A process that sells on tills it shares with others: `python -m tests.support.writer DSN SECONDS SEED TILL…`.

Each line of its output is a sale it was told is stored: the till and the sale's number in the name of its form.
"""

import random
import sys
import threading
import time
from uuid import UUID

from domain.errors import Conflict
from domain.identifiers import shard_of
from domain.money import Money
from infra.event_store.store import PostgresStore
from tests.support.till import Till, commit_of

THREADS = 3


def main(dsn: str, seconds: float, seed: int, tills: list[UUID]) -> None:
    store = PostgresStore(dsn, name=f"writer {seed}", pool_size=2)
    stop = time.monotonic() + seconds
    printing = threading.Lock()

    def sell(thread: int) -> None:
        dice = random.Random(f"{seed}.{thread}")
        count = 0
        while time.monotonic() < stop:
            till_id = dice.choice(tills)
            form = f"{seed}.{thread}.{count}"
            try:
                with store.hold(Till, till_id, shard=shard_of(till_id)) as till:
                    till.sell(amount=Money(1), form=form)
                    store.commit(commit_of(till))
            except Conflict:
                continue
            count += 1
            with printing:
                print(till_id, form, flush=True)

    threads = [threading.Thread(target=sell, args=[number]) for number in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), [UUID(text) for text in sys.argv[4:]])
